"""How many bytes a user has in some stores together, and that it is not more than may be.

Data and owner: the table `store` says which counter a store adds to, `counted` has the sum for each
counter and user. Triggers (schema.py) keep the sums in the transactions that change the data, so
they are right whoever writes and whatever ends the process, and nothing is ever added up but once:
what a store has when it is first given a counter. A row counts with its key, its value and what it
costs beside them.

A write through a handle with a limit is undone, alone, if the sum has grown and is more than that
(`CountedTooMuch`). So who has too much, since the limit was lowered say, can still delete, and
replace something with less.

A store whose name users make up, by naming nodes, has a number that follows from its name, and is
listed while it has items. One that is listed already keeps the number that it has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from prosody_py.storage.engine import Engine
from prosody_py.storage.interface import CountedTooMuch, StorageError
from prosody_py.storage.schema import LARGE
from prosody_py.storage.sqlite_text import bind
from prosody_py.storage.views import owner

Limit = Callable[[], int | None]
_BYTES = "sum(100 + length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)))"
_ADD_UP = "INSERT INTO counted SELECT ?, user, " + _BYTES + """ FROM {} WHERE store = ?
GROUP BY user ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes"""
_UNLIST = """DELETE FROM store WHERE id = ?1
AND NOT EXISTS (SELECT 1 FROM archive_size WHERE store = ?1)
AND NOT EXISTS (SELECT 1 FROM item WHERE store = ?1)"""
_USED = "SELECT bytes FROM counted WHERE counter = ? AND user = ?"


def number_of(host: str, store: str) -> int:
    """Return the number of a store that users may have named."""
    digest = blake2b(f"{host}\0{store}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return LARGE + 1 + int.from_bytes(digest, "big") % (2 ** 62)


class Counting:
    """What a handle of a store adds to its writes.

    Args:
        engine: of the file.
        place: number, host and name of the store.
        counter: its number; None for who has come to a store that users have named by other ways.
        limit: returns the bytes that a user may have in all stores of the counter, None for any.
    """

    __slots__ = ("_engine", "_place", "_counter", "_limit", "__weakref__")

    def __init__(self, engine: Engine, place: tuple[int, str, str], counter: int | None,
                 limit: Limit):
        self._engine, self._place, self._counter, self._limit = engine, place, counter, limit

    @property
    def number(self) -> int:
        """The store's number."""
        return self._place[0]

    def operation(self, user: str | bytes, operation: tuple) -> tuple:
        """Return an operation of `write`, for one user (as it is bound), that keeps to the limit.

        Args:
            operation: the function with its arguments.
        """
        return write_counted, self._place, self._counter, self._limit(), user, operation

    def used(self, user: str | None) -> int:
        """Return the bytes that a user has in all stores of the counter."""
        return self._engine.lookup(read_used, self._counter, bind(owner(user)))


def read_used(database: sqlite3.Connection, calls: list[tuple]) -> list[int]:
    """Return the sum of each (counter, user)."""
    return [_used(database, *call) for call in calls]


def _used(database: sqlite3.Connection, counter: int | None, user: str | bytes) -> int:
    found = database.execute(_USED, (counter, user)).fetchone()
    return 0 if found is None else found[0]


def find_places(database: sqlite3.Connection, calls: list[tuple]) -> list[tuple]:
    """Return (number or None, number of the counter or None) of each (host, store, counter's name).

    The counter is that of the store, or for a store that is not listed, of this name.
    """
    results = []
    for host, store, name in calls:
        found = database.execute("SELECT id, counter FROM store WHERE host = ? AND name = ?",
                                 (host, store)).fetchone()
        if found is None:
            known = database.execute("SELECT id FROM counter WHERE host = ? AND name = ?",
                                     (host, name)).fetchone()
            found = None, None if known is None else known[0]
        results.append(found)
    return results


def begin_counting(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """Let each (store, host, name of the counter) be counted; return the counter's number.

    What is in the store already is added up.
    """
    results: list[Any] = []
    for store, host, name in calls:
        database.execute("INSERT OR IGNORE INTO counter (host, name) VALUES (?, ?)", (host, name))
        wanted = database.execute("SELECT id FROM counter WHERE host = ? AND name = ?",
                                  (host, name)).fetchone()[0]
        results.append(wanted)
        if database.execute("UPDATE store SET counter = ? WHERE id = ? AND counter IS NULL",
                            (wanted, store)).rowcount:
            for table in ("item", "archive"):
                database.execute(_ADD_UP.format(table), (wanted, store))
    return results


def write_counted(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """Do each ((store, host, name), counter, limit, user, (operation, *arguments))."""
    return [_write(database, *call) for call in calls]


def _write(database: sqlite3.Connection, place: tuple[int, str, str], counter: int | None,
           limit: int | None, user: str | bytes, operation: tuple) -> Any:
    database.execute("SAVEPOINT counted")
    listed = place[0] > LARGE and _list(database, place, counter)
    before = _used(database, counter, user)
    result = operation[0](database, [operation[1:]])[0]
    after = _used(database, counter, user)
    if limit is not None and after > limit and after > before:
        database.execute("ROLLBACK TO counted")
        result = CountedTooMuch(f"An account may store {limit} bytes, and this would make it "
                                f"{after}")
    elif listed:  # perhaps there was nothing to write
        database.execute(_UNLIST, place[:1])
    database.execute("RELEASE counted")
    return result


def _list(database: sqlite3.Connection, place: tuple[int, str, str], counter: int | None) -> bool:
    """List a store unless it is; return whether it was not."""
    if database.execute("INSERT OR IGNORE INTO store (id, host, name, counter) "
                        "VALUES (?, ?, ?, ?)", (*place, counter)).rowcount:
        return True
    if database.execute("SELECT host, name FROM store WHERE id = ?",
                        place[:1]).fetchone() != place[1:]:
        raise StorageError("internal-server-error", "Two stores have come to the same number")
    return False
