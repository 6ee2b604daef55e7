"""Open stores: which driver a store of a host belongs to.

The option `storage` names the driver, for all stores or as a mapping of store to driver, with
`default_storage` for the rest. A driver is a module `storage_<name>` that offers itself as a
"storage-provider": an object with `name` and `open(host, store, kind)`. It is loaded when it is
first needed.
"""

from __future__ import annotations

from typing import Any

from prosody_py.events.bus import Event
from prosody_py.storage.interface import StorageError, UnsupportedStore

DEFAULT_DRIVER = "sqlite"


class Storage:
    """Opens the stores of one server's hosts."""

    def __init__(self, server):
        self.server = server
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
        modules = self.server.modules
        for attempt in (1, 2):
            for provider in modules.get_items("storage-provider", host):
                if provider.name == name:
                    return provider
            if attempt == 1:
                try:
                    modules.load(host, "storage_" + name)
                except Exception as error:
                    raise StorageError("internal-server-error", f"The storage driver {name!r} "
                                       f"of {host} cannot be used: {error}") from error
        raise StorageError("internal-server-error",
                           f"mod_storage_{name} offers no storage driver {name!r}")

    def open(self, host: str, store: str, kind: str = "keyval") -> Any:
        """Return a store; raises StorageError, or UnsupportedStore if the driver has no such.

        `store-opened` lets modules replace the store: field `store` of the event.
        """
        if host == "*":
            raise StorageError("global-storage-not-supported",
                               "A global module has no stores; use module.context(host)")
        if host not in self.server.hosts:
            raise UnsupportedStore(f"{host} is not a host of this server")
        found = self.driver(host, self.driver_name(host, store)).open(host, store, kind)
        events = self.server.hosts[host].events
        if "store-opened" in events.index:
            event = Event(host=host, store_name=store, store_type=kind, store=found)
            events.fire_event("store-opened", event)
            found = event.store
        return found
