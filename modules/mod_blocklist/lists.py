"""The addresses that accounts have blocked: in the store, and as many as are needed in memory.

What is kept in memory is the lists of connected accounts, and of those others that were asked for
last. The store is "blocklist", in Prosody's format: under each blocked address when it was
blocked (seconds since 1970), and under False the times "created" and "modified" of the list.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gevent.lock import RLock

from prosody_py.api import jid
from prosody_py.storage.interface import REMOVE

NOTHING: frozenset[str] = frozenset()


def blocks(blocked: frozenset[str], address: str | None) -> bool:
    """Whether an address falls under a list (XEP-0191 section 5)."""
    if address in blocked:
        return True
    node, host, _resource = jid.split(address)
    return host in blocked or (node is not None and f"{node}@{host}" in blocked)


class Lists:
    """The lists of a host's accounts.

    Args:
        open_store: `module.open_store`.
        connected_users: a mapping that has the names of those who are connected.
        size: how many lists of others are kept in memory.
        migrate: whether who has no list gets one made of the default privacy list.
    """

    def __init__(self, open_store, connected_users: Mapping[str, Any], size: int, migrate: bool):
        self._whole, self._keys = open_store("blocklist"), open_store("blocklist", "map")
        self._privacy = open_store("privacy") if migrate else None
        self._connected_users, self._size = connected_users, size
        self._connected: dict[str, frozenset[str]] = {}
        self._recent: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._locks: dict[str, list[Any]] = {}

    def known(self, username: str) -> frozenset[str] | None:
        """Return a list if it is in memory, else None; never waits."""
        found = self._connected.get(username)
        return self._recent.get(username) if found is None else found

    def of(self, username: str) -> frozenset[str]:
        """Return what an account blocks. May wait for the store; raises StorageError."""
        found = self._connected.get(username)
        if found is not None:
            return found
        found = self._recent.get(username)
        if found is None:
            with self._lock(username):
                found = self.known(username)
                if found is None:
                    found = self._addresses(self._read(username))
        self._keep(username, found)
        return found

    def change(self, username: str, add: Iterable[str] = (), remove: Iterable[str] | None = (),
               most: int | None = None) -> tuple[frozenset[str], frozenset[str]] | None:
        """Store a change and then make it; `remove` of None takes everything away.

        Return what is blocked that was not, and what is not any more. None when there would be
        more than `most`, and then nothing has changed. Raises StorageError.
        """
        with self._lock(username):
            stored = self._read(username) or {}
            before = self._addresses(stored)
            gone = before if remove is None else before & frozenset(remove)
            added = frozenset(add) - before
            after = (before - gone) | added
            if most is not None and added and len(after) > most:
                return None
            if added or gone:
                now = int(time.time())
                times = stored.get(False)
                created = times.get("created", now) if isinstance(times, Mapping) else now
                self._keys.set_keys(username, {
                    False: {"created": created, "modified": now},
                    **dict.fromkeys(gone, REMOVE), **dict.fromkeys(added, now)})
            self._keep(username, after)
        return added, gone

    def forget(self, username: str) -> None:
        """Delete the list of an account that is gone."""
        with self._lock(username):
            self._whole.set(username, None)
            self._connected.pop(username, None)
            self._recent.pop(username, None)

    def disconnected(self, username: str) -> None:
        """Note that an account has no session any more."""
        found = self._connected.pop(username, None)
        if found is not None:
            self._keep(username, found)

    def _keep(self, username: str, found: frozenset[str]) -> None:
        if username in self._connected_users:
            self._connected[username] = found
            self._recent.pop(username, None)
            return
        self._recent[username] = found
        self._recent.move_to_end(username)
        if len(self._recent) > self._size:
            self._recent.popitem(last=False)

    @contextmanager
    def _lock(self, username: str) -> Iterator[None]:
        """Hold the account: what is read must not be kept after somebody has written."""
        entry = self._locks.setdefault(username, [RLock(), 0])
        entry[1] += 1
        try:
            with entry[0]:
                yield
        finally:
            entry[1] -= 1
            if not entry[1]:
                del self._locks[username]

    def _read(self, username: str) -> Mapping[Any, Any] | None:
        stored = self._whole.get(username)
        if isinstance(stored, Mapping):
            return stored
        denied = denied_by_default(self._privacy.get(username)) if self._privacy else ()
        if not denied:
            return None
        now = int(time.time())
        stored = {False: {"created": now, "modified": now, "migrated": "privacy"},
                  **dict.fromkeys(denied, now)}
        self._whole.set(username, stored)
        return stored

    @staticmethod
    def _addresses(stored: Mapping[Any, Any] | None) -> frozenset[str]:
        return frozenset(key for key in stored if isinstance(key, str)) if stored else NOTHING


def denied_by_default(privacy: Any) -> list[str]:
    """Return the addresses that a stored default privacy list (XEP-0016) denies altogether."""
    try:
        items = privacy["lists"][privacy["default"]]["items"]
    except (TypeError, KeyError):
        return []
    kinds = ("message", "iq", "presence-in", "presence-out")
    found = []
    for item in items.values() if isinstance(items, Mapping) else items or ():
        if (isinstance(item, Mapping) and item.get("type") == "jid"
                and item.get("action") == "deny" and not any(item.get(kind) for kind in kinds)):
            address = jid.prep(str(item.get("value") or ""))
            if address:
                found.append(address)
    return found
