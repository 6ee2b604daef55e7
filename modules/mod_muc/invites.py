"""Mediated invitations, and what is answered to them (XEP-0045 section 7.8.2).

Direct ones (XEP-0249) pass the room by, from user to user, so it does not learn of them and makes
nobody a member for one: their sender has to do that first (XEP-0249 section 3). An invitation into
a members-only room by somebody who may change the list of members makes the invited one a member.
"""

from __future__ import annotations

from prosody_py.api import Event, Stanza, StanzaError, jid, stanza
from prosody_py.hosts.users import user_exists

from .affiliations import RANK
from .occupant import USER

DIRECT = "jabber:x:conference"
MAX_AT_ONCE = 20  # invitations in one message


def handle(module, room, event, x) -> bool | None:
    """Act on a message with an <x/> that holds invitations or refusals."""
    name = next((child.name for child in x.tags if child.name in ("invite", "decline")), None)
    if name is None:
        return None
    data = Event(room=room, origin=event.origin, stanza=event.stanza)
    if module.fire_event(f"muc-pre-{name}", data):
        return True
    entries = [child for child in x.tags if child.name == name]
    if len(entries) > MAX_AT_ONCE:
        raise StanzaError("resource-constraint", f"At most {MAX_AT_ONCE} in one message")
    for entry in entries:
        to = jid.prep(entry.attr.get("to"))
        if to is None:
            raise StanzaError("jid-malformed", "This is no address", type="modify")
        (invite if name == "invite" else decline)(module, room, event, entry, to)
    return True


def known_account(module, to: str) -> None:
    """Raise StanzaError for an account of this server that is not there (section 7.8.2)."""
    host = module.server.hosts.get(jid.host(to))
    if host is not None and host.type == "local" and not user_exists(
            module.server, jid.node(to) or "", host.host):
        raise StanzaError("item-not-found", "There is no such account")


def may_invite(module, event):
    """Refuse invitations by those who are not in the room, or not allowed to."""
    room = event.room
    occupant = room.get_occupant_by_real_jid(event.stanza.attr["from"])
    if occupant is None:
        raise StanzaError("not-acceptable", "You are not in this room", type="cancel")
    rank = RANK[room.get_affiliation(occupant.bare_jid) or "none"]
    if room.get_members_only():
        least = RANK["member" if room.get_allow_member_invites() else "admin"]
        if rank < least:
            raise StanzaError("forbidden", "You may not invite into this room")
    elif occupant.role == "visitor":
        raise StanzaError("forbidden", "Visitors do not invite")
    elif not room.get_allow_invites() and occupant.role != "moderator" and rank < RANK["admin"]:
        raise StanzaError("forbidden", "Only moderators invite into this room")


def invitation(room, to: str, inviter: str, reason: str | None, more: Stanza | None = None,
               id: str | None = None) -> Stanza:
    """Return the invitation of an inviter, with the password of the room if it has one."""
    message = stanza.message({"from": room.jid, "to": to, "id": id})
    message.tag("x", xmlns=USER).tag("invite", {"from": inviter})
    if reason:
        message.text_tag("reason", reason)
    if more is not None:
        message.add_child(more.clone())
    message.up()
    password = room.get_password()
    if password:
        message.text_tag("password", password)
    message.up()
    # Clients that know nothing but XEP-0249 understand this one.
    message.tag("x", {"xmlns": DIRECT, "jid": room.jid, "reason": reason or None,
                      "password": password}).text(reason).up()
    return message.reset()


def invite(module, room, event, entry: Stanza, to: str) -> None:
    """Send an invitation in the name of the room."""
    known_account(module, to)
    element = event.stanza
    bare = jid.bare(to)
    if room.get_affiliation(bare) == "outcast":
        raise StanzaError("not-allowed", "The invited one is banned", type="cancel")
    inviter = room.get_occupant_by_real_jid(element.attr["from"])
    message = invitation(room, to, inviter.nick, entry.get_child_text("reason", USER),
                         entry.get_child("continue", USER), element.attr.get("id"))
    data = Event(room=room, origin=event.origin, stanza=message, incoming=element)
    if room.module.fire_event("muc-invite", data):
        return
    if room.get_members_only() and not room.get_affiliation(bare):
        room.set_affiliation(True, bare, "member", f"Invited by {inviter.nickname}")
    room.route_stanza(data.stanza)


def decline(module, room, event, entry: Stanza, to: str) -> None:
    """Tell who has invited that the invited one does not come."""
    element = event.stanza
    message = stanza.message({"from": room.jid, "to": to, "id": element.attr.get("id")})
    message.tag("x", xmlns=USER).tag("decline", {"from": jid.bare(element.attr["from"])})
    if reason := entry.get_child_text("reason", USER):
        message.text_tag("reason", reason)
    data = Event(room=room, origin=event.origin, stanza=message.reset(), incoming=element)
    if room.module.fire_event("muc-decline", data):
        return
    occupant = room._occupants.get(to)
    if occupant is not None:
        room.route_to_occupant(occupant, data.stanza)
        return
    if not any(one.bare_jid == jid.bare(to) for one in room._occupants.values()):
        raise StanzaError("item-not-found", "There is nobody of this address in the room")
    room.route_stanza(data.stanza)


def load(module):
    """Hook the events."""
    module.hook_own("muc-pre-invite", may_invite, 0)
