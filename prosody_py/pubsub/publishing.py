"""Items: published, retracted, purged, and read (XEP-0060 sections 6.5, 7 and 8.5)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
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
        if publisher is None:
            publisher = self.setup.jid if actor is True else bare(actor)
        when, last = time.time(), node.last
        if last is not UNKNOWN and last is not None:
            when = max(when, last.when)  # whatever the clock does, the order stays
        item = Item(id, payload, when, publisher)
        if node["persist_items"]:
            items = self._archive(node)
            if node["publish_node_full"] == "reject" and items.is_full_for(id):
                raise PubsubError("node-full")
            if node.deleted:
                raise PubsubError("item-not-found", "The node was deleted meanwhile")
            self._add(items, item)
        if self.events.index:
            element = item.element("http://jabber.org/protocol/pubsub",
                                   self.setup.expose_publisher)
            self.fire("item-published/" + name, node=name, actor=actor, id=id, item=element)
            self.fire("item-published", node=name, actor=actor, id=id, item=element)
        self.notify_item(node, item, actor)
        self.setup.published(node, item)

    @staticmethod
    def _add(items: Items, item: Item) -> None:
        try:
            items.add(item)
        except StorageError as error:
            if error.condition != "quota-limit":
                raise
            raise PubsubError("node-full", "The store has no room for more") from None

    def publish_nothing(self, name: str, actor: Actor,
                        required: Mapping[str, Any] | None = None) -> None:
        """Notify the subscribers of a node that has neither items nor payloads (section 7.1)."""
        node = self._node_for(name, actor, required)
        if node["persist_items"]:
            raise PubsubError("item-required")
        if node["include_payload"]:
            raise PubsubError("payload-required")
        self.notify_item(node, None)

    def notify_item(self, node: Node, item: Item | None, actor: Actor | None = None) -> None:
        """Tell the subscribers of an item, None for an event without one."""
        if node["notify_items"]:
            self.notify(Notice("items", node, item, publisher=self.setup.expose_publisher,
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
        node = self.node(name)
        if not self.may(node, actor, "retract"):
            self.require(node, actor, "retract_own")
            item = self.items(node).get(id)
            if item is not None and item.publisher != bare(actor):
                raise PubsubError("forbidden", "Somebody else has published this item")
        if not self.items(node).remove(id):
            raise PubsubError("item-not-found", "There is no such item")
        self.fire("item-retracted", node=name, actor=actor, id=id)
        if notify or node["notify_retract"]:
            self.notify(Notice("retract", node, id=id))
        self.setup.retracted(node, id)

    def purge(self, name: str, actor: Actor, notify: bool = False) -> None:
        """Delete all items (section 8.5)."""
        node = self.node(name)
        self.require(node, actor, "purge")
        self.items(node).clear()
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
        return self.items(node).last() if node["persist_items"] else None
