"""Collections of nodes (XEP-0248), for a service that has them.

Data and owner: a node says in its own configuration which collection it is in (one at most, so
there is a tree); who is in a collection is worked out from that and kept in memory. Each change is
the write of one node, so the tree is whole whenever the server stops. A tree is MAX_DEPTH high and
a collection has MAX_CHILDREN, so what a publication costs is bounded.

A subscriber of a collection is told of what happens to the nodes in it by type ("items", "nodes",
"all") and depth of the subscription, and only of nodes that it might read by itself: an open
collection opens nothing else. Who is told already is not told again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from prosody_py.pubsub.access import Actor, bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import Notice, Wish
from prosody_py.pubsub.subscribe_options import BODY, DEPTH, TYPE, wants_delivery
from prosody_py.xmpp.stanza import Stanza

MAX_DEPTH, MAX_CHILDREN = 10, 1000
MAX_MOVED = 200  # nodes that one request may move: each is a write, and a notification
TREE = frozenset(("node_type", "collection", "children"))
"""The options of a node that change the tree."""


class Collections:
    """Mixed into Service."""

    setup: Any
    nodes: dict[str, Node]
    children: dict[str, set[str]]  # by the name of the collection

    def tree_lock(self, config: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Let one at a time change the tree, if a configuration does."""
        return nullcontext() if TREE.isdisjoint(config) else self.locked("")

    def parents(self, node: Node) -> list[Node]:
        """Return the collections that a node is in, the nearest first."""
        found: list[Node] = []
        name = node.config.get("collection")
        while name and len(found) <= MAX_DEPTH:
            parent = self.nodes.get(name)
            if parent is None or not parent.is_collection:
                break
            found.append(parent)
            name = parent.config.get("collection")
        return found

    def children_of(self, node: Node) -> list[str]:
        """Return the names of the nodes in a collection."""
        return sorted(self.children.get(node.name, ()))

    def note_child(self, node: Node, before: str | None = None) -> None:
        """Note which collection a node is in, and that it is not in another one any more."""
        if before:
            known = self.children.get(before, set())
            known.discard(node.name)
            if not known:
                self.children.pop(before, None)
        now = node.config.get("collection")
        if now and not node.deleted:
            self.children.setdefault(now, set()).add(node.name)

    # -- what may be -------------------------------------------------------------------------

    def check_tree(self, node: Node | None, actor: Actor, config: Mapping[str, Any],
                   ) -> tuple[dict[str, Any], set[str]]:
        """Return a configuration without `children`, and whose place changes with it.

        Raises PubsubError for a tree that cannot be; `node` is None for a new one.
        """
        wanted = dict(config)
        if not self.setup.collections or TREE.isdisjoint(wanted):
            return wanted, set()
        if wanted.get("collection") == "":  # the root, which stands for no collection
            wanted["collection"] = None
        before = None if node is None else node["node_type"]
        type = wanted.get("node_type") or ("leaf" if "node_type" in wanted else before or "leaf")
        if before == "collection" and type == "leaf":
            raise PubsubError("no-such-tree", "A collection does not become a leaf")
        if wanted.get("collection"):
            if node is None or wanted["collection"] != node.config.get("collection"):
                self._check_place(node, self.node(wanted["collection"]), actor)
        have = set() if node is None else self.children.get(node.name, set())
        if "children" not in wanted:
            return wanted, set()
        names = set((wanted.pop("children") or "").split("\n")) - {""}
        if names and type != "collection":
            raise PubsubError("no-such-tree", "A leaf has no children")
        most = wanted.get("children_max", None if node is None else node["children_max"])
        if len(names) > _most(most):
            raise PubsubError("too-many-children", f"It has at most {_most(most)} children")
        if len(names ^ have) > MAX_MOVED:
            raise PubsubError("not-acceptable", f"Move at most {MAX_MOVED} nodes at once")
        above = self._above(node, wanted)
        for name in names - have:
            child = self.node(name)
            if not self.may(child, actor, "configure"):
                raise PubsubError("no-place", "This is not your node")
            if child is node or child in above:
                raise PubsubError("no-such-tree", "A collection is not in itself")
            if len(above) + 1 + self._height(child) > MAX_DEPTH:
                raise PubsubError("no-such-tree", f"A tree is at most {MAX_DEPTH} high")
        return wanted, names ^ have

    def _above(self, node: Node | None, wanted: Mapping[str, Any]) -> list[Node]:
        if "collection" not in wanted:
            return [] if node is None else self.parents(node)
        parent = self.nodes.get(wanted["collection"] or "")
        return [] if parent is None else [parent, *self.parents(parent)]

    def _check_place(self, node: Node | None, parent: Node, actor: Actor) -> None:
        """Raise PubsubError unless a node (None: a new one) may be in a collection."""
        if not parent.is_collection:
            raise PubsubError("no-such-tree", "A leaf has no children")
        policy = parent["children_association_policy"]
        if not self.may(parent, actor, "configure") and policy != "all" and not (
                policy == "whitelist" and actor is not True
                and bare(actor) in (parent["children_association_whitelist"] or ())):
            raise PubsubError("no-place", "Its owners do not let you add to this collection")
        above = [parent, *self.parents(parent)]
        if node in above:
            raise PubsubError("no-such-tree", "A collection is not in itself")
        if len(above) + (0 if node is None else self._height(node)) > MAX_DEPTH:
            raise PubsubError("no-such-tree", f"A tree is at most {MAX_DEPTH} high")
        most = _most(parent["children_max"])
        if len(self.children.get(parent.name, ())) >= most:
            raise PubsubError("too-many-children", f"It has at most {most} children")

    def _height(self, node: Node) -> int:
        return max((1 + self._height(self.nodes[name])
                    for name in self.children.get(node.name, ()) if name in self.nodes), default=0)

    # -- changes -----------------------------------------------------------------------------

    def associate(self, parent_name: str, actor: Actor, name: str) -> None:
        """Put a node into a collection."""
        with self.locked(""):
            parent, node = self.node(parent_name), self.node(name)
            if not self.may(node, actor, "configure"):
                raise PubsubError("no-place", "This is not your node")
            if node.config.get("collection") != parent.name:
                self._check_place(node, parent, actor)
                self.set_parent(node, parent.name)

    def dissociate(self, parent_name: str, actor: Actor, name: str) -> None:
        """Take a node out of a collection."""
        with self.locked(""):
            parent, node = self.node(parent_name), self.node(name)
            if not self.may(node, actor, "configure") and not self.may(parent, actor, "configure"):
                raise PubsubError("no-place", "Neither the node nor the collection is yours")
            if node.config.get("collection") != parent.name:
                raise PubsubError("bad-request", "The node is not in this collection")
            self.set_parent(node, None)

    def change_children(self, node: Node, names: set[str]) -> None:
        """Put nodes into a collection that are not in it, take out those that are."""
        for name in sorted(names):
            child = self.nodes.get(name)
            if child is not None:
                inside = child.config.get("collection") == node.name
                self.set_parent(child, None if inside else node.name)

    def orphan_children(self, node: Node) -> None:
        """Let the nodes in a collection that goes be in none; nobody is told of each."""
        for name in self.children_of(node):
            if name in self.nodes:
                self._move(self.nodes[name], None)

    def set_parent(self, node: Node, parent: str | None) -> None:
        """Move a node to another place, and tell the subscribers of both collections."""
        self.tell_place(node, self._move(node, parent))

    def _move(self, node: Node, parent: str | None) -> str | None:
        """Move a node; return where it has been."""
        with self.locked(node.name):
            if node.deleted:
                return node.config.get("collection")
            config = {key: value for key, value in node.config.items() if key != "collection"}
            if parent is not None:
                config["collection"] = parent
            self.setup.node_store.set(node.name, node.to_stored(config=config))
            before, node.config = node.config.get("collection"), config
            self.note_child(node, before)
        return before

    def tell_place(self, node: Node, before: str | None) -> None:
        """Tell the subscribers of collections that a node has come or gone."""
        now = node.config.get("collection")
        if before != now:
            for name, word in ((before, "dissociate"), (now, "associate")):
                if name in self.nodes:
                    detail = Stanza(word, {"node": node.name})
                    self.notify(Notice("collection", self.nodes[name], detail=detail, about=node))

    # -- telling -----------------------------------------------------------------------------

    def add_subscribers_above(self, notice: Notice, receivers: dict[str, Wish]) -> None:
        """Add who has subscribed to the collections that a node is in."""
        wanted = "items" if notice.kind in ("items", "retract", "purge") else "nodes"
        first = 1 if notice.about is notice.node else 2
        for distance, parent in enumerate(self.parents(notice.node), first):
            watched = parent["access_model"] in ("presence", "roster")
            for jid in list(parent.subscribers):
                if jid in receivers or watched and self._why_not_have(parent, jid) is not None:
                    continue
                wish = self._wish_above(parent, jid, wanted, distance)
                if wish is not None and self.why_not_read(notice.about, jid) is None:
                    receivers[jid] = wish

    def _wish_above(self, parent: Node, jid: str, wanted: str, distance: int) -> Wish | None:
        have, subids, body = parent.subscriptions(jid), [], False
        for subid, options in have.items():
            own = options if isinstance(options, dict) else {}
            if (covers(own, wanted, distance) and wants_delivery(own)
                    and self.is_reachable(parent, jid, own)):
                subids.append(subid)
                body = body or bool(own.get(BODY))
        return Wish(body, tuple(subids) if len(have) > 1 else (), parent.name) if subids else None


def covers(options: dict[str, Any], wanted: str, distance: int) -> bool:
    """Whether a subscription to a collection is for such things, so far below it."""
    depth = options.get(DEPTH, 1)
    return options.get(TYPE, "nodes") in (wanted, "all") and (
        depth == "all" or distance <= int(depth))


def _most(children_max: Any) -> int:
    return MAX_CHILDREN if children_max in (None, "max") else min(int(children_max), MAX_CHILDREN)
