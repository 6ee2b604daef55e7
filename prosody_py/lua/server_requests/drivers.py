"""Requests: storage drivers by name, and all stores of a user (core.storagemanager)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from prosody_py.lua.storage_provider import LuaStorageProvider
from prosody_py.lua.stores import LuaStore
from prosody_py.storage.interface import StorageError


def _named_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Answer a StorageError with nil and its condition; arguments arrive as Python values."""

    @wraps(function)
    def request(border, server, *raw: Any) -> Any:
        try:
            return function(border, server, *map(border.to_python, raw))
        except StorageError as error:
            return None, border.to_lua(getattr(error, "reason", error.condition))

    return request


@_named_errors
def load_driver(_border, server, host: str, name: str) -> Any:
    """Return the table of a driver in Lua, true for one in Python."""
    driver = server.storage.driver(host, name)
    return driver.item.raw if isinstance(driver, LuaStorageProvider) else True


@_named_errors
def open_with_driver(border, server, host: str, name: str, store: str, kind: Any = None) -> Any:
    kind = kind or "keyval"
    opened = server.storage.driver(host, name).open(host, store, kind)
    return border.store_to_lua(LuaStore(border, opened, kind))


@_named_errors
def stores_of_driver(border, server, host: str, name: str, user: Any = None) -> Any:
    return border.copy_to_lua(sorted(server.storage.driver(host, name).stores(host, user)))


@_named_errors
def stores_of(border, server, host: str, user: Any = None) -> Any:
    storage = server.storage
    found = {store for name in storage.driver_names(host)
             for store in storage.driver(host, name).stores(host, user)}
    return border.copy_to_lua(sorted(found))


@_named_errors
def purge_driver(_border, server, host: str, name: str, user: str) -> bool:
    server.storage.driver(host, name).purge(host, user)
    return True


@_named_errors
def purge_stores(_border, server, host: str, user: str) -> bool:
    server.storage.purge(host, user)
    return True


REQUESTS: dict[str, Callable[..., Any]] = {
    "load_driver": load_driver, "open_with_driver": open_with_driver,
    "stores_of_driver": stores_of_driver, "stores_of": stores_of,
    "purge_driver": purge_driver, "purge_stores": purge_stores,
}
