"""What subscribers are told: the <event/> of XEP-0060 and the message around it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from prosody_py.pubsub.items import Item
from prosody_py.pubsub.namespaces import EVENT, SHIM
from prosody_py.pubsub.node import Node
from prosody_py.xmpp import datetime
from prosody_py.xmpp.stanza import Stanza

ADDRESS = "http://jabber.org/protocol/address"


class Wish(NamedTuple):
    """How a subscriber wants to be told: with a text, by which of several subscriptions, and by
    which collection that the node is in."""

    body: bool = False
    subids: tuple[str, ...] = ()
    collection: str | None = None


PLAIN = Wish()
"""The wish of who wants nothing but the notification."""


def by_wish(receivers: Mapping[str, Wish]) -> dict[Wish, list[str]]:
    """Return the addresses by what they get."""
    plain: list[str] = []
    groups: dict[Wish, list[str]] = {}
    for address, wish in receivers.items():
        if wish is PLAIN:
            plain.append(address)
        else:
            groups.setdefault(wish, []).append(address)
    if plain:
        groups.setdefault(PLAIN, []).extend(plain)
    return groups


class Notice:
    """Something that has happened to a node.

    `kind` is "items", "retract", "purge", "delete", "configuration" or "subscription". `late` are
    items that were published a while ago, sent to who has just come. `publisher` is what
    Item.element takes. What concerns several items is in `items` and `ids`. The kinds "create" and
    "collection" are for who has subscribed to a collection; the latter is `about` the node that
    has come or gone, and has the collection as `node`. `actor` is who has published.
    """

    __slots__ = ("kind", "node", "items", "ids", "detail", "late", "publisher", "about",
                 "actor")

    def __init__(self, kind: str, node: Node, item: Item | None = None, id: str | None = None,
                 detail: Stanza | None = None, late: bool = False, publisher: bool | str = False,
                 items: Sequence[Item] = (), ids: Sequence[str] = (), about: Node | None = None,
                 actor: Any = None):
        self.kind, self.node = kind, node
        self.items, self.ids = items if item is None else (item,), ids if id is None else (id,)
        self.detail, self.late, self.publisher = detail, late, publisher
        self.about, self.actor = node if about is None else about, actor

    @property
    def item(self) -> Item | None:
        """The item, the last one of several; None when it is about none."""
        return self.items[-1] if self.items else None

    @property
    def id(self) -> str | None:
        """The id of what was retracted, the last one of several."""
        return self.ids[-1] if self.ids else None

    def event(self) -> Stanza:
        """Return the <event/>."""
        event = Stanza("event", {"xmlns": EVENT})
        if self.kind == "subscription":
            event.children.append(self.detail)
            return event
        name = "items" if self.kind == "retract" else self.kind
        element = Stanza(name, {"node": self.node.name})
        event.children.append(element)
        if self.items:
            payload = self.node["include_payload"]
            element.children += [item.element(publisher=self.publisher, payload=payload)
                                 for item in self.items]
        elif self.kind == "retract":
            element.children += [Stanza("retract", {"id": id}) for id in self.ids]
        elif self.detail is not None:
            element.children.append(self.detail)
        return event

    def message(self, sender: str, body: str | None = None,
                subids: Sequence[str] = (), collection: str | None = None,
                replyto: str | None = None) -> Stanza:
        """Return the message from `sender`, without `to`, for as many as there are to be told.

        `subids` are the subscriptions for which it is sent, where there are several (7.1.2.4),
        `collection` is what they are subscribed to if it is not the node. `replyto` is the
        resource that has published (XEP-0163 section 4.3.1).
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
        if self.late and self.items:
            message.children.append(datetime.delay(self.items[-1].when))
        if subids or collection is not None:
            headers = Stanza("headers", {"xmlns": SHIM})
            if collection is not None:
                headers.text_tag("header", collection, name="Collection")
            for subid in subids:
                headers.text_tag("header", subid, name="SubID")
            message.children.append(headers)
        return message

    def text(self, summary: Callable[[Any], str | None] | None) -> str | None:
        """Return a text for the payloads, by what `summary` says of each, or None."""
        if summary is None:
            return None
        texts = [summary(item.payload) for item in self.items]
        return "\n\n".join(text for text in texts if text) or None


def subscription_element(node: str, jid: str, state: str, subid: str | None = None,
                         options: bool = False, expiry: str | None = None) -> Stanza:
    """Return a <subscription/>: state "subscribed", "pending" or "none"."""
    element = Stanza("subscription", {"node": node, "jid": jid, "subscription": state})
    if subid is not None:
        element.attr["subid"] = subid
    if expiry is not None:
        element.attr["expiry"] = expiry
    if options:
        element.tag("subscribe-options").up()
    return element
