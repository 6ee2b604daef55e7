"""Stanzas on both sides: one owner, two faces.

A stanza that Lua looks at becomes a Lua table, and the table is from then on the only place where
its content is decided. The Python object stays the same object and becomes a `LuaStanza`, which
reads and writes the table. What Lua makes comes to Python as a `LuaStanza` from the start.

Most handlers only read. So the Python object keeps what it knew, and Lua keeps the flat values
from which the table was made; after Lua has run (`border.epoch` counts that), one call tells
whether the table still is what they say. As long as it is, reading and serialising cost what they
cost without Lua.

Child elements get their Python face when Python asks for them. Those that somebody in Python
holds when the stanza goes to Lua get it at once, so a reference taken before stays true. Stanzas
that share their children (`Stanza.shallow`) part when one of them goes to Lua.
"""

from __future__ import annotations

from operator import attrgetter
from sys import getrefcount
from typing import Any

from prosody_py.lua.children import LuaChildren
from prosody_py.lua.flat import MAX_VALUES, flatten
from prosody_py.lua.shapes import Shapes
from prosody_py.lua.values import decode, encode
from prosody_py.lua.views import Face, new_face
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import replace_illegal, write_parts

_UNSHARED = 3  # references to what only its parent holds, while a local name refers to it too

_FACES_AT_ONCE = 500


def _set_attr(stanza: LuaStanza, attr: dict[str, str]) -> None:
    stanza.lua.replace(attr)


class LuaStanza(Stanza):
    """A stanza whose content is a Lua table; `lua` is the Face of that table."""

    __slots__ = ()

    # The slots of the plain class under names of their own: what was known when Lua got it.
    _name, _attr, _children = Stanza.name, Stanza.attr, Stanza.children

    attr = property(attrgetter("lua"), _set_attr, None,
                    "The attributes, a dict that writes through.")

    @property
    def name(self) -> str:
        """The element's name."""
        face = self.lua
        if face.epoch != face.border.epoch:
            face.fresh()
        return face.name or self._name

    @name.setter
    def name(self, name: str) -> None:
        face = self.lua
        face.border.stanzas.set_name(face.table, encode(name))
        face.changed()
        face.epoch = -1

    @property
    def children(self) -> LuaChildren:
        """Elements and texts, a list that writes through."""
        children = self._children
        if type(children) is not LuaChildren:
            face, known = self.lua, children
            children = LuaChildren(face)
            if face.is_as_known() and face.border.stanzas.give_faces(face, known):
                children.take(known)
            self._children = children
        return children

    @children.setter
    def children(self, children: list) -> None:
        self.children[:] = children

    def _known(self) -> Stanza | None:
        """Return what Python knows as a plain stanza, None when that is not up to date."""
        face, children = self.lua, self._children
        if not face.is_as_known() or (type(children) is LuaChildren and children.epoch < 0):
            return None
        known = Stanza(face.name or self._name, face.known)
        known.children = children
        return known

    def write(self, parent_ns: str | None, add) -> None:
        """Give the XML text to `add`; see prosody_py.xmpp.writer.serialize."""
        face = self.lua
        if face.as_made and (face.epoch == face.border.epoch or face.is_as_known()):
            children = self._children
            if type(children) is not LuaChildren or children.epoch >= 0:
                write_parts(face.name or self._name, face.known, children, parent_ns, add)
                return
        add(face.border.stanzas.text(face.table, parent_ns))

    # Building: Lua and Python go on where the other one has stopped.

    def _path(self) -> list[Stanza]:
        border = self.lua.border
        path = border.stanzas.path(self.lua.table)
        return [border.to_python(raw) for raw in (path if type(path) is tuple else (path,))
                if raw is not None]

    def _set_path(self, path: list[Stanza]) -> LuaStanza:
        stanzas = self.lua.border.stanzas
        stanzas.set_path(self.lua.table, *map(stanzas.to_lua, path))
        return self

    def _top(self) -> Stanza:
        path = self._path()
        return path[-1] if path else self

    def tag(self, name: str, attr: dict[str, str] | None = None, /, **more: str) -> LuaStanza:
        """Add a child element and go into it; a `None` attribute is left out."""
        path = self._path()
        child = Stanza(name, {k: v for k, v in {**(attr or {}), **more}.items() if v is not None})
        (path[-1] if path else self).children.append(child)
        return self._set_path([*path, child])

    def up(self) -> LuaStanza:
        """Go out of the element that building is in."""
        return self._set_path(self._path()[:-1])

    def reset(self) -> LuaStanza:
        """Go back to the top element."""
        return self._set_path([])

    # What gives no element away need not make faces for the children.

    def get_text(self) -> str:
        """Return the text directly inside this element."""
        known = self._known()
        return Stanza.get_text(self if known is None else known)

    def get_child_text(self, name: str, xmlns: str | None = None) -> str | None:
        """Return the text of a child, None when there is no such child."""
        known = self._known()
        return Stanza.get_child_text(self if known is None else known, name, xmlns)

    def get_child_attr(self, name: str, xmlns: str | None, attr: str) -> str | None:
        """Return one attribute of a child, None when either is missing."""
        known = self._known()
        return Stanza.get_child_attr(self if known is None else known, name, xmlns, attr)

    def __reduce__(self) -> Any:
        raise TypeError("a stanza that Lua owns cannot be pickled; clone it")


