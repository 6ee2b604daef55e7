"""Items: published, retracted, purged, and read (XEP-0060 sections 6.5, 7 and 8.5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prosody_py.pubsub.access import Actor, bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.items import Item, Items, Page
from prosody_py.pubsub.node import UNKNOWN, Node
from prosody_py.pubsub.notices import Notice
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp.prep import MAX_BYTES
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

MAX_IDS = 500  # items that one request may name
MAX_BATCH = 100  # items that one request may publish or retract


class Publishing:
    """Mixed into Service."""

    setup: Any
    nodes: dict[str, Node]

    def publish(self, name: str, actor: Actor, id: str, payload: Stanza | None,
                required: Mapping[str, Any] | None = None, publisher: str | None = None) -> None:
        """Publish an item (section 7.1); `payload` None is an item without one.

        A node that exists must have the configuration `required`, unless that holds
        "_defaults_only"; one that is made for the item gets it (section 7.1.5). `publisher` is
        who has sent it, if that is not the actor.
        """
        node = self._node_for(name, actor, required)
        self.check_item(node, id, payload)
        item = self._new_item(node, actor, id, payload, publisher)
        if node["persist_items"]:
            items = self._room_for(node, id)
            self._add(items.add, item)
        self._published(node, actor, [item])

    def publish_all(self, name: str, actor: Actor, contents: Sequence[tuple[str, Stanza | None]],
                    required: Mapping[str, Any] | None = None) -> None:
        """Publish several items, (id, payload) each, at once: all of them or none (12.9).

        One notification tells of all; the last one is the node's last item.
        """
        ids = [id for id, _payload in contents]
        if len(ids) > MAX_BATCH:
            raise PubsubError("max-items-exceeded", f"Publish at most {MAX_BATCH} items at once")
        if len(set(ids)) < len(ids):
            raise PubsubError("bad-request", "Each id stands once among the items")
        node = self._node_for(name, actor, required)
        for id, payload in contents:
            self.check_item(node, id, payload)
        new = [self._new_item(node, actor, id, payload, None) for id, payload in contents]
        if node["persist_items"]:
            if len(new) > self.items(node).max:
                raise PubsubError("max-items-exceeded", "The node does not have so many items")
            self._add(self._room_for(node, *ids).add_all, new)
        self._published(node, actor, new)

    def _new_item(self, node: Node, actor: Actor, id: str, payload: Stanza | None,
                  publisher: str | None) -> Item:
        if publisher is None:
            publisher = self.setup.jid if actor is True else bare(actor)
        when, last = time.time(), node.last
        if last is not UNKNOWN and last is not None:
            when = max(when, last.when)  # whatever the clock does, the order stays
        return Item(id, payload, when, publisher)

    def _room_for(self, node: Node, *ids: str) -> Items:
        """Return a node's items; raises PubsubError when no more may come."""
        items = self._archive(node)
        if node["publish_node_full"] == "reject" and items.is_full_for(*ids):
            raise PubsubError("node-full")
        if node.deleted:
            raise PubsubError("item-not-found", "The node was deleted meanwhile")
        return items

    @staticmethod
    def _add(add: Callable[[Any], None], what: Any) -> None:
        try:
            add(what)
        except StorageError as error:
            if error.condition != "quota-limit":
                raise
            raise PubsubError("node-full", "The store has no room for more") from None

    def _published(self, node: Node, actor: Actor, new: Sequence[Item]) -> None:
        for item in new if self.events.index else ():
            element = item.element("http://jabber.org/protocol/pubsub",
                                   self.setup.expose_publisher)
            name, id = node.name, item.id
            self.fire("item-published/" + name, node=name, actor=actor, id=id, item=element)
            self.fire("item-published", node=name, actor=actor, id=id, item=element)
        if node["purge_offline"]:
            self.note_publisher(node, new[0].publisher)
        self.notify_items(node, new, actor)
        for item in new:
            self.setup.published(node, item)

    def publish_nothing(self, name: str, actor: Actor,
                        required: Mapping[str, Any] | None = None) -> None:
        """Notify the subscribers of a node that has neither items nor payloads (section 7.1)."""
        node = self._node_for(name, actor, required)
        if node.is_collection:
            raise PubsubError("unsupported", "A collection has no items", feature="publish")
        if node["persist_items"]:
            raise PubsubError("item-required")
        if node["include_payload"]:
            raise PubsubError("payload-required")
        self.notify_items(node, ())

    def notify_items(self, node: Node, items: Sequence[Item], actor: Actor | None = None) -> None:
        """Tell the subscribers of items, of none for an event without one."""
        if node["notify_items"]:
            self.notify(Notice("items", node, items=items, publisher=self.shown_publisher(node),
                               actor=actor))

    def _node_for(self, name: str, actor: Actor, required: Mapping[str, Any] | None) -> Node:
        """Return the node to publish to, which may have to be made."""
        if name in self.nodes or not self.setup.autocreate_on_publish:
            node = self.node(name)
            if not self.may_publish(node, actor):
                raise PubsubError("forbidden")
            if required and not required.get("_defaults_only"):
                self.check_preconditions(node, required)
            return node
        self.require(None, actor, "create")
        # Who owns the whole service needs no affiliation with a node of it.
        owns_all = actor is True or self.affiliation(None, actor) == "owner"
        try:
            self.create(name, True if owns_all else actor,
                        {**(self.setup.config_for(name) or {}), **(required or {})})
        except PubsubError as error:
            if error.name != "conflict":
                raise
        return self.node(name)

    def check_preconditions(self, node: Node, required: Mapping[str, Any]) -> None:
        """Raise PubsubError unless a node has the configuration that a publisher requires."""
        for option, value in required.items():
            have = node[option]
            if option == "max_items":
                have, value = (self.setup.max_items if number == "max" else number
                               for number in (have, value))
            if have != value and not option.startswith("_") and (have or value):
                raise PubsubError("precondition-not-met", f"Field does not match: {option}")

    def check_item(self, node: Node, id: str, payload: Stanza | None) -> None:
        """Raise PubsubError for an item that a node cannot have (section 7.1.3)."""
        if node.is_collection:
            raise PubsubError("unsupported", "A collection has no items", feature="publish")
        if not id or len(id) > MAX_BYTES:
            raise PubsubError("not-acceptable", f"An item's id has at most {MAX_BYTES} characters")
        if not node["persist_items"] and not node["include_payload"]:
            raise PubsubError("item-forbidden")
        if payload is None:
            if node["include_payload"]:
                raise PubsubError("payload-required")
            return
        most = [size for size in (node["max_payload_size"], self.setup.max_payload_size) if size]
        if most and len(serialize(payload).encode("utf-8", "replace")) > min(most):
            raise PubsubError("payload-too-big", f"A payload has at most {min(most)} bytes")

    def retract(self, name: str, actor: Actor, id: str, notify: bool = False) -> None:
        """Delete an item (section 7.2); subscribers are told if `notify` or the node says so."""
        self.retract_all(name, actor, [id], notify)

    def retract_all(self, name: str, actor: Actor, ids: Sequence[str],
                    notify: bool = False) -> None:
        """Delete several items at once: all of them or none (section 12.9)."""
        node, ids = self.node(name), list(dict.fromkeys(ids))
        if len(ids) > MAX_BATCH:
            raise PubsubError("max-items-exceeded", f"Retract at most {MAX_BATCH} items at once")
        if not self.may(node, actor, "retract"):
            self.require(node, actor, "retract_own")
            items = self.items(node)
            if any(item is not None and item.publisher != bare(actor)
                   for item in map(items.get, ids)):
                raise PubsubError("forbidden", "Somebody else has published this item")
        items = self.items(node)
        if not (items.remove(ids[0]) if len(ids) == 1 else items.remove_all(ids)):
            raise PubsubError("item-not-found", "There is no such item")
        for id in ids:
            self.fire("item-retracted", node=name, actor=actor, id=id)
        if notify or node["notify_retract"]:
            self.notify(Notice("retract", node, ids=ids))
        for id in ids:
            self.setup.retracted(node, id)

    def purge(self, name: str, actor: Actor, notify: bool = False) -> None:
        """Delete all items (section 8.5)."""
        node = self.node(name)
        self.require(node, actor, "purge")
        self.items(node).clear()
        self.forget_digests(node)
        self.fire("node-purged", node=name, actor=actor)
        if notify or node["notify_retract"]:
            self.notify(Notice("purge", node))
        self.setup.retracted(node, None)

    # -- reading ---------------------------------------------------------------------------

    def require_reading(self, node: Node, actor: Actor) -> None:
        """Raise the PubsubError of who may not retrieve items."""
        why_not = self.why_not_read(node, actor)
        if why_not is not None:
            raise PubsubError(why_not)

    def get_items(self, name: str, actor: Actor, ids: Iterable[str] | None = None,
                  page: Any = None, most: int | None = None) -> Page:
        """Return items, oldest first (section 6.5).

        Args:
            ids: those that are wanted; what there is not is left out.
            page: a page of them, as rsm.page_request reads it.
            most: not more than so many, of the newest.
        """
        node = self.node(name)
        self.require_reading(node, actor)
        items = self.items(node)
        if ids is not None:
            wanted = list(dict.fromkeys(ids))
            if len(wanted) > MAX_IDS:
                raise PubsubError("not-acceptable", f"Ask for at most {MAX_IDS} items at once")
            found = [item for item in map(items.get, wanted) if item is not None]
            return Page(found)
        if page is None:
            return Page(items.newest(most))
        try:
            return items.page(page, items.max if most is None else most)
        except StorageError as error:
            if error.condition == "item-not-found":
                raise PubsubError("item-not-found", "The page begins at no item") from None
            raise

    def get_last_item(self, name: str, actor: Actor) -> Item | None:
        """Return the item that was published last; None when there is none."""
        node = self.node(name)
        self.require_reading(node, actor)
        return self.items(node).last() if node["persist_items"] and not node.is_collection else None
