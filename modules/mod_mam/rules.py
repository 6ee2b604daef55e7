"""Which messages are worth keeping (XEP-0313 section 6.1.1, XEP-0334), and in which form."""

from __future__ import annotations

from collections.abc import Container

from prosody_py.api import Stanza
from prosody_py.xmpp import hints, retraction

MUC_USER = "http://jabber.org/protocol/muc#user"
# What matters later although there is no body beside it.
KEPT = frozenset((
    "urn:xmpp:chat-markers:0", "urn:xmpp:reactions:0", "urn:xmpp:fasten:0",
    "urn:xmpp:jingle-message:0", "urn:xmpp:jingle-message:1", "jabber:x:conference",
    retraction.XMLNS,
))
NEVER = ("groupchat", "headline", "error")


def without(element: Stanza, namespaces: Container[str]) -> Stanza:
    """Return the message without the payloads of some namespaces; the same if it has none."""
    kept = [child for child in element.children
            if isinstance(child, str) or child.attr.get("xmlns") not in namespaces]
    if len(kept) == len(element.children):
        return element
    copy = element.shallow()
    copy.children = kept
    return copy


def should_store(element: Stanza) -> tuple[bool, str]:
    """Return whether a message is kept, and why or why not."""
    if element.attr.get("type") in NEVER:
        return False, "type"
    body = payload = store = False
    for child in element.children:
        if isinstance(child, str):
            continue
        xmlns, name = child.attr.get("xmlns"), child.name
        if xmlns is None:
            body = body or name == "body"
        elif xmlns == hints.XMLNS:
            if name in ("no-store", "no-permanent-store"):
                return False, "hint"
            store = store or name == "store"
        elif xmlns in KEPT or (xmlns == "urn:xmpp:receipts" and name == "received"):
            payload = True
        elif xmlns == MUC_USER and child.get_child("invite") is not None:
            payload = True
    if body or payload:
        return True, "body" if body else "payload"
    return store, "hint" if store else "nothing to keep"
