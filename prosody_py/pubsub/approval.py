"""Requests for subscriptions that an owner has to approve (XEP-0060 sections 8.6 and 8.7)."""

from __future__ import annotations

import secrets
from typing import Any

from prosody_py.pubsub.access import Actor
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import SUBSCRIBE_AUTHORIZATION
from prosody_py.pubsub.node import FIRST, Node
from prosody_py.xmpp import dataforms
from prosody_py.xmpp.dataforms import Form, FormError
from prosody_py.xmpp.stanza import Stanza

FORM = Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": SUBSCRIBE_AUTHORIZATION},
    {"name": "pubsub#node", "type": "text-single", "label": "Node ID", "required": True},
    {"name": "pubsub#subscriber_jid", "type": "jid-single", "label": "Subscriber Address",
     "required": True},
    {"name": "pubsub#allow", "type": "boolean",
     "label": "Allow this JID to subscribe to this pubsub node?"},
], title="PubSub subscriber request",
    instructions="To approve this entity's subscription request, click the OK button. To deny the "
                 "request, click the cancel button.")


def request_form(node: str, jid: str) -> Stanza:
    """Return the form with which an owner answers a request."""
    return FORM.element({"pubsub#node": node, "pubsub#subscriber_jid": jid,
                         "pubsub#allow": False})


def is_answer(x: Stanza | None) -> bool:
    """Whether a form is an owner's answer to a request."""
    return x is not None and dataforms.form_type(x) == SUBSCRIBE_AUTHORIZATION


class Approvals:
    """Mixed into Service."""

    setup: Any

    def ask_owners(self, node: Node, jid: str) -> None:
        """Send a request to all owners of a node; the first answer counts."""
        for owner in self.owners(node):
            self.ask(owner, node, jid)

    def ask(self, owner: str, node: Node, jid: str) -> None:
        """Send a request to one owner."""
        message = Stanza("message", {"from": self.setup.jid, "id": secrets.token_urlsafe(9)})
        message.children.append(request_form(node.name, jid))
        self.setup.tell(owner, message)

    def answer(self, actor: Actor, x: Stanza) -> None:
        """Act on an owner's answer; a form that is cancelled changes nothing.

        Raises PubsubError for who may not decide, and for what waits for no answer.
        """
        if x.attr.get("type") == "cancel":
            return
        try:
            values = FORM.read(x)
        except FormError as error:
            raise PubsubError("bad-request", error.text) from None
        node, jid = self.node(values["pubsub#node"]), values["pubsub#subscriber_jid"]
        self.require(node, actor, "manage")
        self.decide(node, jid, bool(values.get("pubsub#allow")))

    def decide(self, node: Node, jid: str, allowed: bool) -> None:
        """Approve or deny a request, and tell who has asked."""
        if jid not in node.pending:
            raise PubsubError("item-not-found", "This request waits for no answer")
        if allowed:
            self._subscribe(node, jid, node.pending[jid], "subscribed")
            self.tell_state(node, jid, "subscribed", FIRST)
            self.greet(node, jid)
        else:
            self.end(node, jid)

    def pending_of(self, actor: Actor) -> list[Node]:
        """Return the nodes with requests that the actor may decide about."""
        return [node for node in list(self.nodes.values())
                if node.pending and self.may(node, actor, "manage")]
