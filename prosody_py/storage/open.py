"""Open stores: which driver a store of a host belongs to.

The option `storage` names the driver, for all stores or as a mapping of store to driver, with
`default_storage` for the rest. A driver is a module `storage_<name>` that offers itself as a
"storage-provider": an object with `name` and `open(host, store, kind)`. It is loaded when it is
first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gevent.lock import RLock

from prosody_py.config.schema import ACCOUNT_LIMIT
from prosody_py.events.bus import Event
from prosody_py.storage.interface import StorageError, UnsupportedStore

DEFAULT_DRIVER = "sqlite"


class Storage:
    """Opens the stores of one server's hosts."""

    def __init__(self, server):
        self.server = server
        self._loading = RLock()
        server.storage = self

    def driver_name(self, host: str, store: str) -> str:
        """Return the name of the driver that the configuration gives a store."""
        config = self.server.config
        chosen = config.get(host, "storage")
        if isinstance(chosen, dict):
            chosen = chosen.get(store)
        return chosen or config.get(host, "default_storage") or DEFAULT_DRIVER

    def driver(self, host: str, name: str) -> Any:
        """Return a driver of a host, loading its module; raises StorageError."""
        found = self._offered(host, name)
        if found is None:
            with self._loading:  # whoever needs it meanwhile waits, and finds it
                found = self._offered(host, name) or self._load(host, name)
        return found

    def _offered(self, host: str, name: str) -> Any:
        for provider in self.server.modules.get_items("storage-provider", host):
            if provider.name == name:
                return provider
        return None

    def _load(self, host: str, name: str) -> Any:
        try:
            self.server.modules.load(host, "storage_" + name)
        except Exception as error:
            raise StorageError("internal-server-error", f"The storage driver {name!r} "
                               f"of {host} cannot be used: {error}") from error
        found = self._offered(host, name)
        if found is None:
            raise StorageError("internal-server-error",
                               f"mod_storage_{name} offers no storage driver {name!r}")
        return found

    def driver_names(self, host: str) -> list[str]:
        """Return the names of all drivers that the configuration gives to stores of a host."""
        config = self.server.config
        chosen = config.get(host, "storage")
        names = list(chosen.values()) if isinstance(chosen, dict) else [chosen]
        if isinstance(chosen, dict) or not chosen:
            names.append(config.get(host, "default_storage") or DEFAULT_DRIVER)
        return list(dict.fromkeys(name for name in names if name))

    def purge(self, host: str, user: str) -> None:
        """Delete what a user has in all stores of a host; raises StorageError."""
        for name in self.driver_names(host):
            self.driver(host, name).purge(host, user)

    def open(self, host: str, store: str, kind: str = "keyval") -> Any:
        """Return a store; raises StorageError, or UnsupportedStore if the driver has no such.

        `store-opened` lets modules replace the store: field `store` of the event.
        """
        return self._open(host, store, kind, lambda driver: driver.open(host, store, kind))

    def open_counted(self, host: str, store: str, kind: str = "keyval", counter: str = "account",
                     limit: Callable[[], int | None] | None = None,
                     made_up: bool = False) -> Any:
        """Return a store that is counted (interface.Storage.open_counted).

        Without a `limit` it is that of the option `storage_account_limit`. A store of a driver
        that does not count is returned as it is.
        """
        if limit is None:
            limit = partial(self.account_limit, host)

        def opened(driver: Any) -> Any:
            counting = getattr(driver, "open_counted", None)
            return (driver.open(host, store, kind) if counting is None
                    else counting(host, store, kind, counter, limit, made_up))
        return self._open(host, store, kind, opened)

    def account_limit(self, host: str) -> int:
        """Return the bytes that an account of a host may store as it likes."""
        return ACCOUNT_LIMIT.parse(self.server.config.get(host, "storage_account_limit")
                                   or ACCOUNT_LIMIT.default)

    def _open(self, host: str, store: str, kind: str, opened: Callable[[Any], Any]) -> Any:
        if host == "*":
            raise StorageError("global-storage-not-supported",
                               "A global module has no stores; use module.context(host)")
        if host not in self.server.hosts:
            raise UnsupportedStore(f"{host} is not a host of this server")
        found = opened(self.driver(host, self.driver_name(host, store)))
        events = self.server.hosts[host].events
        if "store-opened" in events.index:
            event = Event(host=host, store_name=store, store_type=kind, store=found)
            events.fire_event("store-opened", event)
            found = event.store
        return found
