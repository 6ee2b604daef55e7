"""Messages to a room and to its occupants (XEP-0045 sections 7.4 and 7.5)."""

from __future__ import annotations

import secrets

from prosody_py.api import Event, Stanza, jid

from . import approval, invites, voice
from .answers import ask, refuse
from .ghosts import from_the_dead
from .occupant import USER, without_the_rooms_own


def to_room(module, event):
    """Act on a message to a room."""
    element = event.stanza
    attr = element.attr
    room = module.rooms.find(event, attr["to"])
    if room is None:
        return True
    type = attr.get("type")
    if room._data.get("locked") and attr["from"] not in room._jid_nick:
        return refuse(event, room, "item-not-found", "This room is not configured yet")
    if type == "groupchat":
        return groupchat(module, room, event)
    if type == "error":
        return from_the_dead(room, event)
    if (x := element.get_child("x", USER)) is not None and x.tags:
        return invites.handle(module, room, event, x)
    if (form := element.get_child("x", "jabber:x:data")) is not None:
        return voice.handle(module, room, event, form) or approval.handle(
            module, room, event, form)
    return None


def groupchat(module, room, event):
    """Hand what an occupant says to everybody."""
    element = event.stanza
    sender = element.attr["from"]
    nick = room._jid_nick.get(sender)
    occupant = room._occupants.get(nick)
    kept = Stanza("message", dict(element.attr))
    kept.attr.pop("to", None)
    kept.attr.setdefault("id", secrets.token_urlsafe(12))
    kept.children = without_the_rooms_own(element, room.jid)
    data = Event(room=room, origin=event.origin, stanza=kept, occupant=occupant)
    data.__dict__["from"] = sender
    kept.attr["to"] = room.jid
    if module.fire_event("muc-occupant-groupchat", data):
        return True
    kept.attr["from"] = occupant.nick
    room.broadcast_message(kept)
    return True


def may_speak(module, event):
    """Refuse those who are not in the room or have no voice (section 7.4)."""
    occupant = event.occupant
    if occupant is None:
        return refuse(event, event.room, "not-acceptable", "You are not in this room", "cancel")
    if occupant.role == "visitor":
        return refuse(event, event.room, "forbidden", "You have no voice in this room")
    return None


def add_occupant_id(module, event):
    """Say in a message by what it can be known who has said it (XEP-0421)."""
    occupant = event.occupant
    if occupant is not None and occupant.stable_id is not None:
        event.stanza.children.append(event.room.occupant_id_element(occupant))


def to_occupant(module, event):
    """Act on a message to an occupant."""
    element = event.stanza
    attr = element.attr
    room = module.rooms.find(event, jid.bare(attr["to"]))
    if room is None:
        return True
    if attr.get("type") == "error":
        if from_the_dead(room, event):
            return True
    elif attr.get("type") == "groupchat":
        return refuse(event, room, "bad-request", "A message to an occupant is no groupchat")
    sender = room.get_occupant_by_real_jid(attr["from"])
    if sender is None:
        return refuse(event, room, "not-acceptable", "You are not in this room", "cancel")
    receiver = room._occupants.get(attr["to"])
    if receiver is None:
        return refuse(event, room, "item-not-found", "There is nobody of this name in the room")
    data = Event(room=room, origin=event.origin, stanza=element, occupant=sender,
                 recipient=receiver)
    if ask(module, "muc-private-message", data) is False:
        return True
    private = Stanza("message", {**attr, "from": sender.nick})
    private.children = [*without_the_rooms_own(element, room.jid), Stanza("x", {"xmlns": USER})]
    if sender.stable_id is not None:
        private.children.append(room.occupant_id_element(sender))
    room.route_to_occupant(receiver, private)
    return True


def may_whisper(module, event):
    """Refuse private messages that the room does not allow (section 7.5)."""
    room, sender = event.room, event.occupant
    allowed = room.get_allow_pm()
    if event.stanza.attr.get("type") == "error" or allowed == "anyone":
        return None
    if sender.role == "moderator" and allowed != "none":
        return None
    if allowed == "participants" and sender.role == "participant":
        return None
    if room.get_allow_modpm() and "moderator" in (event.recipient.role, sender.role):
        return None
    refuse(event, room, "policy-violation", "Private messages are not allowed here", "cancel")
    return False


def load(module):
    """Hook the events."""
    module.hook_own("message/bare", to_room, -2)
    module.hook_own("message/full", to_occupant, -2)
    module.hook_own("muc-occupant-groupchat", may_speak, 20)
    module.hook_own("muc-occupant-groupchat", add_occupant_id, 0)
    module.hook_own("muc-private-message", may_whisper, 0)


