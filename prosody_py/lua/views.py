"""What Python knows of a stanza that Lua owns, and its attributes as a dict that writes through.

The view keeps what it knows as a plain dict beside it and reads again when Lua has run since.
Reading costs little more than with a plain dict then, and what is written goes to the table at
once.
"""

from __future__ import annotations

from typing import Any

from prosody_py.lua.values import encode

_MISSING: Any = object()


class Face(dict):
    """The table of one stanza, and since when Python knows what is in it.

    It is what `LuaStanza.attr` gives, too: one object less for each stanza. It is a dict for those
    who ask what it is; what it holds is in `known`, its own place is empty. `name` is the
    element's name once it has been read from the table.

    Name and attributes are those of `epoch`. `as_made` says that nobody has changed the element
    as far as Python knows: Lua has kept the values from which it made the table, or a `parent`
    around it, and can tell whether that is true.
    """

    __slots__ = ("border", "taken", "epoch", "as_made", "parent", "number", "name", "known")

    # Not `__getattr__`: with that each attribute that is there would cost more, too.
    @property
    def table(self) -> Any:
        """The Lua table; fetched when it is needed while the first handler is still at work."""
        table = self.taken
        if table is None:
            table = self.taken = self.border.take_table(self.number)
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

    def fresh(self) -> dict[str, str]:
        """Return the attributes that the table has now; brings the name up to date, too."""
        known = self.known
        if self.epoch != self.border.epoch and not self.is_as_known():
            self.name, attr = self.border.stanzas.head(self.table)
            known.clear()
            known.update(attr)
            self.epoch = self.border.epoch
        return known

    # -- reading ---------------------------------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        if self.epoch != self.border.epoch:
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
        return self.fresh() == (other.fresh() if type(other) is Face else other)

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
        known = self.fresh()
        self.border.stanzas.set_attr(self.table, encode(key), raw)
        self.changed()
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value

    def __delitem__(self, key: str) -> None:
        del self.fresh()[key]
        self.border.stanzas.set_attr(self.table, encode(key), None)
        self.changed()

    def replace(self, attr: dict[str, str]) -> None:
        """Make the attributes these and no others."""
        attr = dict(attr)
        flat = [encode(text) for pair in attr.items() for text in pair]
        known = self.fresh()
        self.border.stanzas.replace_attr(self.table, *flat)
        self.changed()
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

    def __ior__(self, other: Any) -> Face:
        self.update(other)
        return self

    def clear(self) -> None:
        self.replace({})


def new_face(border, table: Any, epoch: int, known: dict[str, str], as_made: bool = True,
             parent: Face | None = None) -> Face:
    """Return the Face of a table; `known` are its attributes as Python knows them."""
    face = Face()
    face.border, face.taken, face.epoch, face.known = border, table, epoch, known
    face.as_made, face.parent, face.name = as_made, parent, None
    return face
