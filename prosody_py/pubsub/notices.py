"""What subscribers are told: the <event/> of XEP-0060 and the message around it."""

from __future__ import annotations

import secrets
from typing import Any

from prosody_py.pubsub.items import Item
from prosody_py.pubsub.namespaces import EVENT
from prosody_py.pubsub.node import Node
from prosody_py.xmpp import datetime
from prosody_py.xmpp.stanza import Stanza

ADDRESS = "http://jabber.org/protocol/address"


class Notice:
    """Something that has happened to a node.

    `kind` is "items", "retract", "purge", "delete", "configuration" or "subscription". `late` is
    an item that was published a while ago, sent to who has just come. `actor` is who has published.
    """

    __slots__ = ("kind", "node", "item", "id", "detail", "late", "publisher",
                 "actor")

    def __init__(self, kind: str, node: Node, item: Item | None = None, id: str | None = None,
                 detail: Stanza | None = None, late: bool = False, publisher: bool = False,
                 actor: Any = None):
        self.kind, self.node, self.item, self.id = kind, node, item, id
        self.detail, self.late, self.publisher, self.actor = detail, late, publisher, actor

    def event(self) -> Stanza:
        """Return the <event/>."""
        event = Stanza("event", {"xmlns": EVENT})
        name = {"retract": "items"}.get(self.kind, self.kind)
        if self.kind == "subscription":
            event.children.append(self.detail)
            return event
        element = Stanza(name, {"node": self.node.name})
        event.children.append(element)
        if self.kind == "items":
            if self.item is not None:
                element.children.append(self.item.element(
                    publisher=self.publisher, payload=self.node["include_payload"]))
            elif self.detail is not None:
                element.children.append(self.detail)
        elif self.kind == "retract":
            element.children.append(Stanza("retract", {"id": self.id}))
        elif self.detail is not None:
            element.children.append(self.detail)
        return event

    def message(self, sender: str, body: str | None = None,
                replyto: str | None = None) -> Stanza:
        """Return the message from `sender`, without `to`, for as many as there are to be told.

        `replyto` is the resource that has published (XEP-0163 section 4.3.1).
        """
        attr = {"from": sender, "id": secrets.token_urlsafe(9)}
        type = self.node["notification_type"]
        if type != "normal":
            attr["type"] = type
        message = Stanza("message", attr)
        message.children.append(self.event())
        if body:
            message.text_tag("body", body)
        if replyto:
            message.tag("addresses", xmlns=ADDRESS).tag("address", type="replyto",
                                                        jid=replyto).reset()
        if self.late and self.item is not None:
            message.children.append(datetime.delay(self.item.when))
        return message


def subscription_element(node: str, jid: str, state: str, options: bool = False) -> Stanza:
    """Return a <subscription/>: state "subscribed", "pending" or "none"."""
    element = Stanza("subscription", {"node": node, "jid": jid, "subscription": state})
    if options:
        element.tag("subscribe-options").up()
    return element


def wants_body(options: Any) -> bool:
    """Whether the options of a subscription ask for a text beside the payload."""
    return isinstance(options, dict) and bool(options.get("pubsub#include_body"))


def wants_delivery(options: Any) -> bool:
    """Whether the options of a subscription allow notifications."""
    return not isinstance(options, dict) or options.get("pubsub#deliver") is not False
