"""The children of a stanza that Lua owns, as a list that writes through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class LuaChildren(list):
    """The children of one element."""

    __slots__ = ("face", "epoch")

    def __init__(self, face):
        self.face, self.epoch = face, -1

    def take(self, known: list) -> None:
        """Begin with children that are known to be those of the table."""
        list.__setitem__(self, slice(None), known)
        self.epoch = self.face.border.epoch

    def fresh(self) -> LuaChildren:
        """Return this view with the present content of the table."""
        face = self.face
        border = face.border
        if self.epoch != border.epoch:
            if self.epoch < 0 or not face.is_as_known():
                list.__setitem__(self, slice(None), border.stanzas.children(face.table))
            self.epoch = border.epoch
        return self

    def _write(self, children: Iterable[Any]) -> None:
        children = list(children)
        face = self.face
        face.border.stanzas.write_children(face.table, children)
        face.changed()
        self.take(children)

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
        face = self.fresh().face
        face.border.stanzas.add_child(face.table, child)
        face.changed()
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
