"""Storage drivers that are written in Lua, as `module:provides("storage", driver)` offers them.

What a driver leaves out (a kind of store, a method) is built on what it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal
from weakref import WeakValueDictionary

from gevent.lock import RLock

from prosody_py.lua.references import LuaData
from prosody_py.lua.storage_archive import LuaArchive
from prosody_py.lua.storage_keyval import KeyvalMap, LuaKeyval, LuaKeyvalPlus, LuaMap
from prosody_py.lua.storage_table import LuaTable
from prosody_py.storage.interface import StorageError, UnsupportedStore

_UNSUPPORTED = (None, "unsupported-store", "unsupported-datastore")


class LuaStorageProvider:
    """The driver that a Lua module offers as a "storage-provider" item (interface.Storage)."""

    def __init__(self, item: LuaData, module_name: str, host: str):
        self.item, self.host = item, host
        self.name = item.get("name") or module_name.removeprefix("storage_")
        self._locks: WeakValueDictionary[Any, RLock] = WeakValueDictionary()
        self._driver = LuaTable(item, f"the storage driver {self.name!r}", self._locks)

    def lua_face(self, _border) -> Any:
        """Return the table that the module has made."""
        return self.item.raw

    def _open(self, store: str, kind: str) -> LuaTable | None:
        """Return what the driver has of a kind, None when it has no such."""
        result = self._driver.call("open", store, kind)
        if result[0] is None or result[0] is False:
            reason = self.item.border.to_python(result[1]) if len(result) > 1 else None
            if reason in _UNSUPPORTED:
                return None
            self._driver.check("open", result)
        table = self.item.border.to_python(result[0])
        if not isinstance(table, LuaData):
            raise StorageError("internal-server-error",
                               f"The storage driver {self.name!r} made no store")
        return LuaTable(table, f"the store {store!r} of {self.name!r}", self._locks)

    def open(self, host: str, store: str, kind: str = "keyval") -> Any:
        """Return a store; raises UnsupportedStore where the driver has none to build it on."""
        if kind == "archive":
            opened = self._open(store, kind)
            found = None if opened is None else LuaArchive(opened)
        elif kind == "map":
            found = self._map(store)
        elif kind == "keyval+":
            opened = self._open(store, kind) or self._open(store, "keyval")
            found = None
            if opened is not None:
                keys = LuaMap(opened, "_key") if opened.has("set_key") else self._map(store)
                found = None if keys is None else LuaKeyvalPlus(opened, keys)
        else:
            opened = self._open(store, kind)
            found = None if opened is None else LuaKeyval(opened)
        if found is None:
            raise UnsupportedStore(f"{self.name} has no stores of the kind '{kind}'")
        return found

    def _map(self, store: str) -> LuaMap | KeyvalMap | None:
        opened = self._open(store, "map")
        if opened is not None:
            return LuaMap(opened)
        opened = self._open(store, "keyval")
        return None if opened is None else KeyvalMap(LuaKeyval(opened))

    def stores(self, host: str, user: str | None | Literal[True] = True) -> Iterable[str]:
        """Return the names of the stores in which the user (True: anybody) has data."""
        result = self._driver.call("stores", user)
        self._driver.check("stores", result)
        return list(self._driver.names(result))

    def purge(self, host: str, user: str) -> None:
        """Delete what a user has in all stores of the host."""
        with self._driver.lock(user):
            result = self._driver.call("purge", user)
        # Some drivers answer nothing at all.
        self._driver.check("purge", result, nil_is_an_answer=result[0] is None)

    def close(self) -> None:
        """Do nothing: a driver in Lua ends with its module."""
