"""One page of an archive, as XEP-0313 asks for it: found by its neighbours, never by counting.

A page costs a seek and its own items, however many there are before and after it. The number of
all items is told where it is known anyway: without a filter, on the only page, or when the client
asks for nothing else (`max` of 0). So is the place of a page among all items: at the beginning, and
at the end if their number is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prosody_py.storage.interface import ArchiveItem, StorageError
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.mam import ArchiveQuery

MAX_LOOKED_AT = 20_000  # items, where the store cannot tell which ones match


@dataclass(slots=True)
class Page:
    """Items in order of time; `complete` when there are no more in the direction of paging.

    `count` is the number of all items, `index` how many of them come before those of the page;
    None where that is not known.
    """

    items: list[ArchiveItem]
    complete: bool
    count: int | None = None
    index: int | None = None


def read_page(archive: Any, user: str | None, query: ArchiveQuery, most: int, *,
              with_: str | None = None,
              keep: Callable[[ArchiveItem], bool] | None = None) -> Page:
    """Return the page that `query` asks for, of at most `most` items.

    Args:
        with_: what the items are stored with; the query's own `with_` is not looked at.
        keep: what else an item must fulfil.

    Raises StanzaError "item-not-found" for an id that is not in the archive; StorageError.
    """
    try:
        return _read_page(archive, user, query, most, with_, keep)
    except StorageError as error:
        if error.condition == "item-not-found":
            raise StanzaError("item-not-found", "There is no message with this id") from None
        raise


def _read_page(archive, user, query: ArchiveQuery, most: int, with_, keep) -> Page:
    page = query.page
    size = most if page.max is None else min(page.max, most)
    wanted = _store_query(query, with_)
    if query.ids is not None:
        _check_ids(archive, user, query.ids)
    unfiltered = (keep is None and query.after_id is query.before_id is None
                  and not wanted.keys() - {"before", "after"})
    if size == 0:
        total = None if keep else archive.find(user, {**wanted, "limit": 0, "total": True})[1]
        return Page([], total == 0, total)
    found, total = archive.find(user, {
        **wanted, "limit": None if keep else size + 1, "reverse": page.backwards,
        "total": unfiltered})
    items = list(found) if keep is None else _picked(found, keep, size + 1)
    complete = len(items) <= size
    del items[size:]
    if page.backwards:
        items.reverse()
    at_start = complete if page.backwards and not page.after else page.after is None
    at_end = not page.before if page.backwards else complete
    if at_start and at_end:
        return Page(items, complete, len(items), 0)
    return Page(items, complete, total,
                0 if at_start else total - len(items) if at_end and total is not None else None)


def _store_query(query: ArchiveQuery, with_: str | None) -> dict[str, Any]:
    page = query.page
    fields = {
        "with": with_, "start": query.start, "end": query.end, "ids": query.ids,
        "fulltext": query.fulltext,
        "after": [id for id in (query.after_id, page.after) if id],
        "before": [id for id in (query.before_id, page.before) if id]}
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _check_ids(archive, user, ids: tuple[str, ...]) -> None:
    items, total = archive.find(user, {"ids": ids, "limit": 0, "total": True})
    if (total if total is not None else sum(1 for _ in items)) < len(ids):
        raise StorageError("item-not-found", "an archive has no item with this id")


def _picked(found, keep, most: int) -> list[ArchiveItem]:
    items: list[ArchiveItem] = []
    for number, item in enumerate(found):
        if keep(item):
            items.append(item)
            if len(items) == most:
                break
        elif number >= MAX_LOOKED_AT:
            raise StanzaError("resource-constraint", "Too many messages have to be looked at; "
                              "ask for a shorter time")
    return items


def ends(archive: Any, user: str | None, **query: Any) -> list[tuple[str, float]]:
    """Return (id, time) of the first and the last item, nothing of an empty archive."""
    found = []
    for reverse in (False, True):
        for id, _value, when, _with in archive.find(
                user, {**query, "limit": 1, "reverse": reverse})[0]:
            found.append((id, when))
    return found
