"""What of a message somebody should see at once, and what matters later, by its payloads.

For those who hold back (XEP-0352) or notify (XEP-0357). A state of a chat, a receipt or a marker is
not worth waking a device for; a text, something encrypted, an invitation or a call is.
"""

from __future__ import annotations

from collections.abc import Container

from prosody_py.xmpp import hints
from prosody_py.xmpp.ns import CLIENT
from prosody_py.xmpp.stanza import Stanza

MUC_USER = "http://jabber.org/protocol/muc#user"
CARBONS, FORWARD = "urn:xmpp:carbons:2", "urn:xmpp:forward:0"
_CALL = "urn:xmpp:jingle-message:"
_SEEN = frozenset((
    (None, "body"), (None, "subject"), ("eu.siacs.conversations.axolotl", "encrypted"),
    ("urn:xmpp:omemo:2", "encrypted"), ("jabber:x:encrypted", "x"),
    ("urn:xmpp:openpgp:0", "openpgp"), ("jabber:x:conference", "x"), ("urn:xmpp:http", "confirm"),
))
# What is worth nothing without something beside it: states, and what only describes a message.
_SLIGHT = frozenset((
    "http://jabber.org/protocol/chatstates", hints.XMLNS, "urn:xmpp:sid:0", "urn:xmpp:delay",
    "jabber:x:delay", "http://jabber.org/protocol/nick",
))


def matters_later(message: Stanza) -> bool:
    """Whether there is anything in a message that is worth keeping for who is away."""
    if "store" in hints.hints(message):
        return True
    return any(child.name != "thread" and child.attr.get("xmlns") not in _SLIGHT
               for child in message.tags)


def has_payload(message: Stanza, names: Container[str]) -> bool:
    """Whether a child of a message is among `names`, each "{namespace}name"."""
    base = message.attr.get("xmlns", CLIENT)
    return any(f"{{{child.attr.get('xmlns', base)}}}{child.name}" in names
               for child in message.tags)


def is_seen(message: Stanza) -> bool:
    """Whether a message has something that somebody should see."""
    base = message.attr.get("xmlns")
    for child in message.tags:
        xmlns = child.attr.get("xmlns")
        if (None if xmlns == base else xmlns, child.name) in _SEEN:
            return True
        if xmlns is not None and (xmlns.startswith(_CALL) or xmlns == MUC_USER
                                  and child.get_child("invite", MUC_USER) is not None):
            return True
    return False


def carbon_of(message: Stanza) -> Stanza | None:
    """Return the message that a carbon copy is of (XEP-0280), None for other messages."""
    for direction in ("sent", "received"):
        carbon = message.get_child(direction, CARBONS)
        forwarded = carbon.get_child("forwarded", FORWARD) if carbon is not None else None
        if forwarded is not None:
            return forwarded.get_child("message", CLIENT)
    return None
