"""SQL databases of Lua modules: SQLite files, whose calls run in a thread.

Whoever has begun a transaction goes on alone: `exclusive` keeps all others waiting until it is
over. A caller that is killed in the middle leaves a database without its half transaction.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gevent import get_hub
from gevent.lock import RLock

BUSY = 5.0  # seconds to wait for other processes
# What is quoted or a comment, or else a place for a value.
_MARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|(\?)",
                   re.DOTALL)
_WORD = re.compile(r"\s*([a-z]+)", re.IGNORECASE)
# Statements that no transaction is begun for.
_OUTSIDE = frozenset(("pragma", "vacuum", "attach", "detach", "begin", "commit", "end",
                      "rollback", "savepoint", "release", "explain"))
_READS = frozenset(("select", "values"))
_TYPES = (type(None), bool, int, float, bytes)


class DatabaseError(Exception):
    """What the database has answered instead of a result."""


@dataclass(frozen=True)
class Result:
    """What a statement has given: rows changed, the newest row id, names and rows."""

    affected: int
    last_id: int
    columns: list[str]
    rows: Sequence[Sequence[Any]]


def bind(value: Any) -> Any:
    """Return a Lua value as SQLite takes it: text where it is UTF-8 without NUL, else a blob."""
    if type(value) is bytes:
        if b"\0" in value:
            return value
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, _TYPES):
        return value
    raise DatabaseError("Error binding statement parameters: this type is not supported")


def first_word(sql: str) -> str:
    """Return the first word of a statement in lower case."""
    found = _WORD.match(sql)
    return found[1].lower() if found else ""


class Database:
    """One open SQLite file; calls may wait.

    Args:
        path: of the file, which is made if it does not exist, or ":memory:".

    Raises: DatabaseError.
    """

    def __init__(self, path: str):
        self._lock = RLock()
        self._at_work = threading.Lock()  # held by the thread that works
        self._abandoned = 0  # transactions whose caller was killed
        self._depth = 0
        self._autocommit = False
        self._connection: sqlite3.Connection | None = None
        self._connection = self._in_thread(lambda: sqlite3.connect(
            path, timeout=BUSY, isolation_level=None, check_same_thread=False))
        self._connection.text_factory = bytes
        try:
            self._run(lambda connection: connection.execute("PRAGMA schema_version").fetchall())
        except DatabaseError:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether `close` has not been called."""
        return self._connection is not None

    @staticmethod
    def _in_thread(work: Callable[..., Any], *args: Any) -> Any:
        try:
            return get_hub().threadpool.apply(work, args)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise DatabaseError(str(error)) from None
        except (OverflowError, UnicodeError, ValueError) as error:
            raise DatabaseError(f"this value cannot be kept: {error}") from None

    def _run(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        with self._lock:
            if self._connection is None:
                raise DatabaseError("Database not available")
            return self._in_thread(self._guarded, work, self._connection, self._abandoned)

    def _guarded(self, work: Callable[[sqlite3.Connection], Any],
                 connection: sqlite3.Connection, abandoned: int) -> Any:
        with self._at_work:
            if abandoned != self._abandoned:  # nobody waits for this any more
                raise DatabaseError("this transaction was given up")
            return work(connection)

    def prepare(self, sql: str) -> int:
        """Check a statement and return the number of its places for values."""
        count = sum(1 for found in _MARK.finditer(sql) if found[1])
        if first_word(sql) not in _OUTSIDE:
            nothing = (None,) * count
            self._run(lambda connection: connection.execute("EXPLAIN " + sql, nothing).close())
        elif not self.is_open:
            raise DatabaseError("Database not available")
        return count

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Result:
        """Run one statement; begins a transaction where none is open and each needs one."""
        bound = tuple(map(bind, values))
        word = first_word(sql)

        def work(connection: sqlite3.Connection) -> Result:
            # Asked here, where the lock is held: before that, the depth may be somebody else's.
            begin = word not in _OUTSIDE and (self._depth > 0 or not self._autocommit
                                              and word not in _READS)
            if begin and not connection.in_transaction:
                connection.execute("BEGIN")
            cursor = connection.execute(sql, bound)
            columns = [entry[0] for entry in cursor.description or ()]
            return Result(max(0, cursor.rowcount), cursor.lastrowid or 0, columns,
                          cursor.fetchall())

        return self._run(work)

    def set_autocommit(self, on: bool) -> None:
        """Commit after each statement; what was open is committed."""
        if on:
            self.commit()
        elif not self.is_open:
            raise DatabaseError("Database not available")
        self._autocommit = on

    def commit(self) -> None:
        """Make what was done last for good; raises DatabaseError."""
        self._run(lambda connection: connection.commit())

    def rollback(self) -> None:
        """Undo what was done since the last commit; raises DatabaseError."""
        self._run(lambda connection: connection.rollback())

    @contextmanager
    def exclusive(self) -> Iterator[int]:
        """Keep the database for this greenlet; gives how many of its calls are under way."""
        with self._lock:
            self._depth += 1
            try:
                yield self._depth
            except BaseException:
                self._give_up()
                raise
            finally:
                self._depth -= 1

    def _give_up(self) -> None:
        """Undo a transaction at once: its caller is being killed and cannot wait."""
        with self._at_work:
            self._abandoned += 1
            if self._connection is not None:
                self._connection.rollback()

    def close(self) -> None:
        """Close the file; what was not committed is undone."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                self._in_thread(connection.close)
