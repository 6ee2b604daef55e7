"""The tables of `module.shared`, known by their paths; each lives while a module holds it."""

from __future__ import annotations

from weakref import WeakValueDictionary

from prosody_py.api.module import Module
from prosody_py.loader.shared_cache import SharedCache


class SharedTable(dict):
    """A table of `module.shared`, known by reference; it lives while a module holds it."""

    __slots__ = ("__weakref__", "lua")

    def __hash__(self) -> int:
        return id(self)


class SharedTables:
    """`shared_table`, mixed into prosody_py.loader.lifecycle.Modules."""

    _shared: WeakValueDictionary[str, SharedTable | SharedCache]

    def shared_table(self, module: Module, path: str) -> SharedTable | SharedCache:
        """Serve `module.shared`: the table of an absolute path, made when it is missing."""
        table = self._shared.get(path)
        if table is None:
            table = SharedCache() if path.endswith("-cache") else SharedTable()
            self._shared[path] = table
        held = module.__dict__.setdefault("shared_tables", {})
        held[path] = table
        return table


def keep_tables(old: Module, new: Module) -> None:
    """Let a new instance hold the tables of the old one, also those it asks for later."""
    held = new.__dict__.setdefault("shared_tables", {})
    for path, table in old.__dict__.get("shared_tables", {}).items():
        held.setdefault(path, table)
