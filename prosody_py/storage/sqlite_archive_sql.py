"""The operations of an archive in SQLite but those that add, each on a batch of calls.

The index is named in every statement: a page costs a seek and its own rows wherever in the
archive it begins, and no statistics may talk SQLite out of that.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from prosody_py.storage.archive_query import DAY, Position, Query
from prosody_py.storage.interface import StorageError
from prosody_py.storage.sqlite_archive_adding import not_found, position, size
from prosody_py.storage.sqlite_text import bind
from prosody_py.storage.sqlite_words import (
    is_ordered,
    match_text,
    owner_word,
)

_AS_JSON = """SELECT CAST('[' || group_concat('[' || json_quote(key) || ',' || "when" || ',' || seq
|| ',' || json_quote("with") || ',' || json_quote(value) || ']') || ']' AS BLOB)
FROM ({rows} LIMIT ?)"""
_BY_TIME = ' ORDER BY "when" {order}, seq {order}'
_PAGE = """SELECT key, "when", seq, "with", value FROM archive INDEXED BY {index} WHERE {where}"""
_FOUND = """SELECT archive.key, archive."when", archive.seq, archive."with", archive.value
FROM archive_words CROSS JOIN archive ON archive.id = archive_words.rowid
WHERE archive_words MATCH ? AND {where}"""
_DELETE = """DELETE FROM archive WHERE id IN (SELECT id FROM archive INDEXED BY {index}
WHERE {where} ORDER BY "when", seq LIMIT ?)"""
_SUMMARY = """SELECT CAST('[' || group_concat('[' || json_quote(g.peer) || ',' || g.items || ','
|| g.earliest || ',' || g.latest || ',' || coalesce(json_quote((
    SELECT value FROM archive AS m INDEXED BY archive_with
    WHERE m.store = ?1 AND m.user = ?2 AND m."with" = g.peer AND (m."when", m.seq) > (?3, ?4)
    AND (m."when", m.seq) < (?5, ?6) AND instr(m.value, '<body') > 0
    ORDER BY m."when" DESC, m.seq DESC LIMIT 1)), 'null') || ']') || ']' AS BLOB)
FROM (SELECT "with" AS peer, count(*) AS items, min("when") AS earliest, max("when") AS latest
    FROM archive INDEXED BY archive_with WHERE store = ?1 AND user = ?2
    AND ("when", seq) > (?3, ?4) AND ("when", seq) < (?5, ?6) AND (?7 IS NULL OR "with" = ?7)
    GROUP BY "with") AS g"""
_DATES = f"""WITH RECURSIVE d (t) AS (
    SELECT min("when") FROM archive WHERE store = ?1 AND user = ?2
    UNION ALL
    SELECT (SELECT min("when") FROM archive WHERE store = ?1 AND user = ?2
        AND "when" >= d.t - ((d.t % {DAY} + {DAY}) % {DAY}) + {DAY})
    FROM d WHERE d.t IS NOT NULL)
SELECT CAST('[' || group_concat(t) || ']' AS BLOB) FROM d WHERE t IS NOT NULL"""
_USERS = """WITH RECURSIVE u (user) AS (
    SELECT min(user) FROM archive_size WHERE store = ?1 AND user > ?2
    UNION ALL
    SELECT (SELECT min(user) FROM archive_size WHERE store = ?1 AND user > u.user) FROM u
        WHERE u.user IS NOT NULL LIMIT ?3)
SELECT CAST('[' || group_concat(json_quote(CAST(user AS TEXT))) || ']' AS BLOB)
FROM u WHERE user IS NOT NULL"""


def read_items(database: sqlite3.Connection, calls: list[tuple]) -> list[tuple | None]:
    """Return (text, when, with) of each (store, user, key)."""
    return [database.execute(
        'SELECT value, "when", "with" FROM archive WHERE store = ? AND user = ? AND key = ?', call,
    ).fetchone() for call in calls]


def read_first_pages(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """Return (low, high, total, page) for each (store, user, query, items in a page)."""
    return [_first_page(database, *call) for call in calls]


def read_next_pages(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return the page between two positions of each (store, user, query, low, high, items)."""
    return [_page(database, *call) for call in calls]


