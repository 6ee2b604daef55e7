"""Stores in an SQLite file; a driver module wraps SQLiteStorage.

CPU of the whole process for one call, in microseconds (Python 3.11, SQLite 3.40, values of three
rows, archive items of 120 bytes, a virtual machine with an fsync of about 200 us):

    greenlets at the same time         1     100
    keyval get, cached                10       8     most of it is decoding
    keyval get, from the file         48      25
    keyval set                       175      38     one commit each; one for 100
    map set                          100      18
    archive append                   115      22
    archive find, 20 items           310     310     of which 110 to 200 for parsing them

A hub that is busy all the time answers later, not at a higher cost: an answer waits until the
hub looks for events, which it does after 50 callbacks at the latest.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any, Literal
from weakref import WeakValueDictionary, finalize

import gevent

from prosody_py.storage.cache import RowCache
from prosody_py.storage.engine import Engine
from prosody_py.storage.interface import UnsupportedStore
from prosody_py.storage.schema import LARGE
from prosody_py.storage.sqlite_archive import SQLiteArchive
from prosody_py.storage.sqlite_counted import Counting, begin_counting, find_places, number_of
from prosody_py.storage.sqlite_rows import SQLiteRows
from prosody_py.storage.sqlite_text import bind
from prosody_py.storage.sqlite_words import WordIndex, watch
from prosody_py.storage.views import VIEWS, owner

CACHE_BYTES = 16 * 1024 * 1024
MAX_NUMBERS = 20_000  # stores that are known without asking the file


class SQLiteStorage:
    """All stores of all hosts in one file (interface.Storage).

    Args:
        path: of the file, which is made if it does not exist; its directory must exist.
        durable: sync every commit; without it a power failure (not a crash of the server) may
            lose the last writes.
        archive_item_limit: items that a user may have in one archive, None for no limit.
        archive_trim: at that limit delete the oldest item instead of refusing the new one.
        cache_bytes: for rows of key-value stores.

    Raises: StorageError: the file cannot be opened, belongs to another program, or was written
        by a newer version of this one.
    """

    def __init__(self, path: str | os.PathLike, *, durable: bool = True,
                 archive_item_limit: int | None = None, archive_trim: bool = False,
                 cache_bytes: int = CACHE_BYTES):
        self._cache = RowCache(cache_bytes)
        self._archive_item_limit = archive_item_limit
        self._archive_trim = archive_trim
        self._numbers: dict[tuple[str, str], int] = {}
        self._made_up: WeakValueDictionary[tuple[str, str], Counting] = WeakValueDictionary()
        self._open = 0
        self._retired = False
        self.engine = Engine(os.fspath(path), durable=durable,
                             on_foreign_change=self._cache.clear, prepare=watch)
        self._words = WordIndex(self.engine)

    def open(self, host: str, store: str, kind: str = "keyval") -> Any:
        """Return a store; raises UnsupportedStore for an unknown kind."""
        if kind != "archive" and kind not in VIEWS:
            raise UnsupportedStore(f"SQLite has no stores of the kind '{kind}'")
        return self._opened(host, store, kind, self._number(host, store), None)

    def open_counted(self, host: str, store: str, kind: str, counter: str,
                     limit: Callable[[], int | None], made_up: bool = False) -> Any:
        """Return a store that is counted (interface.Storage.open_counted)."""
        if kind != "archive" and kind not in VIEWS:
            raise UnsupportedStore(f"SQLite has no stores of the kind '{kind}'")
        number, counts_to = self.engine.lookup(find_places, host, store, counter)
        if number is None and made_up:
            number = number_of(host, store)
        elif number is None:
            number, counts_to = self._number(host, store), None
        if counts_to is None:
            counts_to = self.engine.write(begin_counting, number, host, counter)
        counting = Counting(self.engine, (number, host, store), counts_to, limit)
        if number > LARGE:
            self._made_up[host, store] = counting
        return self._opened(host, store, kind, number, counting)

    def _opened(self, host: str, store: str, kind: str, number: int,
                counting: Counting | None) -> Any:
        if counting is None and number > LARGE:  # who has come to it by a way without counting
            counter = self.engine.lookup(find_places, host, store, "")[1]
            counting = Counting(self.engine, (number, host, store), counter, lambda: None)
        opened: Any
        if kind == "archive":
            opened = SQLiteArchive(self.engine, number, self._archive_item_limit,
                                   self._archive_trim, self._words, counting)
        else:
            opened = VIEWS[kind](SQLiteRows(self.engine, self._cache, number, counting))
        self._open += 1
        finalize(opened, self._forgotten).atexit = False
        return opened

    def _forgotten(self) -> None:
        self._open -= 1
        if self._retired and not self._open:
            gevent.spawn(self.close)

    def retire(self) -> None:
        """Close the file as soon as nobody has a store open."""
        self._retired = True
        if not self._open:
            self.close()

    def stores(self, host: str, user: str | None | Literal[True] = True) -> list[str]:
        """Return the names of the stores in which the user (True: anybody) has data."""
        name = None if user is True else bind(owner(user))
        return self.engine.scan(_list_stores, host, name)

    def purge(self, host: str, user: str) -> None:
        """Delete what a user has in all stores of the host."""
        for store in self.stores(host, user):
            self.open(host, store, "keyval").set(user, None)
            self.open(host, store, "archive").delete(user)

    def counters(self) -> dict[str, int]:
        """Return totals: writes, commits, reads, read_batches, cache_hits, cache_misses and the
        bytes in the cache now."""
        return {**self.engine.counters(), "cache_hits": self._cache.hits,
                "cache_misses": self._cache.misses, "cache_bytes": self._cache.size}

    def close(self) -> None:
        """Finish all writes and close the file; more calls raise StorageError."""
        self.engine.close()
        self._cache.clear()

    def _number(self, host: str, store: str) -> int:
        made_up = self._made_up.get((host, store))
        if made_up is not None:
            return made_up.number
        number = self._numbers.get((host, store))
        if number is None:
            number = self.engine.lookup(_find_store, host, store)
            if number is None:
                number = self.engine.write(_make_store, host, store)
            if number <= LARGE:  # others are not listed for ever
                self._numbers[host, store] = number
            if len(self._numbers) > MAX_NUMBERS:
                del self._numbers[next(iter(self._numbers))]
        return number


def _find_store(database: sqlite3.Connection, calls: list[tuple]) -> list[int | None]:
    found = [database.execute("SELECT id FROM store WHERE host = ? AND name = ?", call).fetchone()
             for call in calls]
    return [None if row is None else row[0] for row in found]


def _make_store(database: sqlite3.Connection, calls: list[tuple]) -> list[int | None]:
    for call in calls:
        database.execute("INSERT OR IGNORE INTO store (host, name) VALUES (?, ?)", call)
    return _find_store(database, calls)


def _list_stores(database: sqlite3.Connection, calls: list[tuple]) -> list[list[str]]:
    return [[name for (name,) in database.execute(
        "SELECT name FROM store WHERE host = ?1 AND ("
        "EXISTS (SELECT 1 FROM item WHERE store = store.id AND (?2 IS NULL OR user = ?2)) OR "
        "EXISTS (SELECT 1 FROM archive_size WHERE store = store.id AND "
        "(?2 IS NULL OR user = ?2))) ORDER BY name", call)] for call in calls]
