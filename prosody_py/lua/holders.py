"""Objects of Python that hold values of Lua's, and when they have to let go of them.

A session that holds a Lua function which knows the session is a circle through both languages,
which neither collector can see. So the values are taken from a session some time after it has
ended. Until then a handler that still has it may use them.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from prosody_py.lua.references import LuaReference
from prosody_py.xmpp.stanza import Stanza

_EVERY = 200  # new holders between two looks at all of them


class Holders:
    """The objects of one runtime that hold something of Lua's."""

    def __init__(self) -> None:
        self._holders: WeakSet[Any] = WeakSet()
        self._ended: WeakSet[Any] = WeakSet()  # what had ended at the last look
        self._new = 0

    def add(self, obj: Any) -> None:
        """Note an object into which Lua has written something of its own."""
        try:
            known = obj in self._holders
            self._holders.add(obj)
        except TypeError:  # neither hashable nor weakly referable: plain data
            return
        if not known:
            self._new += 1
            if self._new >= _EVERY:
                self.look()

    def look(self) -> None:
        """Take Lua's values from what had ended at the last look already."""
        self._new = 0
        for obj in list(self._holders):
            if not getattr(obj, "destroyed", False):
                continue
            if obj in self._ended:
                release(obj)
                self._holders.discard(obj)
                self._ended.discard(obj)
            else:
                self._ended.add(obj)


def release(obj: Any) -> None:
    """Take what is Lua's from an object."""
    fields = getattr(obj, "__dict__", None)
    if fields is None:
        fields = getattr(obj, "extras", {})
    for name, value in list(fields.items()):
        if isinstance(value, LuaReference) or (
                isinstance(value, Stanza) and value.lua is not None):
            del fields[name]
