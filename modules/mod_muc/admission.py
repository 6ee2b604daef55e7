"""Who is let into a room, and under which nickname (XEP-0045 sections 7.2 and 7.6).

Handlers of `muc-occupant-pre-join`, by priority, say no to those who are banned (-10), no members
(-5), without the password (-20), one too many (-15), or too early (-30, locking.py).
"""

from __future__ import annotations

import hmac

from prosody_py.api import jid

from .answers import refuse
from .occupant import MUC


def no_nickname_of_another(module, event):
    """Refuse a nickname that is in use by somebody else (section 7.2.8)."""
    dest = getattr(event, "dest_occupant", None) or event.occupant
    if dest.bare_jid != jid.bare(event.stanza.attr["from"]):
        return refuse(event, event.room, "conflict", "Somebody has this nickname")
    return None


def no_odd_nickname(module, event):
    """Refuse a nickname that is too long for people to read, or that they do not see (17.1)."""
    most = module.options.muc_max_nick_length
    if not (jid.resource(event.stanza.attr["to"]) or "").strip():
        return refuse(event, event.room, "not-acceptable", "A nickname is not made of spaces")
    if len(jid.resource(event.stanza.attr["to"]) or "") > most:
        return refuse(event, event.room, "not-acceptable",
                      f"A nickname has at most {most} characters")
    return None


def only_members(module, event):
    """Refuse those who are not on the list of a members-only room (section 7.2.6)."""
    room = event.room
    if event.occupant.role is None and room.get_members_only() and (
            room.get_affiliation(event.occupant.bare_jid) in (None, "none")):
        return refuse(event, room, "registration-required")
    return None


def nobody_banned(module, event):
    """Refuse those who are banned (section 7.2.7)."""
    if event.occupant.role is None:
        return refuse(event, event.room, "forbidden")
    return None


def not_too_many(module, event):
    """Refuse more than fit in; admins and owners always do (section 7.2.9)."""
    room = event.room
    most = room.get_max_occupants()
    if most and event.is_first_session and len(room._occupants) >= most and (
            room.get_affiliation(event.occupant.bare_jid) not in ("admin", "owner")):
        return refuse(event, room, "service-unavailable", "The room is full", "wait")
    return None


def same_text(one: str, other: str) -> bool:
    """Compare in a time that does not tell how much is the same."""
    return hmac.compare_digest(*(text.encode("utf-8", "surrogatepass") for text in (one, other)))


def only_with_the_password(module, event):
    """Refuse those who do not know the password (section 7.2.5)."""
    room = event.room
    password = room.get_password()
    if not password or getattr(event, "is_new_room", False):
        return None
    x = event.stanza.get_child("x", MUC)
    given = x.get_child_text("password", MUC) if x is not None else None
    if given is None or not same_text(given, password):
        return refuse(event, room, "not-authorized")
    return None


def load(module):
    """Hook the events."""
    for name in ("muc-occupant-pre-join", "muc-occupant-pre-change"):
        module.hook_own(name, no_odd_nickname, 2)
        module.hook_own(name, no_nickname_of_another, 1)
    module.hook_own("muc-occupant-pre-join", only_members, -5)
    module.hook_own("muc-occupant-pre-join", nobody_banned, -10)
    module.hook_own("muc-occupant-pre-join", not_too_many, -15)
    module.hook_own("muc-occupant-pre-join", only_with_the_password, -20)


