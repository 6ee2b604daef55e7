"""Kind "archive" (interface.Archive) in SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

from prosody_py.concurrency.turns import in_turns
from prosody_py.storage import sqlite_archive_adding as adding
from prosody_py.storage import sqlite_archive_sql as sql
from prosody_py.storage.archive_query import (
    SAID_PAGE,
    Position,
    Query,
    body_text,
    check_label,
    day,
    item_text,
    item_value,
    item_values,
    microseconds,
    parse_other_query,
    parts,
    seconds,
)
from prosody_py.storage.engine import Engine
from prosody_py.storage.ids import new_id
from prosody_py.storage.interface import ArchiveItem
from prosody_py.storage.sqlite_counted import Counting
from prosody_py.storage.sqlite_said import read_said, said_number, said_text
from prosody_py.storage.sqlite_text import bind, to_text
from prosody_py.storage.sqlite_words import WordIndex, owner_word
from prosody_py.storage.views import owner
from prosody_py.storage.words import words_of
from prosody_py.xmpp.stanza import Stanza

_PAGE = 100  # items fetched at once
_DELETE_PAGE = 500  # items deleted in one transaction, so that other writes get their turn
_USERS_PAGE = 500
_position = itemgetter(1, 2)


class SQLiteArchive:
    """The archive of one store.

    Args:
        limit: items that each user may have, None for no limit.
        trim: at the limit delete the oldest item instead of raising "quota-limit".
        words: of the file.
        counting: where the bytes of each user are counted, if they are.
    """

    def __init__(self, engine: Engine, store: int, limit: int | None = None, trim: bool = False,
                 words: WordIndex | None = None, counting: Counting | None = None):
        self._engine = engine
        self._counting = counting
        self._words = WordIndex(engine) if words is None else words
        self._store = store
        self._limit = limit
        self._trim = trim
        self._ids = False
        self.caps = {"total": True, "quota": limit or False, "truncate": True,
                     "full_id_range": True, "ids": True, "wildcard_delete": True,
                     "fulltext": store in self._words.stores}

    def append(self, user: str | None, key: str | None, value: Stanza, when: float,
               with_: str) -> str:
        """Add an item, or replace the one with this key, and return its id."""
        key, operation = self._append(user, key, value, when, with_)
        self._engine.write(*operation)
        return key

    def begin_append(self, user: str | None, key: str | None, value: Stanza, when: float,
                     with_: str) -> tuple[str, Callable[[], None]]:
        """As `append`; return the id and what waits until the item is on the disk."""
        key, operation = self._append(user, key, value, when, with_)
        return key, partial(self._engine.finish_write, self._engine.begin_write(*operation))

    def append_all(self, user: str | None,
                   items: Sequence[tuple[str, Stanza, float, str]]) -> None:
        """Add (key, value, when, with) items, all or none of them (interface.Archive)."""
        rows = [self._row(user, check_label("key", key), value, when, with_)
                for key, value, when, with_ in items]
        self._engine.write(*self._counted(bind(owner(user)), (
            adding.append_batches, self._limit, self._trim, rows)))

    def _append(self, user: str | None, key: str | None, value: Stanza, when: float,
                with_: str) -> tuple[str, tuple]:
        key = new_id() if key is None else check_label("key", key)
        item = self._row(user, key, value, when, with_)
        if self._limit is None:
            return key, self._counted(item[1], (adding.append_items, *item))
        return key, self._counted(item[1], (adding.append_limited, self._limit, self._trim, *item))

    def _row(self, user: str | None, key: str, value: Stanza, when: float, with_: str) -> tuple:
        """Return an item as adding.append_items takes it."""
        bound = bind(owner(user))
        text, said = item_text(value), value.attr.get("id") if self._ids else None
        return (self._store, bound, key, microseconds(when), check_label("with", with_), text,
                None if said is None else said_number(said), *self._text(bound, value))

    def _counted(self, user: str | bytes, operation: tuple) -> tuple:
        counting = self._counting
        return operation if counting is None else counting.operation(user, operation)

    def counted(self, user: str | None) -> int:
        """Return the bytes that are counted for a user, here and in stores of the same counter."""
        return 0 if self._counting is None else self._counting.used(user)

    def _text(self, user: str | bytes, value: Stanza) -> tuple[str, ...]:
        """Return what the index of words gets of an item, nothing if it gets nothing."""
        if self._store not in self._words.stores:
            return ()
        body = body_text(value)
        return (owner_word(self._store, user), " ".join(words_of(body))) if body else ()

    def index_words(self, wanted: bool) -> bool:
        """Keep an index of the texts, so that `find` takes `fulltext`; return whether it does."""
        self.caps["fulltext"] = self._words.switch(self._store, wanted)
        return self.caps["fulltext"]

    def index_ids(self) -> None:
        """Keep an index of the ids that messages are sent with from now on, for `said`."""
        self._ids = True

    def said(self, user: str | None, with_: str, id: str) -> list[ArchiveItem]:
        """Return the newest messages with somebody that were sent with an id."""
        raw = self._engine.scan(read_said, self._store, bind(owner(user)), bind(with_),
                                said_number(id), said_text(id), SAID_PAGE)
        found = [(key, item_value(text), seconds(when), with_) for key, when, text in _array(raw)]
        return [item for item in found if item[1] is not None and item[1].attr.get("id") == id]

    def limit_items(self, limit: int | None) -> None:
        """Let each user have so many items here; a new one takes the place of the oldest."""
        self._limit, self._trim = limit, True
        self.caps["quota"] = limit or False

    def get(self, user: str | None, key: str) -> tuple[Stanza, float, str] | None:
        """Return (value, when, with) of one item, None when there is none."""
        found = self._engine.lookup(sql.read_items, self._store, bind(owner(user)), bind(key))
        value = None if found is None else item_value(found[0])
        return None if value is None else (value, seconds(found[1]), found[2])

    def set(self, user: str | None, key: str, value: Stanza, when: float | None = None,
            with_: str | None = None) -> None:
        """Replace an item; raises StorageError "item-not-found"."""
        bound = bind(owner(user))
        self._engine.write(*self._counted(bound, (
            adding.replace_items, item_text(value), None if when is None else microseconds(when),
            None if with_ is None else check_label("with", with_),
            self._store, bound, bind(key), *self._text(bound, value))))

    def find(self, user: str | None, query: Mapping[str, Any] | None = None,
             ) -> tuple[Iterator[ArchiveItem], int | None]:
        """Return the matching items, and their number if asked for (interface.Archive.find)."""
        wanted = parse_other_query(query, self.caps["fulltext"])
        bound = bind(owner(user))
        slow = wanted.fulltext is not None or (wanted.total and not wanted.is_everything)
        read = self._engine.scan if slow else self._engine.lookup
        low, high, total, page = read(sql.read_first_pages, self._store, bound, wanted,
                                      _page_size(wanted.limit))
        return self._items(bound, wanted, low, high, page), total

    def delete(self, user: str | Literal[True] | None,
               query: Mapping[str, Any] | None = None) -> int:
        """Delete what matches and return how many it was (interface.Archive.delete)."""
        wanted = parse_other_query(query)
        users = ["", *self.users()] if user is True else [owner(user)]
        return sum(self._delete(bind(name), wanted) for name in users)

    def summary(self, user: str | None,
                query: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
        """Return counts, times and newest bodies by `with`; ids in the query are ignored."""
        raw = self._engine.scan(sql.read_summaries, self._store, bind(owner(user)),
                                parse_other_query(query))
        result: dict[str, dict[str, Any]] = {
            "counts": {}, "earliest": {}, "latest": {}, "body": {}}
        for with_, count, earliest, latest, text in _array(raw):
            result["counts"][with_] = count
            result["earliest"][with_] = seconds(earliest)
            result["latest"][with_] = seconds(latest)
            body = None if text is None else body_text(item_value(text))
            if body is not None:
                result["body"][with_] = body
        return result

    def dates(self, user: str | None) -> list[str]:
        """Return the days (UTC, "YYYY-MM-DD") on which there are items."""
        raw = self._engine.scan(sql.read_dates, self._store, bind(owner(user)))
        return [day(when) for when in sorted(_array(raw))]

    def users(self) -> Iterator[str]:
        """Return the users who have items."""
        after = ""
        while True:
            page = _array(self._engine.scan(sql.read_users, self._store, bind(after),
                                            _USERS_PAGE))
            yield from page
            if len(page) < _USERS_PAGE:
                return
            after = page[-1]

    def _items(self, user: str | bytes, query: Query, low: Position, high: Position,
               raw: bytes | None) -> Iterator[ArchiveItem]:
        left = query.limit
        while True:
            page = sorted(_array(raw), key=_position, reverse=query.reverse)
            texts = in_turns(parts([item[4] for item in page]))
            values = chain.from_iterable(map(item_values, texts))
            for (key, when, _, with_, _), value in zip(page, values, strict=True):
                if value is not None:
                    yield key, value, seconds(when), with_
            if len(page) < _page_size(left):
                return
            if left is not None:
                left -= len(page)
                if not left:
                    return
            if query.reverse:
                high = _position(page[-1])
            else:
                low = _position(page[-1])
            read = self._engine.lookup if query.fulltext is None else self._engine.scan
            raw = read(sql.read_next_pages, self._store, user, query, low, high, _page_size(left))

    def _delete(self, user: str | bytes, query: Query) -> int:
        deleted, bounds = 0, None
        while True:
            count, bounds = self._engine.write(sql.delete_some, self._store, user, query, bounds,
                                               _DELETE_PAGE)
            deleted += count
            if count < _DELETE_PAGE:
                return deleted


def _page_size(left: int | None) -> int:
    return _PAGE if left is None else min(left, _PAGE)


def _array(raw: bytes | None) -> list:
    return [] if raw is None else json.loads(to_text(raw))


