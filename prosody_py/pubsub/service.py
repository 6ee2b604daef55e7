"""A publish-subscribe service: the operations of XEP-0060, without their XML.

    service.create("news", "juliet@example.com/r", {"access_model": "open"})
    service.publish("news", "juliet@example.com/r", "1", payload)

An actor is a JID, or True for the server itself. Operations raise PubsubError for what is refused
and StorageError for what the store could not do; then nothing has changed. `service.events` tells
of what has happened, with Prosody's names: node-created, node-deleted, node-purged,
item-published, item-published/<node>, item-retracted, subscription-added, subscription-removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gevent.lock import RLock

from prosody_py.events.bus import Event, Events
from prosody_py.pubsub.access import Access, Actor
from prosody_py.pubsub.approval import Approvals
from prosody_py.pubsub.collections import Collections
from prosody_py.pubsub.digests import Digests
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.items import Items
from prosody_py.pubsub.leases import Leases
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.nodes import Nodes
from prosody_py.pubsub.notices import Notice
from prosody_py.pubsub.offline import Offline
from prosody_py.pubsub.publishing import Publishing
from prosody_py.pubsub.setup import Setup
from prosody_py.pubsub.subscriptions import Subscriptions
from prosody_py.pubsub.telling import Telling
from prosody_py.xmpp.stanza import Stanza


class Service(Access, Nodes, Publishing, Subscriptions, Telling, Collections, Leases, Offline,
              Digests, Approvals):
    """One service; `nodes` by name, `by_account` {bare JID: {JID: {names of nodes}}}."""

    def __init__(self, setup: Setup):
        self.setup = setup
        self.events = Events()
        self.nodes: dict[str, Node] = {}
        self.by_account: dict[str, dict[str, set[str]]] = {}
        self.children: dict[str, set[str]] = {}
        self._locks: dict[str, tuple[RLock, int]] = {}
        self._items: dict[str, Items] = {}
        for name, stored in setup.node_store.all():
            node = self.nodes[name] = Node.from_stored(name, stored, setup.node_defaults)
            for jid in (*node.subscribers, *node.pending):
                self._index(name, jid)
            self.note_child(node)
            if setup.add_timer is not None:
                self.note_leases(node)

    def fire(self, name: str, **fields: Any) -> None:
        """Fire an event of the service, if somebody listens."""
        if name in self.events.index or self.events.wrapped:
            self.events.fire_event(name, Event(service=self, **fields))

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Let one at a time change a node's own data."""
        lock, waiting = self._locks.get(name) or (RLock(), 0)
        self._locks[name] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            lock, waiting = self._locks[name]
            if waiting == 1:
                del self._locks[name]
            else:
                self._locks[name] = lock, waiting - 1

    def node(self, name: str | None) -> Node:
        """Return a node; raises PubsubError for none: "item-not-found", "gone" if it has moved."""
        if not name:
            raise PubsubError("nodeid-required")
        found = self.nodes.get(name)
        if found is None:
            uri = self.setup.node_store.moved_to(name)
            if uri is not None:
                raise PubsubError("gone", uri=uri)
            raise PubsubError("item-not-found", "There is no such node")
        return found

    def items(self, node: Node) -> Items:
        """Return the items of a node; raises PubsubError "unsupported" when it keeps none."""
        if not node["persist_items"] or node.is_collection:
            raise PubsubError("unsupported", feature="persistent-items")
        return self._archive(node)

    def _archive(self, node: Node) -> Items:
        found = self._items.get(node.name)
        if found is None or found.node is not node:
            archive = self.setup.open_items(node.name)
            found = self._items[node.name] = Items(node, archive, self.setup.user,
                                                   self.setup.max_items)
        return found

    def owners(self, node: Node) -> list[str]:
        """Return the owners of a node; an account owns what is its own."""
        found = node.owners()
        if self.setup.user is not None and self.setup.jid not in found:
            found.append(self.setup.jid)
        return found

    def broadcast(self, kind: str, name: str, jids: Iterable[str],
                  element: Stanza | None = None) -> None:
        """Tell these addresses, and nobody else, of something at a node, as a module wants it.

        `element` is an <item/> for the kind "items", a <retract/> for "retract".
        """
        node = self.nodes.get(name)
        if node is None:
            return
        id = element.attr.get("id") if element is not None else None
        message = Notice(kind, node, id=id, detail=element if kind == "items" else None).message(
            self.setup.jid)
        for jid in jids:
            self.setup.tell(jid, message)

    def get_nodes(self, actor: Actor) -> dict[str, Node]:
        """Return the nodes that somebody may know of, by name."""
        if actor is True:
            return dict(self.nodes)
        return {name: node for name, node in list(self.nodes.items())
                if self.may_see(node, actor)}
