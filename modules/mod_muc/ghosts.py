"""Occupants who are gone without having said so (XEP-0045 section 17.1.2 and code 333).

An error that comes back for what a room has sent says that a session is not there any more. It may
come while the room is still sending to others, and each departure makes the room send again; so
those who are gone are noted, and all of them are taken out together right afterwards.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import Stanza, stanza

from .entering import leave
from .occupant import USER

# What an error has to say for the session to be gone.
GONE = frozenset(("gone", "internal-server-error", "item-not-found", "jid-malformed",
                  "recipient-unavailable", "redirect", "remote-server-not-found",
                  "remote-server-timeout", "service-unavailable"))
CODES = ("333",)  # 307 would say that somebody has done it (section 11.1)


def from_the_dead(room: Any, event: Any) -> bool | None:
    """Act on an error from a session in a room.

    Returns None for one that says something else: it is for who has sent what it is about.
    """
    element = event.stanza
    real_jid = element.attr["from"]
    if room.get_occupant_by_real_jid(real_jid) is None:
        return True
    _type, condition, text, _extra = element.get_error()
    if condition not in GONE and element.name != "presence":
        return True if element.attr["to"] == room.jid else None
    why = f"Kicked: {condition.replace('-', ' ')}" + (f": {text}" if text else "")
    if not room.ghosts:
        room.module.add_timer(0, take_out_all, room)
    room.ghosts[real_jid] = why
    return True


def unavailable(real_jid: str, why: str) -> Stanza:
    """Return the presence that a session would have sent."""
    presence = stanza.presence({"type": "unavailable", "from": real_jid})
    return presence.text_tag("status", why)


def take_out_all(now: float, room: Any) -> None:
    """Take out all who are gone, and then tell the others."""
    ghosts, room.ghosts = room.ghosts, {}
    take_out(room, ghosts)


def take_out(room: Any, ghosts: dict[str, str]) -> None:
    """Take sessions out that are gone, each with why, and then tell the others."""
    leaving = []
    for real_jid, why in ghosts.items():
        occupant = room.get_occupant_by_real_jid(real_jid)
        if occupant is None:
            continue
        element = unavailable(real_jid, why)
        if len(occupant.sessions) > 1:
            leave(room, occupant, real_jid, element, room.module.host_object, CODES, why)
            continue
        was = occupant.role
        occupant.set_session(real_jid, element)
        room.take_out(occupant)
        leaving.append((occupant, was, why, element))
    x = stanza.stanza("x", xmlns=USER)
    for code in CODES:
        x.tag("status", code=code).up()
    for occupant, was, why, _element in leaving:
        room.publicise_occupant_status(occupant, x, None, None, why, was)
    for occupant, _was, _why, element in leaving:
        room.fire("muc-occupant-left", nick=occupant.nick, occupant=occupant, stanza=element)
