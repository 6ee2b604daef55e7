"""Key-value rows in SQLite: the operations on a batch of calls, and the store on top."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from prosody_py.storage.cache import WHOLE, RowCache
from prosody_py.storage.engine import Engine
from prosody_py.storage.interface import REMOVE, Key
from prosody_py.storage.lane import Call
from prosody_py.storage.sqlite_counted import Counting
from prosody_py.storage.sqlite_text import bind, flat, groups, repeated, to_bytes, to_text
from prosody_py.storage.values import (
    REST,
    change_rest,
    decode,
    has_own_row,
    join_rest,
    rest_item,
    rows_of,
    split_changes,
    value_of_whole,
    whole_text,
)

_PAGE = 200  # users
_ITEMS_PAGE = 32  # users with all their data
_SMALL_WHOLE = 2048  # bytes up to which it is cheaper to decode all than to fetch one row
_UNKNOWN = object()

_ALL_ROWS = ("SELECT group_concat(json_quote(CAST(key AS TEXT)) || ':' || CAST(value AS TEXT)) "
             "FROM item WHERE store = {store} AND user = {user}")
_wholes = repeated("SELECT {}".format, "CAST('{' || ("
                   + _ALL_ROWS.format(store="?", user="?") + ") || '}' AS BLOB)", ",")
_rows = repeated("SELECT {}".format, "(SELECT CAST(value AS BLOB) FROM item "
                 "WHERE store = ? AND user = ? AND key = ?)", ",")
_insert = repeated(("INSERT INTO item VALUES {} ON CONFLICT (store, user, key) "
                    "DO UPDATE SET value = excluded.value").format, "(?, ?, ?, ?)", ",")
_delete_users = repeated("DELETE FROM item WHERE {}".format, "(store = ? AND user = ?)", " OR ")
_delete_rows = repeated("DELETE FROM item WHERE {}".format,
                        "(store = ? AND user = ? AND key = ?)", " OR ")
_delete_scalars = repeated(
    "DELETE FROM item WHERE ({}) AND substr(CAST(value AS TEXT), 1, 1) <> '{{'".format,
    "(store = ? AND user = ? AND key = '')", " OR ")

# One seek for each user, however many rows he has.
_USERS = """WITH RECURSIVE u (user) AS (
    SELECT min(user) FROM item WHERE store = ?1 AND user > ?2
    UNION ALL
    SELECT (SELECT min(user) FROM item WHERE store = ?1 AND user > u.user) FROM u
        WHERE u.user IS NOT NULL LIMIT ?3)
SELECT CAST('[' || group_concat(
    '[' || json_quote(CAST(user AS TEXT)) || ',' || coalesce({}, 'null') || ']') || ']' AS BLOB)
FROM u WHERE user IS NOT NULL"""
_PAGES = {
    "users": _USERS.format("NULL"),
    "items": _USERS.format("'{' || (" + _ALL_ROWS.format(store="?1", user="u.user") + ") || '}'"),
    "key": _USERS.format("(SELECT CAST(value AS TEXT) FROM item "
                         "WHERE store = ?1 AND user = u.user AND key = ?4)"),
}


def read_wholes(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return all rows of each (store, user) as one JSON object."""
    return [text for group in groups(calls)
            for text in database.execute(_wholes(len(group)), flat(group)).fetchone()]