def delete_some(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """Delete up to so many items of each (store, user, query, range or None, items).

    Returns (number deleted, range) each; the range is what the query's ids stand for.
    """
    return [_delete(database, *call) for call in calls]


def read_summaries(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """Return [[with, count, earliest, latest, text or null]] of each (store, user, query)."""
    results = []
    for store, user, query in calls:
        bounds = _range(database, store, user, query)
        if isinstance(bounds, StorageError):
            results.append(bounds)
            continue
        with_ = None if query.with_ is None else bind(query.with_)
        results.append(database.execute(
            _SUMMARY, (store, user, *bounds[0], *bounds[1], with_)).fetchone()[0])
    return results


def read_dates(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return a time on each day with items, for each (store, user)."""
    return [database.execute(_DATES, call).fetchone()[0] for call in calls]


def read_users(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return users for each (store, user after whom to begin, how many)."""
    return [database.execute(_USERS, call).fetchone()[0] for call in calls]


def _first_page(database: sqlite3.Connection, store: int, user: str | bytes, query: Query,
                count: int) -> Any:
    bounds = _range(database, store, user, query)
    if isinstance(bounds, StorageError):
        return bounds
    total = _total(database, store, user, query) if query.total else None
    page = _page(database, store, user, query, *bounds, count) if count else None
    return *bounds, total, page


def _page(database: sqlite3.Connection, store: int, user: str | bytes, query: Query,
          low: Position, high: Position, count: int) -> bytes | None:
    index, where, arguments = _conditions(store, user, query, low, high)
    order = "DESC" if query.reverse else "ASC"
    if query.fulltext is None:
        rows = _PAGE.format(index=index, where=where) + _BY_TIME.format(order=order)
    elif not query.fulltext:
        return None
    else:
        rows = _FOUND.format(where=where)
        arguments.insert(0, match_text(owner_word(store, user), query.fulltext))
        if is_ordered(database, store):
            rows += " AND archive_words.rowid BETWEEN ? AND ? ORDER BY archive_words.rowid " + order
            arguments += _numbers(database, store, user, low, high)
        else:
            rows += _BY_TIME.format(order=order)
    return database.execute(_AS_JSON.format(rows=rows), (*arguments, count)).fetchone()[0]


def _numbers(database: sqlite3.Connection, store: int, user: str | bytes, low: Position,
             high: Position) -> tuple[int, int]:
    """Return the ids of the first and the last item between two positions."""
    found = [database.execute(
        f'SELECT id FROM archive INDEXED BY archive_when WHERE store = ? AND user = ? '
        f'AND ("when", seq) {sign} (?, ?) ORDER BY "when" {order}, seq {order} LIMIT 1',
        (store, user, *position)).fetchone()
        for sign, order, position in ((">", "ASC", low), ("<", "DESC", high))]
    return (found[0][0], found[1][0]) if all(found) else (1, 0)


def _delete(database: sqlite3.Connection, store: int, user: str | bytes, query: Query,
            bounds: tuple[Position, Position] | None, count: int) -> Any:
    if bounds is None:
        bounds = _range(database, store, user, query)
        if isinstance(bounds, StorageError):
            return bounds
        if query.truncate:
            bounds = (bounds[0], _oldest_kept(database, store, user, query.truncate, bounds))
    index, where, arguments = _conditions(store, user, query, *bounds)
    cursor = database.execute(_DELETE.format(index=index, where=where), (*arguments, count))
    return cursor.rowcount, bounds


def _oldest_kept(database: sqlite3.Connection, store: int, user: str | bytes, keep: int,
                 bounds: tuple[Position, Position]) -> Position:
    found = database.execute(
        'SELECT "when", seq FROM archive INDEXED BY archive_when WHERE store = ? AND user = ? '
        'ORDER BY "when" DESC, seq DESC LIMIT 1 OFFSET ?', (store, user, keep - 1)).fetchone()
    return bounds[0] if found is None else min(bounds[1], found)


def _range(database: sqlite3.Connection, store: int, user: str | bytes,
           query: Query) -> tuple[Position, Position] | StorageError:
    """Return the two positions between which `start`, `end`, `after` and `before` allow items."""
    low, high = query.time_range()
    for key in query.after:
        found = position(database, store, user, bind(key))
        if found is None:
            return not_found()
        low = max(low, found)
    for key in query.before:
        found = position(database, store, user, bind(key))
        if found is None:
            return not_found()
        high = min(high, found)
    return low, high


def _total(database: sqlite3.Connection, store: int, user: str | bytes, query: Query) -> int:
    if query.is_everything:
        return size(database, store, user)
    index, where, arguments = _conditions(store, user, query, *query.time_range())
    rows = f"SELECT count(*) FROM archive INDEXED BY {index} WHERE {where}"
    if query.fulltext is not None:
        if not query.fulltext:
            return 0
        rows = f"SELECT count(*) FROM ({_FOUND.format(where=where)})"
        arguments.insert(0, match_text(owner_word(store, user), query.fulltext))
    return database.execute(rows, arguments).fetchone()[0]


def _conditions(store: int, user: str | bytes, query: Query, low: Position,
                high: Position) -> tuple[str, str, list[Any]]:
    index = "archive_when"
    where = "store = ? AND user = ?"
    arguments: list[Any] = [store, user]
    if query.with_ is not None:
        index = "archive_with"
        where += ' AND "with" = ?'
        arguments.append(bind(query.with_))
    if query.ids is not None:
        index = "archive_key"
        where += " AND key IN (SELECT value FROM json_each(?))"
        arguments.append(json.dumps([key for key in query.ids if isinstance(bind(key), str)],
                                    ensure_ascii=False))
    where += ' AND ("when", seq) > (?, ?) AND ("when", seq) < (?, ?)'
    return index, where, [*arguments, *low, *high]
