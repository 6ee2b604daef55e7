"""Message retraction (XEP-0424), by moderators too (XEP-0425), and the tombstones it leaves."""

from __future__ import annotations

from prosody_py.xmpp.datetime import format_datetime
from prosody_py.xmpp.stanza import Stanza

XMLNS = "urn:xmpp:message-retract:1"
TOMBSTONE = XMLNS + "#tombstone"
MODERATE = "urn:xmpp:message-moderate:1"
OCCUPANT_ID = "urn:xmpp:occupant-id:0"


def retracted_id(message: Stanza) -> str | None:
    """Return the id that a message retracts, None when it retracts nothing."""
    for child in message.children:
        if (type(child) is not str and child.name == "retract"
                and child.attr.get("xmlns") == XMLNS):
            return child.attr.get("id")
    return None


def tombstone(message: Stanza, when: float, retraction: Stanza) -> Stanza:
    """Return what stays of a message that was retracted at `when` (section 4).

    `retraction` is the message that did it; what its <retract/> tells about a moderator is told
    by the tombstone. The author's occupant id stays, everything else that was inside goes.
    """
    grave = Stanza(message.name, dict(message.attr))
    author = message.get_child("occupant-id", OCCUPANT_ID)
    if author is not None:
        grave.children.append(author)
    retracted = Stanza("retracted", {"xmlns": XMLNS, "stamp": format_datetime(int(when))})
    if retraction.attr.get("id"):
        retracted.attr["id"] = retraction.attr["id"]
    retract = retraction.get_child("retract", XMLNS)
    for child in retract.tags if retract is not None else ():
        if child.name == "reason" or child.attr.get("xmlns") == MODERATE:
            retracted.children.append(child)
    grave.children.append(retracted)
    return grave


def is_tombstone(message: Stanza) -> bool:
    """Whether a message is what is left of one that was retracted."""
    return message.get_child("retracted", XMLNS) is not None
