"""Who may do what (XEP-0060 sections 4.1 and 4.5): affiliations, access models, publish models.

An actor is a JID, or True for the server itself, which may do anything. An explicit affiliation
goes before what the service says of somebody, and that before the node's access model.
"""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.node import Node
from prosody_py.xmpp import jid as addresses

Actor = str | bool

_MEMBER = frozenset(("subscribe", "get_items", "get_metadata"))
_PUBLISHER = _MEMBER | {"publish", "retract"}
_OWNER = _PUBLISHER | {"create", "delete", "configure", "purge", "manage"}
CAN: dict[str, frozenset[str]] = {
    "owner": _OWNER,
    "publisher": _PUBLISHER,
    "publish-only": frozenset(("publish", "retract_own", "get_metadata")),
    "member": _MEMBER,
    "none": frozenset(),
    "outcast": frozenset(),
}
_BY_MODEL = {"presence": "presence-subscription-required", "roster": "not-in-roster-group",
             "whitelist": "closed-node"}


def bare(jid: str) -> str:
    """Return the bare JID that affiliations are for."""
    return addresses.bare(jid) or jid


class Access:
    """What of a service decides who may do what; mixed into Service."""

    setup: Any
    nodes: dict[str, Node]
    by_account: dict[str, dict[str, set[str]]]

    def affiliation(self, node: Node | None, jid: str, action: str = "") -> str:
        """Return somebody's affiliation with a node, or (None) with the service."""
        name = bare(jid)
        if node is not None:
            found = node.affiliations.get(name)
            if found is not None:
                return found
        return self.setup.get_affiliation(
            name, None if node is None else node.name, action) or "none"

    def may(self, node: Node | None, actor: Actor, action: str) -> bool:
        """Whether an affiliation allows an action, whatever the node's models say."""
        if actor is True:
            return True
        affiliation = self.affiliation(node, actor, action)
        if node is not None and node.capabilities:
            rule = (node.capabilities.get(affiliation) or {}).get(action)
            if rule is not None:
                return bool(rule)
        return action in CAN.get(affiliation, ())

    def require(self, node: Node | None, actor: Actor, action: str) -> None:
        """Raise PubsubError "forbidden" unless the actor may do it."""
        if not self.may(node, actor, action):
            raise PubsubError("forbidden")

    def may_read(self, node: Node, actor: Actor) -> bool:
        """Whether somebody may see the node's items; may wait for a roster."""
        return self.why_not_read(node, actor) is None

    def why_not_read(self, node: Node, actor: Actor) -> str | None:
        """Return the error for who may not retrieve items (section 6.5.1), else None."""
        if self.may(node, actor, "get_items"):
            return None
        return self._why_not(node, actor)

    def _why_not(self, node: Node, jid: str) -> str | None:
        """Return why the access model keeps somebody without rights out, None if it does not."""
        if self.affiliation(node, jid) in ("outcast", "publish-only"):
            return "forbidden"
        model = node["access_model"]
        if model == "open":
            return None
        if model == "authorize":
            return None if self.is_subscribed(node, jid) else "not-subscribed"
        if model in ("presence", "roster") and self.setup.has_access(model, bare(jid), node):
            return None
        return _BY_MODEL.get(model, "forbidden")

    def why_not_subscribe(self, node: Node, jid: str) -> str | None:
        """Return the error for who may not subscribe (section 6.1.3), else None.

        "not-subscribed" means that an owner has to approve it.
        """
        return None if self.may(node, jid, "subscribe") else self._why_not(node, jid)

    def may_publish(self, node: Node, actor: Actor) -> bool:
        """Whether somebody may publish: by affiliation, or because the publish model says so."""
        if self.may(node, actor, "publish"):
            return True
        model = node["publish_model"]
        if model == "publishers" or self.affiliation(node, actor) == "outcast":
            return False
        return model == "open" or self.is_subscribed(node, actor)

    def may_see(self, node: Node, actor: Actor) -> bool:
        """Whether somebody may know that there is a node, and read what it is about."""
        if self.may(node, actor, "get_metadata"):
            return True
        if self.affiliation(node, actor) == "outcast":
            return False
        return node["access_model"] in ("open", "authorize") or self._why_not(node, actor) is None

    def is_subscribed(self, node: Node, jid: str) -> bool:
        """Whether somebody is subscribed, with this JID or another one of the same account."""
        if jid in node.subscribers:
            return True
        own = self.by_account.get(bare(jid))
        return own is not None and any(node.name in names and other in node.subscribers
                                       for other, names in own.items())
