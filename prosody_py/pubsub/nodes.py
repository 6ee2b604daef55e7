"""Nodes: created, configured, deleted, and affiliations with them (XEP-0060 section 8)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from prosody_py.pubsub import node_config
from prosody_py.pubsub.access import Actor, bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.node import AFFILIATIONS, FIRST, Node
from prosody_py.pubsub.notices import PLAIN, Notice
from prosody_py.xmpp import jid as addresses
from prosody_py.xmpp.prep import MAX_BYTES
from prosody_py.xmpp.stanza import Stanza

MAX_PUBLISHERS = 200  # publishers that metadata names
METADATA = ("title", "description", "language", "contact", "payload_type", "access_model",
            "publish_model", "max_items")
ACCESS = frozenset(("access_model", "roster_groups_allowed"))
"""The options that say who may see a node."""


def check_name(name: Any) -> None:
    """Raise PubsubError for what cannot be the name of a node."""
    if not isinstance(name, str) or not name:
        raise PubsubError("nodeid-required")
    if len(name.encode("utf-8", "replace")) > MAX_BYTES or not name.isprintable():
        raise PubsubError("not-acceptable", f"A node's name has at most {MAX_BYTES} bytes of "
                          "characters that can be seen")


class Nodes:
    """Mixed into Service."""

    setup: Any
    nodes: dict[str, Node]

    def create(self, name: str, actor: Actor, config: Mapping[str, Any] | None = None) -> None:
        """Make a node (section 8.1); the actor, if it is not the server, becomes its owner."""
        check_name(name)
        self.require(None, actor, "create")
        with self.tree_lock(config or {}):
            wanted, children = self.check_tree(None, actor, config or {})
            node = self._create(name, actor, self.checked(wanted))
            self.change_children(node, children)
        self.fire("node-created", node=name, actor=actor)
        if node.config.get("collection"):
            self.notify(Notice("create", node))

    def _create(self, name: str, actor: Actor, wanted: dict[str, Any]) -> Node:
        with self.locked(name):
            if name in self.nodes:
                raise PubsubError("conflict", "There is such a node already")
            if len(self.nodes) >= self.setup.max_nodes:
                raise PubsubError("max-nodes-exceeded",
                                  f"There are {self.setup.max_nodes} nodes already")
            node = Node(name, self.setup.node_defaults, wanted)
            node.created, node.at_most, node.last = time.time(), 0, None
            if actor is not True:
                node.creator = bare(actor)
                node.affiliations[node.creator] = "owner"
            self.setup.node_store.set(name, node.to_stored())
            self.nodes[name] = node
            self.note_child(node)
            if self.setup.node_store.moved_to(name) is not None:
                self.setup.node_store.set_moved(name, None)
        return node

    def checked(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration without what it does not say; raises PubsubError."""
        wanted = {key: value for key, value in config.items()
                  if value is not None and not key.startswith("_")}
        node_config.check(wanted)
        most = wanted.get("max_items")
        if most not in (None, "max") and int(most) > self.setup.max_items:
            raise PubsubError("not-acceptable",
                              f"A node has at most {self.setup.max_items} items")
        return wanted

    def delete(self, name: str, actor: Actor, redirect: str | None = None) -> None:
        """Delete a node and its items (section 8.4); `redirect` is the URI where it has moved."""
        node = self.node(name)
        self.require(node, actor, "delete")
        with self.locked("") if node.is_collection else nullcontext():
            self.orphan_children(node)
            self._delete(node, redirect)
        self.fire("node-deleted", node=name, actor=actor)
        if node["notify_delete"]:
            detail = Stanza("redirect", {"uri": redirect}) if redirect else None
            notice = Notice("delete", node, detail=detail)
            receivers = dict.fromkeys([*node.pending, *node.subscribers], PLAIN)
            self.add_subscribers_above(notice, receivers)
            self.setup.deliver(notice, receivers)
        self.setup.retracted(node, None)

    def _delete(self, node: Node, redirect: str | None) -> None:
        name = node.name
        with self.locked(name):
            if self.nodes.get(name) is not node:
                raise PubsubError("item-not-found")
            del self.nodes[name]
            node.deleted = True
            try:
                self._archive(node).clear()
                if redirect:
                    self.setup.node_store.set_moved(name, redirect, self.setup.max_nodes)
                self.setup.node_store.set(name, None)
            except BaseException:
                node.deleted = False
                self.nodes[name] = node
                raise
            self._items.pop(name, None)
            self.note_child(node, node.config.get("collection"))
            for jid in (*node.subscribers, *node.pending):
                self._unindex(name, jid)
                for subid in node.subscriptions(jid) or (FIRST,):
                    self.forget_lease(node, jid, subid)
            self.forget_digests(node)

    # -- configuration ---------------------------------------------------------------------

    def get_node_config(self, name: str, actor: Actor) -> dict[str, Any]:
        """Return a node's whole configuration."""
        node = self.node(name)
        self.require(node, actor, "configure")
        if not node.is_collection:
            return node.settings()
        return {**node.settings(), "children": "\n".join(self.children_of(node))}

    def set_node_config(self, name: str, actor: Actor, config: Mapping[str, Any]) -> None:
        """Change the options that `config` names; None takes one back to the default."""
        node = self.node(name)
        self.require(node, actor, "configure")
        told = None
        if any(option in config and config[option] != node[option] for option in ACCESS):
            told = set(self.setup.audience(node))
        with self.tree_lock(config):
            config, children = self.check_tree(node, actor, config)
            with self.locked(name):
                self._still_there(node)
                changed = self.checked({**node.config, **config})
                self.setup.node_store.set(name, node.to_stored(config=changed))
                before, node.config, node.notice = node.settings(), changed, None
                self.note_child(node, before.get("collection"))
            self.change_children(node, children)
        self._follow(node, before)
        self.tell_place(node, before.get("collection"))
        if node["notify_config"]:
            detail = None
            if node["include_payload"]:
                detail = node_config.form_for(self.setup, node.settings(), "result")
            self.notify(Notice("configuration", node, detail=detail))
        if told is not None:
            for address in self.setup.audience(node):
                if address not in told:  # it can see the node only since now (12.2)
                    self.send_last(node, address, [])

    def _still_there(self, node: Node) -> None:
        if node.deleted:
            raise PubsubError("item-not-found", "The node was deleted meanwhile")

    def _follow(self, node: Node, before: Mapping[str, Any]) -> None:
        """Bring items and subscriptions in line with another configuration."""
        after = node.settings()
        if not after["persist_items"] or node.is_collection:
            if before["persist_items"] and before["node_type"] == "leaf":
                self._archive(node).clear()
        elif (after["max_items"], after["item_expire"]) != (before["max_items"],
                                                            before["item_expire"]):
            self._archive(node).shrink()
        if any(after.get(option) != before.get(option) for option in ACCESS):
            self.settle_all(node)
        if after["purge_offline"] and not before["purge_offline"]:
            self.purge_absent(node)
        if after["tempsub"] and not before["tempsub"] and self.setup.shows is not None:
            self.end_absent(node)

    def get_node_metadata(self, name: str, actor: Actor) -> dict[str, Any]:
        """Return what everybody who may know of a node may know about it (section 5.4)."""
        node = self.node(name)
        if not self.may_see(node, actor):
            raise PubsubError("forbidden")
        known = {option: node[option] for option in METADATA if node[option] is not None}
        known["num_subscribers"] = len(node.subscribers)
        known["owner"] = self.owners(node)
        publishers = [jid for jid, affiliation in node.affiliations.items()
                      if affiliation in ("publisher", "publish-only")]
        if publishers:
            known["publisher"] = publishers[:MAX_PUBLISHERS]
        if node.creator is not None:
            known["creator"] = node.creator
        if node.created is not None:
            known["creation_date"] = node.created
        return known

    # -- affiliations ----------------------------------------------------------------------

    def get_affiliations(self, name: str, actor: Actor) -> dict[str, str]:
        """Return the affiliations with a node by JID (section 8.9.1)."""
        node = self.node(name)
        self.require(node, actor, "manage")
        return {**dict.fromkeys(self.owners(node), "owner"), **node.affiliations}

    def set_affiliation(self, name: str, actor: Actor, jid: str,
                        affiliation: str | None) -> None:
        """Give somebody an affiliation with a node; None or "none" takes it away.

        The last owner stays one (section 8.9.2.4). Who may not be subscribed any longer is
        unsubscribed, who waits for an approval and needs none any more is subscribed.
        """
        node = self.node(name)
        self.require(node, actor, "manage")
        account = addresses.prep(addresses.bare(jid)) if isinstance(jid, str) else None
        if account is None:
            raise PubsubError("jid-required")
        if affiliation == "none":
            affiliation = None
        if affiliation is not None and affiliation not in AFFILIATIONS:
            raise PubsubError("not-acceptable", "There is no such affiliation")
        with self.locked(name):
            self._still_there(node)
            wanted = dict(node.affiliations)
            if affiliation is None:
                wanted.pop(account, None)
            else:
                wanted[account] = affiliation
            self._keep_an_owner(node, wanted)
            if len(wanted) > self.setup.max_subscribers:
                raise PubsubError("not-acceptable", "There are too many affiliations")
            self.setup.node_store.set(name, node.to_stored(affiliations=wanted))
            node.affiliations = wanted
        self.settle(node, account)

    def forget(self, account: str) -> None:
        """Take from an account that is gone what it was to the nodes: the next of its name is
        somebody else. An outcast stays one; a node may be left to those who own the service.
        """
        for jid, names in list(self.by_account.get(bare(account), {}).items()):
            for name in sorted(names):
                self.remove_subscription(name, True, jid)
        for node in list(self.nodes.values()):
            if node.creator != account and node.affiliations.get(account) in (None, "outcast"):
                continue
            with self.locked(node.name):
                if not node.deleted:
                    wanted = {jid: what for jid, what in node.affiliations.items()
                              if jid != account or what == "outcast"}
                    creator = None if node.creator == account else node.creator
                    self.setup.node_store.set(node.name, node.to_stored(
                        affiliations=wanted, creator=creator))
                    node.affiliations, node.creator = wanted, creator

    def _keep_an_owner(self, node: Node, wanted: Mapping[str, str]) -> None:
        if node.owners() and "owner" not in wanted.values():
            raise PubsubError("not-acceptable", "A node needs an owner")

    def set_node_capabilities(self, name: str, actor: Actor, rules: Any) -> None:
        """Let a node's own rules go before those of the service: {affiliation: {action: bool}}."""
        node = self.node(name)
        self.require(node, actor, "configure")
        node.capabilities = rules
