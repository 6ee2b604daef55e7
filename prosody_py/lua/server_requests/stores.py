"""Requests: stores (core.storagemanager, util.datamanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent.lock import RLock

from prosody_py.lua.stores import LuaStore
from prosody_py.storage.interface import REMOVE, StorageError


def store_call(_border, _server, store: Any, name: bytes, *raw: Any) -> Any:
    return store.call(name, *raw)


def store_caps(_border, _server, store: Any) -> Any:
    return store.caps()


def remove_mark(_border, _server) -> Any:
    return REMOVE


def open_store(border, server, raw_host: Any, raw_store: Any, raw_kind: Any = None) -> Any:
    """Return a store of any host, or nil and why there is none."""
    kind = border.to_python(raw_kind) or "keyval"
    try:
        store = server.storage.open(border.to_python(raw_host), border.to_python(raw_store), kind)
    except StorageError as error:
        return None, border.to_lua(error.condition)
    return border.store_to_lua(LuaStore(border, store, kind))


def driver_name(border, server, host: Any, store: Any) -> Any:
    """Return the name of the driver that the configuration gives a store."""
    return border.to_lua(server.storage.driver_name(border.to_python(host),
                                                    border.to_python(store)))


def append_to_list(border, server, raw_user: Any, raw_host: Any, raw_store: Any,
                   raw_item: Any) -> Any:
    """Add one entry to the list that a user has in a store."""
    user, host = border.to_python(raw_user), border.to_python(raw_host)
    lock = server.extras.setdefault("lists_of_lua", RLock())
    try:
        with lock:
            store = server.storage.open(host, border.to_python(raw_store), "keyval")
            entries = store.get(user)
            entries = entries if isinstance(entries, list) else []
            entries.append(border.copy_to_python(raw_item))
            store.set(user, entries)
    except StorageError as error:
        return None, border.to_lua(error.condition)
    except ValueError as error:  # data that cannot be stored
        return None, border.to_lua(str(error))
    return True


PLAIN: dict[str, Callable[..., Any]] = {
    "remove_mark": remove_mark, "driver_name": driver_name, "store_caps": store_caps,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "store_call": store_call, "open_store": open_store, "append_to_list": append_to_list,
}