class Stanzas:
    """The stanzas of one runtime; the attributes are functions of border/stanza.lua."""

    def __init__(self, border, functions: Any):
        self.border = border
        self.shapes = Shapes(functions[b"generate"], border.driver.guarded)
        self._new, self._new_large = functions[b"new"], functions[b"new_large"]
        self.set_name, self.set_attr = functions[b"set_name"], functions[b"set_attr"]
        self.replace_attr, self.xml = functions[b"replace_attr"], functions[b"xml"]
        self.unchanged, self._identify = functions[b"unchanged"], functions[b"identify"]
        self._head, self._children = functions[b"head"], functions[b"children"]
        self.child, self._replace_child = functions[b"child"], functions[b"replace_child"]
        self._give_numbers = functions[b"give_numbers"]
        self.path, self.set_path = functions[b"path"], functions[b"set_path"]
        self._clear, self._add = functions[b"clear"], functions[b"add"]

    # -- from Python to Lua ----------------------------------------------------------------

    def to_lua(self, stanza: Stanza) -> Any:
        """Return the Lua table of a stanza; makes it the owner the first time."""
        if type(stanza) is LuaStanza:
            return stanza.lua.table
        found = self.shapes.find(stanza)
        if found is None:
            self.shapes.note(stanza)
            return self._to_lua(stanza)
        shape, values = found
        table = shape.make(self.border.identities.add(stanza), *values)
        self._own(stanza, table)
        return table

    def _own(self, stanza: Stanza, table: Any, as_made: bool = True,
             parent: Face | None = None) -> None:
        """Make a plain stanza the view of a table."""
        border = self.border
        stanza.lua = new_face(border, table, border.epoch if parent is None else parent.epoch,
                              stanza.attr, as_made, parent)
        stanza.__class__ = LuaStanza

    def _to_lua(self, stanza: Stanza) -> Any:
        children = stanza.children
        special = children and (getrefcount(children) > _UNSHARED or _has_special(children))
        values = flatten(stanza)
        border = self.border
        number = border.identities.add(stanza)
        if len(values) < MAX_VALUES:
            table = self._new(*values, number)
        else:
            table = self._new_large(border.long_list((*values, number)))
        self._own(stanza, table)
        if special:
            # Some children have a life of their own, so the list is made of faces at once.
            self._settle(children, table)
            stanza.lua.as_made = False
            stanza._children = LuaChildren(stanza.lua)
        if stanza._cursor:  # its elements are special, so they have faces
            path, stanza._cursor = stanza._cursor, None
            stanza._set_path(path)
        return table

    def _settle(self, children: list, table: Any) -> None:
        """Give the children that Python holds their faces, and Lua's own tables their places."""
        for index, child in enumerate(children, 1):
            kind = type(child)
            if kind is LuaStanza:
                self._replace_child(table, index, child.lua.table)
            elif kind is not str:
                child_table = self.child(table, index)
                if getrefcount(child) > _UNSHARED + 1:  # one more in enumerate's tuple
                    self._link(child, child_table)
                elif child.children:
                    self._settle(child.children, child_table)

    def _link(self, stanza: Stanza, table: Any) -> None:
        border = self.border
        number = border.identities.add(stanza)
        children = stanza.children
        self._identify(table, number)
        self._settle(children, table)
        self._own(stanza, table, False)
        stanza._children = LuaChildren(stanza.lua)

    def text(self, table: Any, parent_ns: str | None) -> str:
        """Return the XML text of a table; see prosody_py.xmpp.writer.serialize.

        Raises ValueError when a module has put something into it that is not XML.
        """
        data = self.border.driver.plain_call(
            self.xml, table, None if parent_ns is None else encode(parent_ns))
        return replace_illegal(data.decode("utf-8", "replace"))

    def give_faces(self, parent: Face, children: list) -> bool:
        """Make plain children the faces of their tables; false when there are too many."""
        elements = [child for child in children if type(child) is not str]
        if len(elements) > _FACES_AT_ONCE:
            return False
        if not elements:
            return True
        border = self.border
        tables = self._give_numbers(parent.table, border.identities.next_id)
        if type(tables) is not tuple:
            tables = (tables,)
        for child, table in zip(elements, tables, strict=True):
            border.identities.add(child)
            self._own(child, table, True, parent)
        return True

    # -- from Lua to Python ----------------------------------------------------------------

    def adopt(self, table: Any, number: int) -> LuaStanza:
        """Return the Python face of a table of Lua's that has none yet."""
        stanza = Stanza.__new__(LuaStanza)
        border = self.border
        stanza._name, stanza._attr, stanza._cursor = "", {}, None
        stanza.lua = new_face(border, table, -1, stanza._attr, False)
        stanza._children = LuaChildren(stanza.lua)
        border.identities.put(number, stanza)
        return stanza

    def head(self, table: Any) -> tuple[str, dict[str, str]]:
        """Return the name and attributes that a table has now."""
        values = self._head(table)
        if type(values) is not tuple:
            return decode(values), {}
        texts = [decode(value) for value in values]
        return texts[0], dict(zip(texts[1::2], texts[2::2], strict=True))

    def children(self, table: Any) -> list[Any]:
        """Return the children that a table has now."""
        identities = self.border.identities
        found: list[Any] = []
        while True:
            part = self._children(table, len(found) + 1)
            if type(part) is not tuple:
                return found
            for item in part[1:]:
                kind = type(item)
                if kind is bytes:
                    found.append(decode(item))
                    continue
                child = identities.get(item) if kind is int else None
                if child is None:
                    raw = item if kind is not int else self.child(table, len(found) + 1)
                    child = self.border.to_python(raw)
                found.append(child)

    def write_children(self, table: Any, children: list[Any]) -> None:
        """Make a table's children these."""
        raw = [encode(child) if type(child) is str else self.to_lua(child) for child in children]
        self._clear(table)
        for start in range(0, len(raw), 1000):
            self._add(table, *raw[start:start + 1000])

    def add_child(self, table: Any, child: Any) -> None:
        """Add one child at the end."""
        self._add(table, encode(child) if type(child) is str else self.to_lua(child))


def _has_special(children: list) -> bool:
    """Whether Lua owns some child, or Python code holds one beside its parent."""
    for child in children:
        kind = type(child)
        if kind is str:
            continue
        if kind is LuaStanza or getrefcount(child) > _UNSHARED:
            return True
        inner = child.children
        if inner and _has_special(inner):
            return True
    return False
