"""The items of one node in its archive: published, found, thrown away.

An archive has the payload of an item, its id as the key, and who has published it as `with`; an
item without a payload is kept as an empty <item/>. What is more than the node may have is deleted
after each publication; should that be cut short, it is not seen all the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import PUBSUB
from prosody_py.pubsub.node import UNKNOWN, Node
from prosody_py.xmpp.stanza import Stanza

MAX_KEPT = 8192  # characters of an item that is kept in memory because it is a node's last


class Item(NamedTuple):
    """A published item; `when` in seconds since 1970, `publisher` a bare JID or ""."""

    id: str
    payload: Stanza | None
    when: float
    publisher: str

    def element(self, xmlns: str | None = None, publisher: bool | str = False,
                payload: bool = True) -> Stanza:
        """Return the <item/>; `xmlns` where it stands on its own.

        `publisher` says whether to tell who has published it, or is a JID to tell instead.
        """
        attr = {"id": self.id}
        if xmlns is not None:
            attr["xmlns"] = xmlns
        if publisher and self.publisher:
            attr["publisher"] = self.publisher if publisher is True else publisher
        element = Stanza("item", attr)
        if payload and self.payload is not None:
            element.children.append(self.payload)
        return element


class Page(NamedTuple):
    """Some items, oldest first; `count` is that of all that there are, if it was asked for."""

    items: list[Item]
    count: int | None = None
    index: int | None = None


class Items:
    """The archive of a node, as the node's configuration lets it be seen.

    Args:
        node: the node.
        archive: the store (kind "archive").
        user: whose items they are there: an account, or None for the host.
        limit: the most items that a node of this service may have.
    """

    __slots__ = ("node", "archive", "user", "limit")

    def __init__(self, node: Node, archive: Any, user: str | None, limit: int):
        self.node, self.archive, self.user, self.limit = node, archive, user, limit

    @property
    def max(self) -> int:
        """How many items the node may have."""
        wanted = self.node["max_items"]
        return self.limit if wanted == "max" else max(1, min(int(wanted), self.limit))

    def _visible(self, **query: Any) -> dict[str, Any]:
        expire = self.node["item_expire"]
        if expire not in (None, "max"):
            query["start"] = time.time() - int(expire)
        return query

    def add(self, item: Item) -> None:
        """Store an item, in the place of the one with the same id; delete what is too much."""
        node = self.node
        replaced = node.last_id == item.id
        self.archive.append(self.user, item.id, _stored(item), item.when, item.publisher)
        node.changes += 1
        self._remember(item)
        if replaced and node.at_most is not None:
            return
        self._keep_to_limit()

    def add_all(self, items: Sequence[Item]) -> None:
        """Store several items, all or none of them; delete what is too much.

        Raises PubsubError for a store that cannot do that (a driver in Lua).
        """
        node = self.node
        append_all = getattr(self.archive, "append_all", None)
        if append_all is None:
            raise PubsubError("not-acceptable", "The store of this service takes an item at a time")
        append_all(self.user, [(item.id, _stored(item), item.when, item.publisher)
                               for item in items])
        node.changes += 1
        self._remember(items[-1])
        if node.at_most is None or node.at_most + len(items) > self.max:
            node.at_most = None
            self._keep_to_limit()
        else:
            node.at_most += len(items)

    def _remember(self, item: Item | None) -> None:
        node = self.node
        node.last_id, node.notice = None if item is None else item.id, None
        node.last = item if item is None or not _is_heavy(item.payload) else UNKNOWN

    def _keep_to_limit(self) -> None:
        node, most = self.node, self.max
        if node.at_most is not None and node.at_most < most:
            node.at_most += 1
            return
        if node.at_most is None:
            node.at_most = self.count()
            if node.at_most <= most:
                return
        gone = self.archive.delete(self.user, {"truncate": most})
        node.at_most = most if gone else None  # there were fewer: items have been replaced

    def count(self) -> int:
        """Return how many items are stored."""
        return self.archive.find(self.user, {"total": True, "limit": 0})[1] or 0

    def is_full_for(self, *ids: str) -> bool:
        """Whether more items with these ids would be more than the node may have."""
        room = self.max - self.count()
        return room < len(ids) and room < sum(self.archive.get(self.user, id) is None for id in ids)

    def get(self, id: str) -> Item | None:
        """Return one item."""
        found = self.archive.get(self.user, id)
        if found is None:
            return None
        start = self._visible().get("start")
        payload, when, publisher = found
        return None if start is not None and when < start else _item(id, payload, when, publisher)

    def newest(self, limit: int | None = None) -> list[Item]:
        """Return the items that were published last, oldest of them first."""
        most = self.max if limit is None else min(limit, self.max)
        if most <= 0:
            return []
        found = self.archive.find(self.user, self._visible(limit=most, reverse=True))[0]
        return [_item(*entry) for entry in found][::-1]

    def last(self) -> Item | None:
        """Return the item that was published last; kept in memory from then on."""
        node = self.node
        item = node.last
        while item is UNKNOWN:
            before = node.changes
            found = self.newest(1)
            item = found[0] if found else None
            if node.changes == before:
                self._remember(item)
                break
            else:  # somebody has published or retracted meanwhile
                item = node.last
        start = self._visible().get("start")
        return None if item is None or start is not None and item.when < start else item

    def page(self, request: Any, most: int) -> Page:
        """Return a page (XEP-0059) of the items, oldest first; raises StorageError for an id."""
        total = self.archive.find(self.user, self._visible(total=True, limit=0))[1] or 0
        if total > self.max:  # the first page would begin with what is too much
            self.archive.delete(self.user, {"truncate": self.max})
            total = self.max
        size = most if request.max is None else min(request.max, most)
        if request.max == 0:
            return Page([], total)
        if request.index is not None:
            items = self.newest()[request.index:request.index + size]
            return Page(items, total, request.index)
        query: dict[str, Any] = self._visible(limit=size)
        if request.after is not None:
            query["after"] = request.after
        elif request.backwards:
            query["reverse"] = True
            if request.before:
                query["before"] = request.before
        items = [_item(*entry) for entry in self.archive.find(self.user, query)[0]]
        if request.backwards:
            items.reverse()
        return Page(items, total, 0 if items and request.after is None and not request.backwards
                    else None)

    def remove(self, id: str) -> bool:
        """Delete one item; return whether there was one."""
        node = self.node
        gone = self.archive.delete(self.user, {"key": id}) > 0
        node.changes += 1
        if node.last_id == id:
            node.last, node.last_id, node.notice = UNKNOWN, None, None
        return gone

    def remove_all(self, ids: Sequence[str]) -> bool:
        """Delete several items; return whether they were all there, else none is deleted."""
        node = self.node
        if len(list(self.archive.find(self.user, {"ids": list(ids)})[0])) < len(ids):
            return False
        self.archive.delete(self.user, {"ids": list(ids)})
        node.changes += 1
        if node.last_id in ids:
            node.last, node.last_id, node.notice = UNKNOWN, None, None
        return True

    def clear(self) -> None:
        """Delete all items."""
        self.archive.delete(self.user)
        self.node.changes += 1
        self._remember(None)
        self.node.at_most = 0

    def shrink(self) -> None:
        """Delete what is more than the node may have by now, or older."""
        self.archive.delete(self.user, {"truncate": self.max})
        self.expire()
        self.node.changes += 1
        self.node.at_most, self.node.last, self.node.last_id = None, UNKNOWN, None

    def expire(self) -> None:
        """Delete what is older than the node's items may be."""
        start = self._visible().get("start")
        if start is not None:
            self.archive.delete(self.user, {"end": start})


def _stored(item: Item) -> Stanza:
    return Stanza("item", {"xmlns": PUBSUB}) if item.payload is None else item.payload


def _item(id: str, payload: Stanza, when: float, publisher: str) -> Item:
    if payload.name == "item" and payload.attr.get("xmlns") == PUBSUB:
        # What Prosody's older versions have written is the whole <item/>.
        payload = payload.tags[0] if payload.tags else None
    return Item(id, payload, when, publisher or "")


def _is_heavy(payload: Stanza | None) -> bool:
    """Whether a payload is too large to be kept in memory."""
    left, elements = MAX_KEPT, [] if payload is None else [payload]
    while elements:
        element = elements.pop()
        left -= 32 + sum(map(len, element.attr.values()))
        for child in element.children:
            if type(child) is str:
                left -= len(child)
            else:
                elements.append(child)
        if left < 0:
            return True
    return False


def keys_of(items: list[Item]) -> Mapping[Any, Any]:
    """Return items as Prosody's get_items does: ids by position, newest first, items by id."""
    result: dict[Any, Any] = {}
    for position, item in enumerate(reversed(items), 1):
        result[position] = item.id
        result[item.id] = item
    return result