def read_rows(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return the row of each (store, user, key)."""
    return [text for group in groups(calls)
            for text in database.execute(_rows(len(group)), flat(group)).fetchone()]


def read_pages(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return a page of users for each (kind of page, arguments of the statement)."""
    return [database.execute(_PAGES[kind], arguments).fetchone()[0] for kind, arguments in calls]


def change_items(database: sqlite3.Connection, calls: list[tuple]) -> list[None]:
    """Do each (store, user, replace, [(key, text or None)], {key: value} of the row "")."""
    run: dict[tuple, tuple] = {}
    for call in calls:
        owner = call[:2]
        if owner in run:  # the order of writes to the same user matters
            _change_distinct(database, run)
            run = {}
        run[owner] = call[2:]
    _change_distinct(database, run)
    return [None] * len(calls)


def _change_distinct(database: sqlite3.Connection, changes: dict[tuple, tuple]) -> None:
    replaced, scalars, deleted, put, rests = [], [], [], [], []
    for owner, (replace, rows, rest) in changes.items():
        if replace:
            replaced.append(owner)
        elif any(text is not None for _, text in rows):
            scalars.append(owner)
        for key, text in rows:
            if text is not None:
                put.append((*owner, key, text))
            elif not replace:
                deleted.append((*owner, key))
        if rest:
            rests.append((*owner, rest))
    for statement, arguments in ((_delete_users, replaced), (_delete_scalars, scalars),
                                 (_delete_rows, deleted), (_insert, put)):
        for group in groups(arguments):
            database.execute(statement(len(group)), flat(group))
    for store, user, rest in rests:
        _change_rest(database, store, user, rest)


def _change_rest(database: sqlite3.Connection, store: int, user: str | bytes,
                 changes: Mapping[Key, Any]) -> None:
    row = (store, user, REST)
    raw = database.execute(_rows(1), row).fetchone()[0]
    text = change_rest(None if raw is None else to_text(raw), changes)
    if text is None:
        database.execute(_delete_rows(1), row)
    else:
        database.execute(_insert(1), (*row, bind(text)))


def remove_key(database: sqlite3.Connection, calls: list[tuple]) -> list[None]:
    """Delete the key of all users, for each (store, key)."""
    for store, key in calls:
        if has_own_row(key):
            database.execute("DELETE FROM item WHERE store = ? AND user <> '' AND key = ?",
                             (store, bind(key)))
            continue
        users = database.execute(
            "SELECT user FROM item WHERE store = ? AND user <> '' AND key = ''", (store,))
        for (user,) in users.fetchall():
            _change_rest(database, store, user, {key: REMOVE})
    return [None] * len(calls)


class SQLiteRows:
    """The rows of one store (views.Rows); `counting` is where they are counted, if they are."""

    def __init__(self, engine: Engine, cache: RowCache, store: int,
                 counting: Counting | None = None):
        self._counting = counting
        self._engine = engine
        self._cache = cache
        self._store = store

    def whole(self, user: str) -> Any:
        """Return all of a user's data, a new object."""
        raw = self._cached(user, WHOLE)
        if raw is _UNKNOWN:
            raw = self._load(read_wholes, user, WHOLE)
        return None if raw is None else value_of_whole(to_text(raw))

    def item(self, user: str, key: Key) -> Any:
        """Return what is under one key."""
        own = has_own_row(key)
        part = key if own else REST
        raw = self._cached(user, part)
        if raw is _UNKNOWN:
            whole = self._cache.peek((self._store, user), WHOLE, _UNKNOWN)
            if whole is None:
                return None
            if whole is not _UNKNOWN and len(whole) <= _SMALL_WHOLE:
                value = value_of_whole(to_text(whole))
                return value.get(key) if isinstance(value, dict) else None
            raw = self._load(read_rows, user, part)
        text = None if raw is None else to_text(raw)
        if not own:
            return rest_item(text, key)
        return None if text is None else decode(text)

    def replace(self, user: str, value: Any) -> None:
        """Replace all of a user's data."""
        rows = rows_of(value)
        whole = whole_text(rows)
        self._change(user, True, rows, {}, None if whole is None else to_bytes(whole))

    def change(self, user: str, changes: Mapping[Key, Any]) -> None:
        """Replace or delete single keys."""
        rows, rest = split_changes(changes)
        self._change(user, False, rows, rest, None)

    def users(self) -> Iterator[str]:
        """Iterate over the users that have data."""
        return (user for user, _ in self._pages("users", _PAGE))

    def items(self) -> Iterator[tuple[str, Any]]:
        """Iterate over (user, all data)."""
        for user, rows in self._pages("items", _ITEMS_PAGE):
            if rows is not None:
                yield user, join_rest(rows)

    def items_of(self, key: Key) -> Iterator[tuple[str, Any]]:
        """Iterate over (user, what is under the key)."""
        own = has_own_row(key)
        for user, value in self._pages("key", _PAGE, bind(key) if own else REST):
            if not own:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                yield user, value

    def remove_from_all(self, key: Key) -> None:
        """Delete one key of all users."""
        has_own_row(key)
        self._engine.write(remove_key, self._store, key, done=lambda _call: self._cache.clear())

    def _cached(self, user: str, part: str | None) -> Any:
        raw = self._cache.get((self._store, user), part, _UNKNOWN)
        if raw is not _UNKNOWN:
            self._engine.look_for_foreign_changes()
        return raw

    def _load(self, operation: Any, user: str, part: str | None) -> bytes | None:
        owner = (self._store, user)
        where = (self._store, bind(user)) if part is WHOLE else (
            self._store, bind(user), bind(part))
        found: dict[str | None, bytes | None] = {}
        loading = self._cache.begin_load(owner)
        try:
            found[part] = self._engine.lookup(operation, *where)
        finally:
            self._cache.end_load(owner, loading, found)
        return found[part]

    def _change(self, user: str, replace: bool, rows: Mapping[str, str | None],
                rest: Mapping[Key, Any], whole: bytes | None) -> None:
        owner = (self._store, user)
        cache = self._cache

        def done(call: Call) -> None:
            cache.end_write(owner, whole, known=replace and call.error is None)

        bound = [(bind(key), None if text is None else bind(text)) for key, text in rows.items()]
        operation: tuple = (change_items, self._store, bind(user), replace, bound, rest)
        if self._counting is not None:
            operation = self._counting.operation(bind(user), operation)
        cache.begin_write(owner)
        self._engine.write(*operation, done=done)

    def counted(self, user: str) -> int:
        """Return the bytes that are counted for a user."""
        return 0 if self._counting is None else self._counting.used(user)

    def _pages(self, kind: str, count: int, *more: Any) -> Iterator[tuple[str, Any]]:
        after = ""
        while True:
            raw = self._engine.scan(read_pages, kind, (self._store, bind(after), count, *more))
            page = [] if raw is None else decode(to_text(raw))
            yield from page
            if len(page) < count:
                return
            after = page[-1][0]
