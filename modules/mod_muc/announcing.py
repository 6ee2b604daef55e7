"""Affiliations of those who are not in the room: who is told of a change (sections 9, 10 and 17.7).

Those who are in the room learn it by a message, as far as they may know addresses: by presence they
could not. The one concerned is told by a message with the status code 101 if the server's options
say so, and is invited when it has become a member of a room for members (section 9.5).
"""

from __future__ import annotations

from prosody_py.api import jid, stanza

from .invites import invitation
from .occupant import USER

ABSENT = "101"


def tell(module, event):
    """Tell everybody concerned about a change."""
    room, address, affiliation = event.room, event.jid, event.affiliation
    if event.in_room or affiliation == event.previous_affiliation:
        return
    tell_occupants(room, address, affiliation, event.reason)
    if not jid.node(address) or not isinstance(event.actor, str):
        return
    if affiliation == "member" and not event.previous_affiliation and room.get_members_only() and (
            module.options.muc_invite_new_members):
        room.route_stanza(invitation(room, address, jid.bare(event.actor), event.reason))
    elif module.options.muc_affiliation_messages:
        tell_person(room, address, affiliation, event.reason)


def tell_occupants(room, address: str, affiliation: str | None, reason: str | None) -> None:
    """Tell those in the room who may see addresses (section 10.3, second example)."""
    if not room.has_occupant():
        return
    x = stanza.stanza("x", xmlns=USER).add_child(item(affiliation, reason, address))
    if (version := room.versions.last_change()) is not None:
        x.add_child(version)
    message = stanza.message({"from": room.jid}).add_child(x)
    if room.get_whois() == "anyone":
        room.broadcast(message)
    else:
        room.broadcast(message, lambda _nick, occupant: occupant.role == "moderator")


def tell_person(room, address: str, affiliation: str | None, reason: str | None) -> None:
    """Tell somebody outside what it is to the room now (section 17.7)."""
    message = stanza.message({"from": room.jid, "to": address})
    message.tag("x", xmlns=USER).add_child(item(affiliation, reason))
    room.route_stanza(message.tag("status", code=ABSENT).reset())


def item(affiliation: str | None, reason: str | None, address: str | None = None):
    """Return the <item/> of somebody who is not in the room."""
    element = stanza.stanza("item", {"affiliation": affiliation or "none", "jid": address,
                                     "role": "none"})
    return element.text_tag("reason", reason).reset() if reason else element


def load(module):
    """Hook the event."""
    module.hook_own("muc-set-affiliation", tell, 0)
