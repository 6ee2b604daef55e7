"""Shared tables that hold nothing alive: those of `module.shared` whose name ends with "-cache"."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary


class SharedCache(WeakValueDictionary):
    """A table whose entries go when nobody else holds their values.

    What lives is for each language to say, so the entries of Lua are in a weak table of Lua's,
    and only Lua modules see them.
    """

    _lua: Any = None

    def lua_face(self, border) -> Any:
        """Return Lua's table."""
        if self._lua is None:
            self._lua = border.weak_table()
        return self._lua.raw
