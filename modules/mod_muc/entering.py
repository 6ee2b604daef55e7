"""Coming, going and changing nicknames (XEP-0045 sections 7.2, 7.6, 7.7, 7.14).

Who wants in passes `muc-occupant-pre-join`, whose handlers say no (admission.py).
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import Event, Stanza, jid, stanza

from . import versions
from .answers import refuse
from .locking import is_locked
from .occupant import MUC, USER, Occupant

CREATED, RENAMED, NON_ANONYMOUS, MODIFIED = "201", "303", "100", "210"
NOT_IN_ROOM = ("110", "307", "333")


def not_in_room(room_nick: str, to: str) -> Stanza:
    """Return what tells a session that thinks it is in a room that it is not (section 7.2.18)."""
    presence = stanza.presence({"from": room_nick, "to": to, "type": "unavailable"})
    presence.tag("x", xmlns=USER)
    presence.tag("item", affiliation="none", role="none")
    presence.text_tag("reason", "You are not in the room.").up()
    for code in NOT_IN_ROOM:
        presence.tag("status", code=code).up()
    return presence.reset()


# -- the ways in and out -------------------------------------------------------------------


def handle(module, room, event) -> None:
    """Act on an available or unavailable presence to an address in a room that is there."""
    element = event.stanza
    attr = element.attr
    real_jid, nick = attr["from"], attr["to"]
    own = room.get_occupant_by_real_jid(real_jid)
    if attr.get("type") == "unavailable":
        if own is not None:
            leave(room, own, real_jid, element, event.origin)
        return
    asked = element.get_child("x", MUC)
    if own is None:
        if asked is None:
            event.origin.send(not_in_room(nick, real_jid))
        else:
            enter(module, room, event, False)
    elif own.nick != nick:
        rename(module, room, event, own)
    elif asked is not None:
        come_again(room, event, own)
    else:
        own.set_session(real_jid, element)
        room.save_occupant(own)
        if own.jid == real_jid:
            room.publicise_occupant_status(own)


def probe(room, event) -> None:
    """Tell an occupant again how it is with another one, if it asks (section 17.3)."""
    asking = room.get_occupant_by_real_jid(event.stanza.attr["from"])
    other = room._occupants.get(event.stanza.attr["to"])
    if asking is not None and other is not None:
        form = room.describe(other)[0].form(
            other is asking or room.may_see_addresses(asking), [] if other is asking else None)
        room.send_all([form], event.stanza.attr["from"])


def create(module, event, address: str) -> None:
    """Make a room for who wants into one that is not there (section 10.1)."""
    rooms = module.rooms
    room = rooms.new(address)
    data = Event(room=room, origin=event.origin, stanza=event.stanza)
    if module.fire_event("muc-room-pre-create", data):
        return
    rooms.make_place(1)
    if rooms.get(address) is not None:  # somebody was faster while handlers waited
        handle(module, rooms.get(address), event)
        return
    owner = jid.bare(event.stanza.attr["from"])
    room._affiliations[owner] = "owner"
    room.unborn = True
    rooms.live[address] = room
    try:
        room.unborn = not enter(module, room, event, True)
    finally:
        if room.unborn:
            rooms.drop(room)
    if room.unborn:
        return
    room.save()


def enter(module, room, event, is_new: bool) -> bool:
    """Let somebody in who is not in the room with this session; return whether it is now."""
    element, origin = event.stanza, event.origin
    real_jid, nick = element.attr["from"], element.attr["to"]
    bare = jid.bare(real_jid)
    occupant = room._occupants.get(nick)
    first = occupant is None
    if first:
        occupant = room.new_occupant(bare, nick)
    data = Event(room=room, origin=origin, stanza=element, occupant=occupant,
                 is_first_session=first, is_last_session=False, is_new_room=is_new)
    if module.fire_event("muc-occupant-pre-join", data) or not still_welcome(event, room, bare):
        return False
    occupant, first = data.occupant, data.is_first_session
    now = room._occupants.get(occupant.nick)
    if now is not None and now is not occupant:  # somebody was faster while handlers waited
        if now.bare_jid != bare:
            refuse(event, room, "conflict", "Somebody has this nickname")
            return False
        occupant, first = now, False
    room.get_occupant_id(occupant)
    occupant.set_session(real_jid, element)
    room.save_occupant(occupant)
    if is_new:
        room.fire("muc-room-created", creator=occupant, origin=origin, stanza=element)
    version = versions.answer(room, element)
    room.send_occupant_list(real_jid)
    own = stanza.stanza("x", xmlns=USER)
    if version is not None:
        own.add_child(version)
    if is_new and not room._data.get("unannounced"):
        own.tag("status", code=CREATED).up()
    if room.get_whois() == "anyone":
        own.tag("status", code=NON_ANONYMOUS).up()
    if occupant.nick != nick:
        own.tag("status", code=MODIFIED).up()
    base = stanza.stanza("x", xmlns=USER)
    x = {"base": base, "self": own}
    room.fire("muc-join-status", occupant=occupant, origin=origin, stanza=element, x=own)
    if first:
        room.publicise_occupant_status(occupant, x)
        room.fire("muc-occupant-joined", nick=occupant.nick, occupant=occupant, stanza=element,
                  origin=origin)
    else:
        others_session(room, occupant, x, real_jid)
    session_new(room, occupant, real_jid, element, origin)
    return True


def still_welcome(event, room, bare: str) -> bool:
    """Whether nothing has happened while handlers waited that keeps somebody out of a room."""
    if not room.module.loaded:  # another instance is in service since then
        room.module.server.post_stanza(event.origin, event.stanza)
        return False
    if getattr(event.origin, "destroyed", None):
        return False
    if room.get_affiliation(bare) == "outcast":
        refuse(event, room, "forbidden")
        return False
    if room.destroying:
        refuse(event, room, "item-not-found", "There is no such room any more")
        return False
    return True


def others_session(room, occupant: Occupant, x: dict, real_jid: str) -> None:
    """Tell about one more session of an occupant: those who know addresses, and itself."""
    if occupant.jid == real_jid or room.get_whois() == "anyone" or any(
            other.role == "moderator" for other in room._occupants.values()):
        room.publicise_occupant_status(occupant, x)
    else:
        room.publicise_occupant_status(occupant, x, recipient=occupant)


def come_again(room, event, own: Occupant) -> None:
    """Tell everything anew to a session that asks to enter where it is already."""
    element, real_jid = event.stanza, event.stanza.attr["from"]
    before = list(map(str, own.sessions[real_jid].children))
    own.set_session(real_jid, element)
    changed = before != list(map(str, own.sessions[real_jid].children))
    room.save_occupant(own)
    version = versions.answer(room, element)
    room.send_occupant_list(real_jid)
    codes = stanza.stanza("x", xmlns=USER)
    if version is not None:
        codes.add_child(version)
    if room.get_whois() == "anyone":
        codes.tag("status", code=NON_ANONYMOUS).up()
    room.publicise_occupant_status(own, {"base": None, "self": codes},
                                   recipient=None if changed and own.jid == real_jid else own)
    session_new(room, own, real_jid, element, event.origin)


def session_new(room, occupant, real_jid, element, origin) -> None:
    """Let those who have something for a new session send it: history, then the subject."""
    room.fire("muc-occupant-session-new", nick=occupant.nick, occupant=occupant, stanza=element,
              origin=origin, jid=real_jid)


def leave(room, occupant: Occupant, real_jid: str, element: Stanza, origin: Any,
          codes: tuple[str, ...] = (), reason: str | None = None) -> None:
    """Take a session out, and the occupant with its last one (section 7.14)."""
    last = len(occupant.sessions) == 1
    data = Event(room=room, origin=origin, stanza=element, occupant=occupant,
                 is_first_session=False, is_last_session=last)
    if room.hears("muc-occupant-pre-leave") and room.module.fire_event(
            "muc-occupant-pre-leave", data):
        return
    x = stanza.stanza("x", xmlns=USER)
    for code in codes:
        x.tag("status", code=code).up()
    if last:
        was = occupant.role
        occupant.set_session(real_jid, element)
        room.take_out(occupant)
        own = None
        if is_locked(room) and not room.has_occupant():  # this ends the room (section 10.1.3)
            own = stanza.stanza("x", xmlns=USER).tag("destroy").reset()
        room.publicise_occupant_status(occupant, {"base": x, "self": own}, None, None, reason, was)
        room.fire("muc-occupant-left", nick=occupant.nick, occupant=occupant, stanza=element,
                  origin=origin)
        return
    spoke = occupant.jid == real_jid
    gone = Occupant(occupant.bare_jid, occupant.nick)
    gone.stable_id = occupant.stable_id
    gone.set_session(real_jid, element)
    occupant.remove_session(real_jid)
    room._drop_session(real_jid, occupant.nick)
    room.publicise_occupant_status(gone, x, None, None, reason, recipient=gone)
    if spoke or room.get_whois() == "anyone":
        room.publicise_occupant_status(occupant)


def rename(module, room, event, own: Occupant) -> None:
    """Give a session another nickname (section 7.6)."""
    element, origin = event.stanza, event.origin
    real_jid, nick = element.attr["from"], element.attr["to"]
    there = room._occupants.get(nick)
    last = len(own.sessions) == 1
    dest = there if there is not None else own.renamed(nick)
    data = Event(room=room, origin=origin, stanza=element, orig_occupant=own, dest_occupant=dest,
                 occupant=dest, is_first_session=there is None, is_last_session=last)
    if module.fire_event("muc-occupant-pre-change", data):
        return
    dest = data.dest_occupant
    x = stanza.stanza("x", xmlns=USER)
    modified = {"base": None, "self": x.tag("status", code=MODIFIED).up()}
    if dest.nick == own.nick:  # the service has its own idea of the nickname
        own.set_session(real_jid, element)
        room.save_occupant(own)
        room.publicise_occupant_status(own, modified)
        return
    was = own.role
    if last:
        room.take_out(own)
        x = stanza.stanza("x", xmlns=USER).tag("status", code=RENAMED).up()
        room.publicise_occupant_status(own, x, dest.nickname, None, None, was, True)
    else:
        gone = own.renamed(own.nick)
        gone.set_session(real_jid, element)
        own.remove_session(real_jid)
        room._drop_session(real_jid, own.nick)
        gone.role = None
        x = stanza.stanza("x", xmlns=USER).tag("status", code=RENAMED).up()
        room.publicise_occupant_status(gone, x, dest.nickname, None, None, was, True, gone)
        room.publicise_occupant_status(own)
    dest.role = dest.role or was
    dest.set_session(real_jid, element)
    room.save_occupant(dest)
    room.publicise_occupant_status(dest, modified if dest.nick != nick else None)
    room.fire("muc-occupant-nick-change", occupant=dest, nick=own.nick, new_nick=dest.nick)
