"""What Python knows of a stanza that Lua owns, and its attributes as a dict that writes through.

The view keeps what it knows as a plain dict beside it and reads again when Lua has run since.
Reading costs little more than with a plain dict then, and what is written goes to the table at
once.
"""

from __future__ import annotations

from typing import Any

from prosody_py.lua.children import LuaChildren
from prosody_py.lua.values import encode
from prosody_py.xmpp.stanza import Stanza

# The slots of the plain class, which keep the views.
attr_slot = Stanza.attr.__get__
children_slot = Stanza.children.__get__
name_slot = Stanza.name.__get__
set_attr_slot = Stanza.attr.__set__

_MISSING: Any = object()


class Face:
    """The table of one stanza, and since when Python knows what is in it.

    `name` is the element's name once it has been read from the table.

    Name and attributes are those of `epoch`. `as_made` says that nobody has changed the element
    as far as Python knows: Lua has kept the values from which it made the table, or a `parent`
    around it, and can tell whether that is true.
    """

    __slots__ = ("border", "table", "epoch", "as_made", "parent", "number", "name")

    def __init__(self, border, table: Any, epoch: int, as_made: bool = True,
                 parent: Face | None = None):
        self.border, self.table, self.epoch = border, table, epoch
        self.as_made, self.parent, self.name = as_made, parent, None

    def __getattr__(self, name: str) -> Any:
        # The table is fetched when it is needed while the first handler is still at work.
        table = self.border.take_table(self.number) if name == "table" else None
        if table is None:
            raise AttributeError(name)
        self.table = table
        return table

    def is_as_known(self) -> bool:
        """Whether the whole element still is what Python knew when Lua got it."""
        if not self.as_made:
            return False
        border = self.border
        if self.epoch != border.epoch:
            parent = self.parent
            if not (border.stanzas.unchanged(self.table) if parent is None
                    else parent.is_as_known()):
                self.as_made = False
                return False
            self.epoch = border.epoch
        return True

    def changed(self) -> None:
        """Note that Python has changed something in the element."""
        face: Face | None = self
        while face is not None:
            face.as_made = False
            face = face.parent

    def read_head(self, known: dict[str, str]) -> None:
        """Bring name and attributes up to date; `known` are the attributes as Python has them."""
        if self.is_as_known():
            return
        self.name, attr = self.border.stanzas.head(self.table)
        known.clear()
        known.update(attr)
        self.epoch = self.border.epoch

    def make_children(self, stanza: Stanza, known: list) -> LuaChildren:
        """Put the view of the children into a stanza; they get faces of their own."""
        children = LuaChildren(self)
        if self.is_as_known() and self.border.stanzas.give_faces(self, known):
            children.take(known)
        children_slot.__self__.__set__(stanza, children)
        return children


class LuaAttr(dict):
    """The attributes of one element; made by `LuaStanza.attr`.

    It is a dict for those who ask what it is; what it holds is in `known`, its own place is empty.
    """

    __slots__ = ("face", "known")

    def fresh(self) -> dict[str, str]:
        """Return the present content of the table."""
        face = self.face
        if face.epoch != face.border.epoch:
            face.read_head(self.known)
        return self.known

    # -- reading ---------------------------------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        face = self.face
        if face.epoch != face.border.epoch:
            self.fresh()
        return self.known.get(key, default)

    def __getitem__(self, key: str) -> str:
        return self.fresh()[key]

    def __contains__(self, key: object) -> bool:
        return key in self.fresh()

    def __iter__(self):
        return iter(self.fresh())

    def __reversed__(self):
        return reversed(self.fresh())

    def __len__(self) -> int:
        return len(self.fresh())

    def __eq__(self, other: object) -> bool:
        return self.fresh() == (other.fresh() if type(other) is LuaAttr else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return repr(self.fresh())

    def keys(self):
        return self.fresh().keys()

    def values(self):
        return self.fresh().values()

    def items(self):
        return self.fresh().items()

    def copy(self) -> dict[str, str]:
        return dict(self.fresh())

    def __or__(self, other: dict) -> dict:
        return self.copy() | other

    def __ror__(self, other: dict) -> dict:
        return other | self.copy()

    # -- writing ---------------------------------------------------------------------------

    def __setitem__(self, key: str, value: str | None) -> None:
        raw = None if value is None else encode(value)
        known, face = self.fresh(), self.face
        face.border.stanzas.set_attr(face.table, encode(key), raw)
        face.changed()
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value

    def __delitem__(self, key: str) -> None:
        del self.fresh()[key]
        face = self.face
        face.border.stanzas.set_attr(face.table, encode(key), None)
        face.changed()

    def replace(self, attr: dict[str, str]) -> None:
        """Make the attributes these and no others."""
        attr = dict(attr)
        flat = [encode(text) for pair in attr.items() for text in pair]
        known, face = self.fresh(), self.face
        face.border.stanzas.replace_attr(face.table, *flat)
        face.changed()
        known.clear()
        known.update(attr)

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
