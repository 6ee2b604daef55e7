"""The services of accounts: made when somebody wants one, forgotten when nobody has for a while.

All who deal with an account's service get the same object for as long as anybody holds it. The
ones that were wanted last are held here (`pep_service_cache_size`); of others that were looked at
it is remembered whether they have no nodes at all, which costs a name each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from gevent.lock import RLock

from prosody_py.api.registrations import ItemEntry
from prosody_py.pubsub.service import Service

EMPTY_FOR_EACH = 16  # accounts known to have no nodes, for each service that is held


class Services:
    """The services of a host's accounts.

    Args:
        module: the module, which offers each service that is held as an item "pep-service".
        make: `make(username, stored nodes)` returns a new service.
        read: `read(username)` returns the stored nodes.
        size: how many are held.
    """

    def __init__(self, module, make: Callable[[str, Any], Service],
                 read: Callable[[str], Any], size: int):
        self._module, self._make, self._read, self._size = module, make, read, size
        self._live: WeakValueDictionary[str, Service] = WeakValueDictionary()
        self._held: OrderedDict[str, tuple[Service, Any]] = OrderedDict()
        self._empty: OrderedDict[str, None] = OrderedDict()
        self._loading: dict[str, RLock] = {}

    def get(self, username: str) -> Service:
        """Return the service of an account, with or without nodes; may wait for the store."""
        held = self._held.get(username)
        if held is not None:
            self._held.move_to_end(username)
            return held[0]
        return self._load(username, True)

    def with_nodes(self, username: str) -> Service | None:
        """Return the service of an account if it has nodes; may wait for the store."""
        held = self._held.get(username)
        if held is not None:
            self._held.move_to_end(username)
            return held[0] if held[0].nodes else None
        if username in self._empty:
            self._empty.move_to_end(username)
            return None
        return self._load(username, False)

    def look(self, username: str) -> Service:
        """Return a service to be asked by somebody else; nothing is kept of one without nodes."""
        return self.with_nodes(username) or self._make(username, None)

    def _load(self, username: str, wanted: bool) -> Service | None:
        lock = self._loading.setdefault(username, RLock())
        try:
            with lock:
                found = self._live.get(username)
                if found is None:
                    stored = None if username in self._empty else self._read(username)
                    if not stored and not wanted:
                        self._note_empty(username)
                        return None
                    found = self._live[username] = self._make(username, stored)
                    self._empty.pop(username, None)
        finally:
            self._loading.pop(username, None)
        if username not in self._held:
            self._hold(username, found)
        return found if wanted or found.nodes else None

    def _note_empty(self, username: str) -> None:
        self._empty[username] = None
        if len(self._empty) > self._size * EMPTY_FOR_EACH:
            self._empty.popitem(last=False)

    def _hold(self, username: str, service: Service) -> None:
        module = self._module
        item = {"service": service, "jid": service.setup.jid}
        entry = module.registrations.add(ItemEntry(module, module.events, "pep-service", item))
        self._held[username] = service, entry
        while len(self._held) > self._size:
            self._let_go(next(iter(self._held)))

    def _let_go(self, username: str) -> None:
        service, entry = self._held.pop(username)
        self._module.registrations.remove(entry)
        if not service.nodes:
            self._note_empty(username)

    def at_hand(self) -> list[Service]:
        """Return the services that are in memory."""
        return list(self._live.values())

    def forget(self, username: str) -> None:
        """Know nothing of an account any longer (it is gone)."""
        if username in self._held:
            self._let_go(username)
        self._live.pop(username, None)
        self._empty.pop(username, None)
