"""Stores in memory, gone when the process ends: for hosts without lasting data, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from prosody_py.storage.interface import REMOVE, Key, StorageError, UnsupportedStore
from prosody_py.storage.memory_archive import MemoryArchive
from prosody_py.storage.memory_counted import Tally, cost
from prosody_py.storage.values import (
    REST,
    change_rest,
    decode,
    has_own_row,
    holds_keys,
    rest_item,
    rows_of,
    split_changes,
    value_of_whole,
    whole_text,
)
from prosody_py.storage.views import VIEWS, owner


class MemoryRows:
    """The rows of one store as text (views.Rows); so every reader gets an object of its own."""

    def __init__(self, storage: MemoryStorage):
        self._storage = storage
        self._rows: dict[str, dict[str, str]] = {}
        self.tally: Tally | None = None

    def whole(self, user: str) -> Any:
        """Return all of a user's data, a new object."""
        self._storage.check_open()
        return value_of_whole(whole_text(self._rows.get(user, {})))

    def item(self, user: str, key: Key) -> Any:
        """Return what is under one key."""
        self._storage.check_open()
        rows = self._rows.get(user, {})
        if not has_own_row(key):
            return rest_item(rows.get(REST), key)
        text = rows.get(key)
        return None if text is None else decode(text)

    def replace(self, user: str, value: Any) -> None:
        """Replace all of a user's data."""
        self._storage.check_open()
        self._keep(user, rows_of(value))

    def change(self, user: str, changes: Mapping[Key, Any]) -> None:
        """Replace or delete single keys."""
        self._storage.check_open()
        texts, rest = split_changes(changes)
        rows = dict(self._rows.get(user, {}))
        if any(text is not None for text in texts.values()) and not holds_keys(
                rows.get(REST, "{")):
            del rows[REST]
        for key, text in texts.items():
            _put(rows, key, text)
        if rest:
            _put(rows, REST, change_rest(rows.get(REST), rest))
        self._keep(user, rows)

    def users(self) -> Iterator[str]:
        """Iterate over the users that have data."""
        self._storage.check_open()
        return iter([user for user in self._rows if user])

    def items(self) -> Iterator[tuple[str, Any]]:
        """Iterate over (user, all data)."""
        return ((user, self.whole(user)) for user in self.users())

    def items_of(self, key: Key) -> Iterator[tuple[str, Any]]:
        """Iterate over (user, what is under the key)."""
        pairs = ((user, self.item(user, key)) for user in self.users())
        return (pair for pair in pairs if pair[1] is not None)

    def remove_from_all(self, key: Key) -> None:
        """Delete one key of all users."""
        for user in self.users():
            self.change(user, {key: REMOVE})

    def has(self, user: str) -> bool:
        """Tell whether a user has data."""
        return user in self._rows

    def names(self) -> list[str]:
        """Return all who have data, with the host as ""."""
        return list(self._rows)

    def count_in(self, tally: Tally) -> None:
        """Let what is here be counted."""
        if self.tally is None:
            self.tally = tally
            for user, rows in self._rows.items():
                tally.add(user, _cost(rows))

    def counted(self, user: str) -> int:
        """Return the bytes that are counted for a user."""
        return 0 if self.tally is None else self.tally.of(user)

    def _keep(self, user: str, rows: dict[str, str]) -> None:
        if self.tally is not None:
            self.tally.change(user, _cost(rows) - _cost(self._rows.get(user, {})))
        if rows:
            self._rows[user] = rows
        else:
            self._rows.pop(user, None)


class MemoryStorage:
    """All stores of all hosts in this process (interface.Storage).

    Args:
        archive_item_limit: items that a user may have in one archive, None for no limit.
        archive_trim: at that limit delete the oldest item instead of refusing the new one.
    """

    def __init__(self, *, archive_item_limit: int | None = None, archive_trim: bool = False):
        self._archive_item_limit = archive_item_limit
        self._archive_trim = archive_trim
        self._rows: dict[tuple[str, str], MemoryRows] = {}
        self._archives: dict[tuple[str, str], MemoryArchive] = {}
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._closed = False

    def open(self, host: str, store: str, kind: str = "keyval") -> Any:
        """Return a store; raises UnsupportedStore for an unknown kind."""
        self.check_open()
        name = (host, store)
        if kind == "archive":
            if name not in self._archives:
                self._archives[name] = MemoryArchive(self.check_open, self._archive_item_limit,
                                                     self._archive_trim)
            return self._archives[name]
        if kind not in VIEWS:
            raise UnsupportedStore(f"memory has no stores of the kind '{kind}'")
        if name not in self._rows:
            self._rows[name] = MemoryRows(self)
        return VIEWS[kind](self._rows[name])

    def open_counted(self, host: str, store: str, kind: str, counter: str,
                     limit: Callable[[], int | None], made_up: bool = False) -> Any:
        """Return a store that is counted, and so is whatever is open of it."""
        opened = self.open(host, store, kind)
        tally = self._tallies.setdefault((host, counter), Tally(limit))
        tally.limit = limit
        (opened if kind == "archive" else self._rows[host, store]).count_in(tally)
        return opened

    def stores(self, host: str, user: str | None | Literal[True] = True) -> list[str]:
        """Return the names of the stores in which the user (True: anybody) has data."""
        self.check_open()
        found = set()
        for stores in (self._rows, self._archives):
            for (of_host, store), data in stores.items():
                if of_host == host and (data.names() if user is True
                                        else data.has(owner(user))):
                    found.add(store)
        return sorted(found)

    def purge(self, host: str, user: str) -> None:
        """Delete what a user has in all stores of the host."""
        for store in self.stores(host, user):
            self.open(host, store, "keyval").set(user, None)
            self.open(host, store, "archive").delete(user)

    def close(self) -> None:
        """Forget everything; more calls raise StorageError."""
        self._closed = True
        self._rows.clear()
        self._archives.clear()

    def check_open(self) -> None:
        """Raise StorageError if the storage is closed."""
        if self._closed:
            raise StorageError("internal-server-error", "the storage is closed")


def _cost(rows: Mapping[str, str]) -> int:
    return sum(cost(key, text) for key, text in rows.items())


def _put(rows: dict[str, str], key: str, text: str | None) -> None:
    if text is None:
        rows.pop(key, None)
    else:
        rows[key] = text
