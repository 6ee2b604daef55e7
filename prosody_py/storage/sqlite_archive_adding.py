"""What changes an archive in SQLite by adding: each operation on a batch of calls."""

from __future__ import annotations

import sqlite3
from typing import Any

from prosody_py.storage.archive_query import Position
from prosody_py.storage.interface import StorageError
from prosody_py.storage.sqlite_text import flat, groups, repeated
from prosody_py.storage.sqlite_words import add_words, note_disorder, note_times

_insert = repeated("""INSERT INTO archive (id, seq, store, user, key, "when", "with", value, said)
VALUES {} ON CONFLICT (store, user, key) DO UPDATE SET id = excluded.id, seq = excluded.seq,
"when" = excluded."when", "with" = excluded."with", value = excluded.value,
said = excluded.said""".format, "(?, ?, ?, ?, ?, ?, ?, ?, ?)", ", ")
_TRIM = """DELETE FROM archive WHERE id IN (SELECT id FROM archive INDEXED BY archive_when
WHERE store = ? AND user = ? ORDER BY "when", seq LIMIT ?)"""


def append_items(database: sqlite3.Connection, calls: list[tuple]) -> list[None]:
    """Add each (store, user, key, when, with, text, said), replacing an item with the same key.

    After that may come what goes into the index of words: (word for store and user, text).
    """
    number = _next_number(database)
    rows = [(number + i, number + i, *call[:7]) for i, call in enumerate(calls)]
    for group in groups(rows):
        database.execute(_insert(len(group)), flat(group))
    # Of those with the same key only the last one is there.
    texts = {call[:3]: (number + i, *call[7:]) for i, call in enumerate(calls) if len(call) > 7}
    if texts:
        add_words(database, list(texts.values()))
        note_times(database, [(call[0], call[3]) for call in calls if len(call) > 7])
    return [None] * len(calls)


def append_limited(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """As append_items, for each (limit, trim, *item); a full archive is trimmed or refuses."""
    results: list[Any] = []
    for limit, trim, *item in calls:
        store, user, key = item[:3]
        over = size(database, store, user) + 1 - limit
        if over > 0 and position(database, store, user, key) is None:
            if not trim:
                results.append(StorageError(
                    "quota-limit", f"an archive has reached its limit of {limit} items"))
                continue
            database.execute(_TRIM, (store, user, over))
        results += append_items(database, [tuple(item)])
    return results


def append_batches(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """As append_limited, for each (limit or None, trim, [item, ...]): all of them or none."""
    results: list[Any] = []
    for limit, trim, items in calls:
        if limit is not None and items:
            store, user = items[0][:2]
            keys = {item[2] for item in items}
            new = len(keys) if trim else sum(
                position(database, store, user, key) is None for key in keys)
            if new and (0 if trim else size(database, store, user)) + new > limit:
                results.append(StorageError(
                    "quota-limit", f"an archive has reached its limit of {limit} items"))
                continue
        for item in items:  # one after the other: of the same key the last one counts
            append_items(database, [item])
        if limit is not None and items and trim:
            database.execute(_TRIM, (store, user, max(0, size(database, store, user) - limit)))
        results.append(None)
    return results


def replace_items(database: sqlite3.Connection, calls: list[tuple]) -> list[Any]:
    """Change each (text, when or None, with or None, store, user, key) where it stands.

    After the key may come what goes into the index of words, as in `append_items`.
    """
    results: list[Any] = []
    for call in calls:
        count = database.execute(
            'UPDATE archive SET value = ?, "when" = coalesce(?, "when"), '
            '"with" = coalesce(?, "with") WHERE store = ? AND user = ? AND key = ?',
            call[:6]).rowcount
        if count and len(call) > 6:
            add_words(database, [(*database.execute(
                "SELECT id FROM archive WHERE store = ? AND user = ? AND key = ?",
                call[3:6]).fetchone(), *call[6:])])
            if call[1] is not None:
                note_disorder(database, call[3])
        results.append(None if count else not_found())
    return results


def not_found() -> StorageError:
    """Return the error for an id that is not in the archive."""
    return StorageError("item-not-found", "an archive has no item with this id")


def position(database: sqlite3.Connection, store: int, user: str | bytes,
              key: str | bytes) -> Position | None:
    return database.execute('SELECT "when", seq FROM archive INDEXED BY archive_key '
                            "WHERE store = ? AND user = ? AND key = ?",
                            (store, user, key)).fetchone()


def size(database: sqlite3.Connection, store: int, user: str | bytes) -> int:
    found = database.execute("SELECT items FROM archive_size WHERE store = ? AND user = ?",
                             (store, user)).fetchone()
    return 0 if found is None else found[0]


def _next_number(database: sqlite3.Connection) -> int:
    return database.execute("SELECT coalesce(max(id), 0) + 1 FROM archive").fetchone()[0]
