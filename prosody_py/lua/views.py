"""The attributes and children of a stanza that Lua owns, as a dict and a list.

Both keep what they have read in themselves and read again when Lua has run since. Reading costs
little more than with a plain dict then, and what is written goes to the table at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.lua.values import encode
from prosody_py.xmpp.stanza import Stanza

# The slots of the plain class, which keep the views.
attr_slot = Stanza.attr.__get__
children_slot = Stanza.children.__get__
name_slot = Stanza.name.__get__

_MISSING: Any = object()


class LuaAttr(dict):
    """The attributes of one element; also keeps its name."""

    __slots__ = ("border", "table", "epoch", "name")

    def __init__(self, border, table: Any, known: dict | None = None, name: str = ""):
        self.border, self.table, self.name = border, table, name
        if known is None:
            self.epoch = -1
        else:
            self.epoch = border.epoch
            dict.update(self, known)

    def fresh(self) -> LuaAttr:
        """Return this view with the present content of the table."""
        border = self.border
        if self.epoch != border.epoch:
            self.name, attr = border.stanzas.head(self.table)
            dict.clear(self)
            dict.update(self, attr)
            self.epoch = border.epoch
        return self

    # -- reading ---------------------------------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        if self.epoch != self.border.epoch:
            self.fresh()
        return dict.get(self, key, default)

    def __getitem__(self, key: str) -> str:
        if self.epoch != self.border.epoch:
            self.fresh()
        return dict.__getitem__(self, key)

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self.fresh(), key)

    def __iter__(self):
        return dict.__iter__(self.fresh())

    def __len__(self) -> int:
        return dict.__len__(self.fresh())

    def __eq__(self, other: object) -> bool:
        return dict(self.fresh()) == (dict(other) if isinstance(other, dict) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return dict.__repr__(self.fresh())

    def keys(self):
        return dict.keys(self.fresh())

    def values(self):
        return dict.values(self.fresh())

    def items(self):
        return dict.items(self.fresh())

    def copy(self) -> dict[str, str]:
        return dict(dict.items(self.fresh()))

    def __or__(self, other: dict) -> dict:
        return self.copy() | other

    def __ror__(self, other: dict) -> dict:
        return other | self.copy()

    # -- writing ---------------------------------------------------------------------------

    def __setitem__(self, key: str, value: str | None) -> None:
        raw = None if value is None else encode(value)
        self.border.stanzas.call(b"set_attr", self.fresh().table, encode(key), raw)
        if value is None:
            dict.pop(self, key, None)
        else:
            dict.__setitem__(self, key, value)

    def __delitem__(self, key: str) -> None:
        dict.__delitem__(self.fresh(), key)
        self.border.stanzas.call(b"set_attr", self.table, encode(key), None)

    def replace(self, attr: dict[str, str]) -> None:
        """Make the attributes these and no others."""
        attr = dict(attr)
        flat = [encode(text) for pair in attr.items() for text in pair]
        self.border.stanzas.call(b"replace_attr", self.fresh().table, *flat)
        dict.clear(self)
        dict.update(self, attr)

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        if key in self:
            value = self[key]
            del self[key]
            return value
        if default is _MISSING:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[str, str]:
        key = list(self)[-1]
        return key, self.pop(key)

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self.get(key)

    def update(self, *args: Any, **more: str) -> None:
        for key, value in dict(*args, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> LuaAttr:
        self.update(other)
        return self

    def clear(self) -> None:
        self.replace({})


class LuaChildren(list):
    """The children of one element."""

    __slots__ = ("border", "table", "epoch")

    def __init__(self, border, table: Any):
        self.border, self.table, self.epoch = border, table, -1

    def fresh(self) -> LuaChildren:
        """Return this view with the present content of the table."""
        border = self.border
        if self.epoch != border.epoch:
            list.__setitem__(self, slice(None), border.stanzas.children(self.table))
            self.epoch = border.epoch
        return self

    def _write(self, children: Iterable[Any]) -> None:
        children = list(children)
        self.border.stanzas.write_children(self.table, children)
        list.__setitem__(self, slice(None), children)
        self.epoch = self.border.epoch

    # -- reading ---------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        return list.__getitem__(self.fresh(), index)

    def __iter__(self):
        return list.__iter__(self.fresh())

    def __reversed__(self):
        return list.__reversed__(self.fresh())

    def __len__(self) -> int:
        return list.__len__(self.fresh())

    def __contains__(self, item: object) -> bool:
        return list.__contains__(self.fresh(), item)

    def __eq__(self, other: object) -> bool:
        return list(self) == (list(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return list.__repr__(self.fresh())

    def __add__(self, other: list) -> list:
        return list(self) + list(other)

    def index(self, *args: Any) -> int:
        return list.index(self.fresh(), *args)

    def count(self, item: Any) -> int:
        return list.count(self.fresh(), item)

    def copy(self) -> list[Any]:
        return list(self)

    # -- writing ---------------------------------------------------------------------------

    def append(self, child: Any) -> None:
        self.border.stanzas.add_child(self.fresh().table, child)
        list.append(self, child)

    def _change(self, method: Any, *args: Any) -> Any:
        children = list(self)
        result = method(children, *args)
        self._write(children)
        return result

    def extend(self, children: Iterable[Any]) -> None:
        self._change(list.extend, list(children))

    def __iadd__(self, children: Iterable[Any]) -> LuaChildren:
        self.extend(children)
        return self

    def insert(self, index: int, child: Any) -> None:
        self._change(list.insert, index, child)

    def pop(self, index: int = -1) -> Any:
        return self._change(list.pop, index)

    def remove(self, child: Any) -> None:
        self._change(list.remove, child)

    def reverse(self) -> None:
        self._change(list.reverse)

    def sort(self, **how: Any) -> None:
        self._write(sorted(self, **how))

    def clear(self) -> None:
        self._write(())

    def __setitem__(self, index: Any, value: Any) -> None:
        self._change(list.__setitem__, index, list(value) if isinstance(index, slice) else value)

    def __delitem__(self, index: Any) -> None:
        self._change(list.__delitem__, index)
