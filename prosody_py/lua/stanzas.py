"""Stanzas on both sides: one owner, two faces.

A stanza that Lua looks at becomes a Lua table, and the table is from then on the only place where
its content is. The Python object stays the same object and becomes a `LuaStanza`: its `attr` and
`children` are views of the table that keep what they have read until Lua has run again
(`border.epoch` counts that). What Lua makes comes to Python as a `LuaStanza` from the start.

Child elements get their Python face when Python asks for them. Those that somebody in Python
holds at the moment of the change get it at once, so a reference taken before stays true. Stanzas
that share their children (`Stanza.shallow`) part when one of them goes to Lua.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from prosody_py.lua.flat import MAX_VALUES, flatten
from prosody_py.lua.values import decode, encode
from prosody_py.lua.views import LuaAttr, LuaChildren, attr_slot, children_slot, name_slot
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import replace_illegal

_UNSHARED = 4  # references to a child that only its parent holds, while `_link_held` looks at it


class LuaStanza(Stanza):
    """A stanza whose content is the Lua table `lua`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The element's name."""
        return attr_slot(self).fresh().name

    @name.setter
    def name(self, name: str) -> None:
        attr_slot(self).border.stanzas.call(b"set_name", self.lua, encode(name))

    @property
    def attr(self) -> LuaAttr:
        """The attributes, a dict that writes through."""
        return attr_slot(self)

    @attr.setter
    def attr(self, attr: dict[str, str]) -> None:
        attr_slot(self).replace(attr)

    @property
    def children(self) -> LuaChildren:
        """Elements and texts, a list that writes through."""
        return children_slot(self)

    @children.setter
    def children(self, children: list) -> None:
        children_slot(self)[:] = children

    def to_xml(self, parent_ns: str | None = None) -> str:
        """Return the element as XML text; see prosody_py.xmpp.writer.serialize."""
        stanzas = attr_slot(self).border.stanzas
        data = stanzas.call(b"xml", self.lua, None if parent_ns is None else encode(parent_ns))
        return replace_illegal(data.decode("utf-8", "replace"))

    def __reduce__(self) -> Any:
        raise TypeError("a stanza that Lua owns cannot be pickled; clone it")


class Stanzas:
    """The stanzas of one runtime."""

    def __init__(self, border, functions: Any):
        self.border = border
        self._functions = {name: functions[name] for name in functions}
        self._new = functions[b"new"]
        self._new_large = functions[b"new_large"]

    def call(self, name: bytes, *args: Any) -> Any:
        """Call one of the functions of border/stanza.lua."""
        return self._functions[name](*args)

    def to_lua(self, stanza: Stanza) -> Any:
        """Return the Lua table of a stanza; makes it the owner the first time."""
        if type(stanza) is LuaStanza:
            return stanza.lua
        identities = self.border.identities
        number = identities.next_id
        owned = self._owned_children(stanza)
        values = flatten(stanza)
        if len(values) <= MAX_VALUES:
            table = self._new(number, *values)
        else:
            table = self._new_large(number, self.border.long_list(values))
        if owned:
            self._put_back(table, stanza)
        children = stanza.children
        self._bind(stanza, table, number)
        if children:
            self._link_held(children, table)
        return table

    @staticmethod
    def _owned_children(stanza: Stanza) -> bool:
        """Whether Lua owns some of the children already (a reply around a Lua element)."""
        pending = [stanza]
        while pending:
            for child in pending.pop().children:
                kind = type(child)
                if kind is LuaStanza:
                    return True
                if kind is not str and child.children:
                    pending.append(child)
        return False

    def _put_back(self, table: Any, stanza: Stanza) -> None:
        """Put the tables that Lua had into a new table in the place of their copies."""
        for index, child in enumerate(stanza.children, 1):
            if type(child) is LuaStanza:
                self.call(b"replace_child", table, index, child.lua)
            elif type(child) is not str and self._owned_children(child):
                self._put_back(self.call(b"child", table, index), child)

    def _bind(self, stanza: Stanza, table: Any, number: int) -> None:
        border = self.border
        stanza.lua = table
        name = stanza.name
        attr = LuaAttr(border, table, stanza.attr, name)
        stanza.attr = attr
        stanza.children = LuaChildren(border, table)
        stanza.__class__ = LuaStanza
        border.identities.put(number, stanza)

    def _link_held(self, children: list, table: Any) -> None:
        for index, child in enumerate(children, 1):
            if type(child) is str:
                continue
            if getrefcount(child) > _UNSHARED:
                self._link(child, self.call(b"child", table, index))
            elif child.children and any(type(inner) is not str for inner in child.children):
                self._link_held(child.children, self.call(b"child", table, index))

    def _link(self, stanza: Stanza, table: Any) -> None:
        if type(stanza) is LuaStanza:
            return
        identities = self.border.identities
        number = identities.next_id
        self.call(b"identify", table, number)
        children = stanza.children
        self._bind(stanza, table, number)
        self._link_held(children, table)

    def adopt(self, table: Any, number: int) -> LuaStanza:
        """Return the Python face of a table of Lua's that has none yet."""
        stanza = Stanza.__new__(LuaStanza)
        border = self.border
        stanza.lua = table
        stanza._cursor = None
        attr_slot.__self__.__set__(stanza, LuaAttr(border, table))
        children_slot.__self__.__set__(stanza, LuaChildren(border, table))
        name_slot.__self__.__set__(stanza, "")
        border.identities.put(number, stanza)
        return stanza

    def head(self, table: Any) -> tuple[str, dict[str, str]]:
        """Return the name and attributes that a table has now."""
        values = self._functions[b"head"](table)
        if type(values) is not tuple:
            return decode(values), {}
        texts = [decode(value) for value in values]
        return texts[0], dict(zip(texts[1::2], texts[2::2], strict=True))

    def children(self, table: Any) -> list[Any]:
        """Return the children that a table has now."""
        identities = self.border.identities
        read = self._functions[b"children"]
        found: list[Any] = []
        while True:
            part = read(table, len(found) + 1)
            if type(part) is not tuple:
                return found
            for item in part[1:]:
                kind = type(item)
                if kind is bytes:
                    found.append(decode(item))
                    continue
                child = identities.get(item) if kind is int else None
                if child is None:
                    raw = item if kind is not int else self.call(b"child", table, len(found) + 1)
                    child = self.border.to_python(raw)
                found.append(child)

    def write_children(self, table: Any, children: list[Any]) -> None:
        """Make a table's children these."""
        raw = [encode(child) if type(child) is str else self.to_lua(child) for child in children]
        self.call(b"clear", table)
        for start in range(0, len(raw), MAX_VALUES):
            self.call(b"add", table, *raw[start:start + MAX_VALUES])

    def add_child(self, table: Any, child: Any) -> None:
        """Add one child at the end."""
        self.call(b"add", table, encode(child) if type(child) is str else self.to_lua(child))
