"""The words of archives in SQLite: an FTS5 index that is written with the items themselves.

It is made when a store first wants one, so a file without searches has none. Data and owner:
`archive_words` has a row for each item with a text, under the item's `id`. Its `owner` is one word
for store and user, so a search reads the entries of one user alone; its `body` is the words of the
text as storage/words has them (FTS5's own idea of letters is that of Unicode 6.1).
`archive_indexed` says from which item on a store is indexed: what was there before is done in the
background, newest first. It also says whether the order of time is that of the ids, as it is unless
somebody imports: then a page of a search ends as soon as it is full.

Triggers take away what belongs to items that change or go; they live in the connection, so that a
file can be written by an SQLite without FTS5.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import gevent

from prosody_py.storage.archive_query import body_text, item_values
from prosody_py.storage.engine import Engine
from prosody_py.storage.interface import StorageError
from prosody_py.storage.sqlite_text import flat, groups, repeated
from prosody_py.storage.words import Term, words_of

_CHUNK = 500  # items indexed or taken out in one transaction
_TABLES = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS archive_words USING fts5(
    owner, body, tokenize = ascii, columnsize = 0)""",
    """CREATE TABLE IF NOT EXISTS archive_indexed (
    store INTEGER PRIMARY KEY, first INTEGER NOT NULL, oldest INTEGER, newest INTEGER,
    ordered INTEGER NOT NULL DEFAULT 1)""",
)
_TRIGGERS = (
    """CREATE TEMP TRIGGER IF NOT EXISTS words_removed AFTER DELETE ON main.archive
BEGIN DELETE FROM archive_words WHERE rowid = old.id; END""",
    """CREATE TEMP TRIGGER IF NOT EXISTS words_changed AFTER UPDATE OF id, value ON main.archive
BEGIN DELETE FROM archive_words WHERE rowid = old.id; END""",
)
_insert = repeated("INSERT OR REPLACE INTO archive_words (rowid, owner, body) VALUES {}".format,
                   "(?, ?, ?)", ", ")


