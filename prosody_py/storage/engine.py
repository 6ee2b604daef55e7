"""SQLite for greenlets: one thread that writes, two that read, and group commit.

All writes that wait are one transaction; while it is being committed (an fsync) the next ones
gather. A write returns after that commit. If one fails, the transaction is done again with a
savepoint around each, so that only the culprit gets the error.

Readers: one for lookups that cost the same however much is stored, one for scans (all users,
counts, summaries), so that a long scan does not delay a login.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from itertools import groupby
from typing import Any

from gevent import get_hub

from prosody_py.storage.interface import StorageError
from prosody_py.storage.lane import Call, Lane
from prosody_py.storage.schema import migrate

MAX_WAITING = 1024
LOOK_EVERY = 1.0
_BUSY_TIMEOUT = 5.0  # seconds to wait for a lock that another process holds
_WAL_KEPT = 64 * 1024 * 1024  # bytes of the log kept on disk after a checkpoint
_CACHE = 8 * 1024  # KiB of pages for each connection

# What concerns the file as a whole: the neighbours in the transaction fail as well.
_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full. Free space on its file system and try again",
    sqlite3.SQLITE_IOERR: "reading or writing it failed. Look for disk errors in the system log",
    sqlite3.SQLITE_CORRUPT: "it is damaged. Stop the server and restore a backup, or recover "
                            "what can be read with 'sqlite3 FILE .recover'",
    sqlite3.SQLITE_NOTADB: "it is not an SQLite file. Name another path, or restore a backup",
    sqlite3.SQLITE_READONLY: "it cannot be written. Check the owner and mode of it and of its "
                             "directory",
    sqlite3.SQLITE_PERM: "it cannot be accessed. Check its owner and mode",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Check that its directory exists and belongs "
                             "to the server's user",
    sqlite3.SQLITE_BUSY: "another process keeps it locked. End that process or wait for it",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked. End that process or wait for it",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
}


class Engine:
    """An SQLite file and the threads that work on it; belongs to the hub it was made in.

    An operation is a function `(connection, [arguments, ...]) -> [result, ...]`. An exception
    among the results is raised in that caller alone, without undoing what the operation did.

    Args:
        path: of the file, which is made (mode 0600) if it does not exist.
        durable: sync each commit; without it a power failure loses the last writes.
        on_foreign_change: called on the hub after another process has written to the file.
        prepare: called in the writer's thread with its connection before the first operation.
    """

    def __init__(self, path: str, *, durable: bool = True,
                 on_foreign_change: Callable[[], None] = lambda: None,
                 prepare: Callable[[sqlite3.Connection], None] = lambda _database: None):
        self.path = path
        self.commits = 0
        self._durable = durable
        self._now = get_hub().loop.now
        self._look_due = 0.0
        self._data_version = 0
        self._foreign_change = False
        self._on_foreign_change = on_foreign_change
        self._prepare = prepare
        if sqlite3.sqlite_version_info < (3, 38):
            raise StorageError("internal-server-error", (
                f"SQLite {sqlite3.sqlite_version} is too old; 3.38 or newer is needed"))
        self._lanes: list[Lane] = []
        try:
            self._writer = self._lane("writer", self._open_writer, self._run_writes)
            self._lookups = self._lane("lookups", self._open_reader, self._run_reads)
            self._scans = self._lane("scans", self._open_reader, self._run_reads)
        except BaseException:
            self.close()
            raise

    def write(self, operation: Callable, *arguments: Any,
              done: Callable[[Call], None] | None = None) -> Any:
        """Run an operation that changes the file; returns when it is committed."""
        return self._writer.call(operation, arguments, self._then(done))

    def begin_write(self, operation: Callable, *arguments: Any) -> Call:
        """Begin an operation that changes the file; `finish_write` returns when it is committed.

        It is done after all that were begun or asked for before it.
        """
        return self._writer.begin(operation, arguments, self._then(None))

    def finish_write(self, call: Call) -> Any:
        """Return the result of an operation that was begun; raises StorageError."""
        return self._writer.finish(call)

    def lookup(self, operation: Callable, *arguments: Any) -> Any:
        """Run an operation that reads and is quick however much is stored."""
        return self._lookups.call(operation, arguments)

    def scan(self, operation: Callable, *arguments: Any) -> Any:
        """Run an operation that may read a lot."""
        return self._scans.call(operation, arguments)

    def look_for_foreign_changes(self) -> None:
        """Check soon whether another process wrote, at most once in LOOK_EVERY seconds.

        Every batch of writes checks as well.
        """
        now = self._now()
        if now < self._look_due:
            return
        self._look_due = now + LOOK_EVERY
        self._writer.post(_look, (), self._then(None))

    def counters(self) -> dict[str, int]:
        """Return totals: writes, commits, reads and the batches in which they were read."""
        readers = (self._lookups, self._scans)
        return {
            "writes": self._writer.calls,
            "commits": self.commits,
            "reads": sum(lane.calls for lane in readers),
            "read_batches": sum(lane.batches for lane in readers),
        }

    def close(self) -> None:
        """Finish all calls and close the file."""
        for lane in reversed(self._lanes):  # the writer last: the last one to close tidies up
            lane.close()

    def _lane(self, name: str, open_resource: Callable, run_batch: Callable) -> Lane:
        lane = Lane(f"storage-{name}", open_resource, run_batch, MAX_WAITING)
        self._lanes.append(lane)
        return lane

    def _then(self, done: Callable[[Call], None] | None) -> Callable[[Call], None]:
        def after(call: Call) -> None:
            if self._foreign_change:
                self._foreign_change = False
                self._on_foreign_change()
            if done is not None:
                done(call)
        return after

    # -- in the threads --------------------------------------------------------------------

    def _open_writer(self) -> sqlite3.Connection:
        try:
            _create(self.path)
            database = self._connect("rw")
            migrate(database, self.path)  # first: it must not change a file that is not ours
            if database.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise StorageError("internal-server-error",
                                   f"{self.path}: the file system does not support SQLite's WAL")
            self._data_version = _data_version(database)
            self._prepare(database)
        except (sqlite3.Error, OSError) as error:
            raise self._explain(error) from error
        return database

    def _open_reader(self) -> sqlite3.Connection:
        try:
            return self._connect("ro")
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _connect(self, mode: str) -> sqlite3.Connection:
        database = sqlite3.connect(f"file:{_uri_path(self.path)}?mode={mode}", uri=True,
                                   timeout=_BUSY_TIMEOUT, isolation_level=None,
                                   cached_statements=256)
        database.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        database.execute(f"PRAGMA cache_size = -{_CACHE}")
        database.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
        database.execute("PRAGMA temp_store = MEMORY")
        return database

    def _run_reads(self, database: sqlite3.Connection, calls: list[Call]) -> None:
        groups: dict[Callable, list[Call]] = {}
        for call in calls:
            groups.setdefault(call.operation, []).append(call)
        for operation, group in groups.items():
            try:
                _run(database, operation, group)
            except Exception:
                for call in group:
                    self._run_alone(database, call)

    def _run_alone(self, database: sqlite3.Connection, call: Call) -> None:
        try:
            _run(database, call.operation, [call])
        except Exception as error:
            call.error = self._explain(error)

    def _run_writes(self, database: sqlite3.Connection, calls: list[Call]) -> None:
        try:
            self._notice_foreign_change(database)
            if all(call.operation is _look for call in calls):
                return
            database.execute("BEGIN IMMEDIATE")
            for operation, group in groupby(calls, lambda call: call.operation):
                _run(database, operation, list(group))
            self._commit(database)
        except Exception as error:
            _roll_back(database)
            if len(calls) == 1 or _concerns_file(error):
                self._fail(calls, error)
            else:
                self._run_separately(database, calls)

    def _run_separately(self, database: sqlite3.Connection, calls: list[Call]) -> None:
        """Do a transaction again after one of its calls failed."""
        try:
            database.execute("BEGIN IMMEDIATE")
            for call in calls:
                call.error = call.result = None
                database.execute("SAVEPOINT one")
                try:
                    _run(database, call.operation, [call])
                except Exception as error:
                    if not database.in_transaction or _concerns_file(error):
                        raise
                    call.error = self._explain(error)
                    database.execute("ROLLBACK TO one")
                database.execute("RELEASE one")
            self._commit(database)
        except Exception as error:
            _roll_back(database)
            self._fail(calls, error)

    def _commit(self, database: sqlite3.Connection) -> None:
        database.execute("COMMIT")
        self.commits += 1

    def _fail(self, calls: list[Call], error: Exception) -> None:
        for call in calls:  # one exception each: they are raised in different greenlets
            call.error = self._explain(error)

    def _notice_foreign_change(self, database: sqlite3.Connection) -> None:
        # On this connection the number changes only when another one commits, and within this
        # process no other one writes.
        version = _data_version(database)
        if version != self._data_version:
            self._foreign_change = True
            self._data_version = version

    def _explain(self, error: Exception) -> StorageError:
        if isinstance(error, StorageError):
            return StorageError(error.condition, str(error))
        if isinstance(error, OSError):
            return StorageError("internal-server-error", f"{self.path}: {error.strerror}")
        advice = _ADVICE.get(_code(error))
        if advice is not None:
            return StorageError("internal-server-error", f"{self.path}: {advice} ({error}).")
        return StorageError("internal-server-error",
                            f"{self.path}: {type(error).__name__}: {error}")


def _look(_database: sqlite3.Connection, arguments: list[tuple]) -> list[None]:
    """Do nothing: looking for foreign changes is part of every batch of writes."""
    return [None] * len(arguments)


def _run(database: sqlite3.Connection, operation: Callable, calls: list[Call]) -> None:
    results = operation(database, [call.arguments for call in calls])
    for call, result in zip(calls, results, strict=True):
        if isinstance(result, Exception):
            call.error = result
        else:
            call.result = result


def _data_version(database: sqlite3.Connection) -> int:
    return database.execute("PRAGMA data_version").fetchone()[0]


def _roll_back(database: sqlite3.Connection) -> None:
    if database.in_transaction:
        try:
            database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite has rolled back by itself; the first error says what is wrong


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _concerns_file(error: Exception) -> bool:
    return _code(error) in _ADVICE


def _uri_path(path: str) -> str:
    return os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _create(path: str) -> None:
    """Make the file if it is not there, for its owner only, and sync its directory entry."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    directory = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
