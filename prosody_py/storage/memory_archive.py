"""Kind "archive" (interface.Archive) in memory: a sorted list of positions for each user."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Literal, NamedTuple

from prosody_py.storage.archive_query import (
    SAID_PAGE,
    Position,
    Query,
    body_text,
    check_label,
    day,
    item_text,
    item_value,
    microseconds,
    parse_other_query,
    seconds,
)
from prosody_py.storage.ids import new_id
from prosody_py.storage.interface import ArchiveItem, StorageError
from prosody_py.storage.memory_counted import Tally, cost
from prosody_py.storage.views import owner
from prosody_py.storage.words import matches
from prosody_py.xmpp.stanza import Stanza


class _Item(NamedTuple):
    position: Position
    key: str
    with_: str
    text: str
    said: str | None = None  # the id that it was sent with


class _UserArchive:
    """The items of one user by key, in order, and (keys) by what they were sent with."""

    __slots__ = ("by_key", "order", "said")

    def __init__(self):
        self.by_key: dict[str, _Item] = {}
        self.said: dict[tuple[str, str], list[str]] = {}
        self.order: list[tuple[Position, str]] = []

    def put(self, item: _Item) -> None:
        self.remove(item.key)
        self.by_key[item.key] = item
        if item.said is not None:
            self.said.setdefault((item.with_, item.said), []).append(item.key)
        insort(self.order, (item.position, item.key))

    def remove(self, key: str) -> None:
        item = self.by_key.pop(key, None)
        if item is not None:
            del self.order[bisect_left(self.order, (item.position, key))]
            if item.said is not None:
                same = self.said[item.with_, item.said]
                same.remove(key)
                if not same:
                    del self.said[item.with_, item.said]

    def position(self, key: str) -> Position:
        item = self.by_key.get(key)
        if item is None:
            raise StorageError("item-not-found", "an archive has no item with this id")
        return item.position

    def between(self, low: Position, high: Position) -> list[_Item]:
        """Return the items between two positions, both exclusive."""
        first = bisect_right(self.order, low, key=lambda entry: entry[0])
        last = bisect_left(self.order, high, key=lambda entry: entry[0])
        return [self.by_key[key] for _, key in self.order[first:last]]


class MemoryArchive:
    """The archive of one store; `limit` and `trim` as in SQLiteArchive."""

    def __init__(self, check_open: Callable[[], None], limit: int | None = None,
                 trim: bool = False):
        self._check_open = check_open
        self._limit = limit
        self._trim = trim
        self.tally: Tally | None = None
        self._ids = False
        self._users: dict[str, _UserArchive] = {}
        self._numbers = count(1)
        self.caps = {"total": True, "quota": limit or False, "truncate": True,
                     "full_id_range": True, "ids": True, "wildcard_delete": True,
                     "fulltext": False}

    def append(self, user: str | None, key: str | None, value: Stanza, when: float,
               with_: str) -> str:
        """Add an item, or replace the one with this key, and return its id."""
        self._check_open()
        key = new_id() if key is None else check_label("key", key)
        position = (microseconds(when), next(self._numbers))
        item = _Item(position, key, check_label("with", with_), item_text(value),
                     value.attr.get("id") if self._ids else None)
        archive = self._users.setdefault(owner(user), _UserArchive())
        old = archive.by_key.get(key)
        over = len(archive.by_key) + 1 - self._limit if self._limit is not None else 0
        if over > 0 and old is None and not self._trim:
            raise StorageError("quota-limit",
                               f"an archive has reached its limit of {self._limit} items")
        self._count(user, item, old)
        for _, oldest in archive.order[:over] if over > 0 and old is None else ():
            self._remove(owner(user), archive, oldest)
        archive.put(item)
        return key

    def _count(self, user: str | None, item: _Item, old: _Item | None) -> None:
        if self.tally is not None:
            self.tally.change(owner(user), _cost(item) - (_cost(old) if old is not None else 0))

    def _remove(self, user: str, archive: _UserArchive, key: str) -> None:
        if self.tally is not None:
            self.tally.add(user, -_cost(archive.by_key[key]))
        archive.remove(key)

    def count_in(self, tally: Tally) -> None:
        """Let what is here be counted."""
        if self.tally is None:
            self.tally = tally
            for user, archive in self._users.items():
                tally.add(user, sum(map(_cost, archive.by_key.values())))

    def counted(self, user: str | None) -> int:
        """Return the bytes that are counted for a user."""
        return 0 if self.tally is None else self.tally.of(owner(user))

    def begin_append(self, user: str | None, key: str | None, value: Stanza, when: float,
                     with_: str) -> tuple[str, Callable[[], None]]:
        """As `append`; nothing is left to wait for."""
        return self.append(user, key, value, when, with_), _nothing

    def append_all(self, user: str | None,
                   items: Sequence[tuple[str, Stanza, float, str]]) -> None:
        """Add (key, value, when, with) items, all or none of them (interface.Archive)."""
        self._check_open()
        for key, value, _when, with_ in items:
            check_label("key", key), check_label("with", with_), item_text(value)
        kept = {} if self._trim else self._archive(user).by_key
        new = {key for key, *_rest in items} - kept.keys()
        if self._limit is not None and new and len(kept) + len(new) > self._limit:
            raise StorageError("quota-limit",
                               f"an archive has reached its limit of {self._limit} items")
        if self.tally is not None:
            there = self._archive(user).by_key
            self.tally.check(owner(user), sum(
                cost(key, item_text(value)) - (_cost(there[key]) if key in there else 0)
                for key, value, _when, _with in items))
        for item in items:
            self.append(user, *item)

    def index_words(self, wanted: bool) -> bool:
        """Let `find` take `fulltext`, which looks at all texts; return whether it does."""
        self.caps["fulltext"] = wanted
        return wanted

    def index_ids(self) -> None:
        """Keep an index of the ids that messages are sent with from now on, for `said`."""
        self._ids = True

    def said(self, user: str | None, with_: str, id: str) -> list[ArchiveItem]:
        """Return the newest messages with somebody that were sent with an id."""
        archive = self._archive(user)
        keys = archive.said.get((with_, id), ())[:-SAID_PAGE - 1:-1]
        return list(_values([archive.by_key[key] for key in keys]))

    def limit_items(self, limit: int | None) -> None:
        """Let each user have so many items here; a new one takes the place of the oldest."""
        self._limit, self._trim = limit, True
        self.caps["quota"] = limit or False

    def get(self, user: str | None, key: str) -> tuple[Stanza, float, str] | None:
        """Return (value, when, with) of one item, None when there is none."""
        item = self._archive(user).by_key.get(key)
        value = None if item is None else item_value(item.text)
        return None if value is None else (value, seconds(item.position[0]), item.with_)

    def set(self, user: str | None, key: str, value: Stanza, when: float | None = None,
            with_: str | None = None) -> None:
        """Replace an item; raises StorageError "item-not-found"."""
        archive = self._archive(user)
        text = item_text(value)
        old_when, number = archive.position(key)
        item = _Item(
            (old_when if when is None else microseconds(when), number), key,
            archive.by_key[key].with_ if with_ is None else check_label("with", with_), text,
            archive.by_key[key].said)
        self._count(user, item, archive.by_key[key])
        archive.put(item)

    def find(self, user: str | None, query: Mapping[str, Any] | None = None,
             ) -> tuple[Iterator[ArchiveItem], int | None]:
        """Return the matching items, and their number if asked for (interface.Archive.find)."""
        wanted = parse_other_query(query, self.caps["fulltext"])
        archive = self._archive(user)
        found = _select(archive, wanted)
        total = None
        if wanted.total:
            total = sum(_matches(item, wanted) for item in archive.between(*wanted.time_range()))
        if wanted.reverse:
            found.reverse()
        return _values(found[:wanted.limit]), total

    def delete(self, user: str | Literal[True] | None,
               query: Mapping[str, Any] | None = None) -> int:
        """Delete what matches and return how many it was (interface.Archive.delete)."""
        wanted = parse_other_query(query)
        deleted = 0
        for name in list(self._users) if user is True else [owner(user)]:
            archive = self._archive(name)
            kept = {key for _, key in archive.order[-wanted.truncate:]} if wanted.truncate else ()
            for item in _select(archive, wanted):
                if item.key not in kept:
                    self._remove(name, archive, item.key)
                    deleted += 1
            if not archive.by_key:
                self._users.pop(name, None)
        return deleted

    def summary(self, user: str | None,
                query: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
        """Return counts, times and newest bodies by `with`; ids in the query are ignored."""
        result: dict[str, dict[str, Any]] = {
            "counts": {}, "earliest": {}, "latest": {}, "body": {}}
        newest: dict[str, str] = {}
        wanted = parse_other_query({**(query or {}), "key": None, "ids": None})
        for item in _select(self._archive(user), wanted):
            when = seconds(item.position[0])
            result["counts"][item.with_] = result["counts"].get(item.with_, 0) + 1
            result["earliest"].setdefault(item.with_, when)
            result["latest"][item.with_] = when
            if "<body" in item.text:
                newest[item.with_] = item.text
        for with_, text in newest.items():
            body = body_text(item_value(text))
            if body is not None:
                result["body"][with_] = body
        return result

    def dates(self, user: str | None) -> list[str]:
        """Return the days (UTC, "YYYY-MM-DD") on which there are items."""
        return list(dict.fromkeys(day(when) for (when, _), _ in self._archive(user).order))

    def users(self) -> Iterator[str]:
        """Return the users who have items."""
        return iter([user for user in self.names() if user])

    def has(self, user: str) -> bool:
        """Tell whether a user has items."""
        return user in self.names()

    def names(self) -> list[str]:
        """Return all who have items, with the host as ""."""
        self._check_open()
        return [user for user, archive in self._users.items() if archive.by_key]

    def _archive(self, user: str | None) -> _UserArchive:
        self._check_open()
        return self._users.get(owner(user)) or _UserArchive()


def _cost(item: _Item) -> int:
    return cost(item.key, item.text)


def _nothing() -> None:
    """What waits for a write in memory."""


def _matches(item: _Item, query: Query) -> bool:
    return ((query.with_ is None or item.with_ == query.with_)
            and (query.ids is None or item.key in query.ids)
            and (query.fulltext is None
                 or matches(body_text(item_value(item.text)) or "", query.fulltext)))


def _select(archive: _UserArchive, query: Query) -> list[_Item]:
    low, high = query.time_range()
    for key in query.after:
        low = max(low, archive.position(key))
    for key in query.before:
        high = min(high, archive.position(key))
    return [item for item in archive.between(low, high) if _matches(item, query)]


def _values(items: list[_Item]) -> Iterator[ArchiveItem]:
    for item in items:
        value = item_value(item.text)
        if value is not None:
            yield item.key, value, seconds(item.position[0]), item.with_