class WordIndex:
    """Which stores of a file have an index.

    Args:
        engine: of the file.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        indexed = engine.lookup(read_indexed)
        self._is_there = indexed is not None
        self.stores: set[int] = set(indexed or ())

    def switch(self, store: int, wanted: bool) -> bool:
        """Begin or end the index of a store; return whether it has one."""
        if wanted and store not in self.stores:
            if not self._engine.write(add_store, store):
                return False
            self.stores.add(store)
            self._is_there = True
        elif not wanted and store in self.stores:
            self.stores.discard(store)
            self._engine.write(remove_store, store)
        if self._is_there:
            gevent.spawn(self._work, index_older if wanted else remove_words, store)
        return wanted

    def _work(self, operation, store: int) -> None:
        try:
            while self._engine.write(operation, store):
                gevent.sleep(0.001)
        except StorageError:
            return  # the file is closed or cannot be written; the next start goes on


@lru_cache(maxsize=4096)
def owner_word(store: int, user: str | bytes) -> str:
    """Return the word that stands for the archive of a user (as it is bound) in a store."""
    raw = user.encode() if isinstance(user, str) else user
    return f"s{store}x{blake2b(raw, digest_size=10).hexdigest()}"


def match_text(owner: str, wanted: Sequence[Term]) -> str:
    """Return what FTS5 searches for; words hold nothing but letters and digits."""
    parts = " AND ".join(f'"{" ".join(term.words)}"{"*" if term.prefix else ""}'
                         for term in wanted)
    return f"owner : {owner} AND body : ({parts})"


def watch(database: sqlite3.Connection) -> None:
    """Let a connection that writes keep the index right, if the file has one."""
    if has_index(database):
        for trigger in _TRIGGERS:
            database.execute(trigger)


def has_index(database: sqlite3.Connection) -> bool:
    """Whether the file has an index that this SQLite can use."""
    try:
        database.execute("SELECT rowid FROM archive_words LIMIT 1")
    except sqlite3.OperationalError:
        return False
    return True


# -- operations ------------------------------------------------------------------------------


def read_indexed(database: sqlite3.Connection, calls: list[tuple]) -> list[list[int] | None]:
    """Return the numbers of the stores that have an index; None when the file has no index."""
    found = ([number for (number,) in database.execute("SELECT store FROM archive_indexed")]
             if has_index(database) else None)
    return [found for _call in calls]


def add_store(database: sqlite3.Connection, calls: list[tuple]) -> list[bool]:
    """Begin the index of each (store); return whether there can be one."""
    if database.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is None:
        return [False] * len(calls)
    for statement in (*_TABLES, *_TRIGGERS):
        database.execute(statement)
    for call in calls:
        database.execute("INSERT OR IGNORE INTO archive_indexed (store, first) "
                         "SELECT ?, coalesce(max(id), 0) + 1 FROM archive", call)
    return [True] * len(calls)


def remove_store(database: sqlite3.Connection, calls: list[tuple]) -> list[None]:
    """End the index of each (store)."""
    database.executemany("DELETE FROM archive_indexed WHERE store = ?", calls)
    return [None] * len(calls)


def is_ordered(database: sqlite3.Connection, store: int) -> bool:
    """Whether the indexed items of a store have the same order by time as by id."""
    found = database.execute("SELECT ordered FROM archive_indexed WHERE store = ?",
                             (store,)).fetchone()
    return bool(found and found[0])


def note_times(database: sqlite3.Connection, items: list[tuple[int, int]]) -> None:
    """Note the times of new items, (store, when) in the order of their ids."""
    times: dict[int, list[int]] = {}
    for store, when in items:
        times.setdefault(store, []).append(when)
    for store, whens in times.items():
        database.execute(
            "UPDATE archive_indexed SET ordered = ordered AND ? AND ? >= coalesce(newest, ?), "
            "oldest = coalesce(oldest, ?), newest = max(coalesce(newest, ?), ?) WHERE store = ?",
            (whens == sorted(whens), whens[0], whens[0], whens[0], whens[0], max(whens), store))


def note_disorder(database: sqlite3.Connection, store: int) -> None:
    """Note that an item has got another time."""
    database.execute("UPDATE archive_indexed SET ordered = 0 WHERE store = ?", (store,))


def add_words(database: sqlite3.Connection, rows: list[tuple[int, str, str]]) -> None:
    """Index items: id, the word for store and user, text."""
    for group in groups(rows):
        database.execute(_insert(len(group)), flat(group))


def index_older(database: sqlite3.Connection, calls: list[tuple]) -> list[bool]:
    """Index some of what was in each (store) before it had an index; return whether more is."""
    return [_index_older(database, *call) for call in calls]


def _index_older(database: sqlite3.Connection, store: int) -> bool:
    found = database.execute("SELECT first, oldest FROM archive_indexed WHERE store = ?",
                             (store,)).fetchone()
    if not found or not found[0]:
        return False
    first, oldest = found
    rows = database.execute(
        'SELECT id, store, user, "when", value FROM archive WHERE id < ? ORDER BY id DESC LIMIT ?',
        (first, _CHUNK)).fetchall()
    mine = [row for row in rows if row[1] == store]
    texts = map(body_text, item_values([row[4] for row in mine]))
    add_words(database, [(id, owner_word(store, user), " ".join(words_of(text)))
                         for (id, _store, user, _when, _value), text
                         in zip(mine, texts, strict=True) if text])
    whens = [row[3] for row in mine] if oldest is None else [oldest, *(row[3] for row in mine)]
    first = rows[-1][0] if len(rows) == _CHUNK else 0
    database.execute(
        "UPDATE archive_indexed SET first = ?, oldest = ?, ordered = ordered AND ? WHERE store = ?",
        (first, min(whens, default=None), whens == sorted(whens, reverse=True), store))
    return bool(first)


def remove_words(database: sqlite3.Connection, calls: list[tuple]) -> list[bool]:
    """Take some of the words of each (store) out, which has no index any more."""
    return [database.execute(
        "DELETE FROM archive_words WHERE rowid IN (SELECT rowid FROM archive_words "
        "WHERE archive_words MATCH ? LIMIT ?)", (f"owner : s{store}x*", _CHUNK),
    ).rowcount == _CHUNK for (store,) in calls]
