"""XEP-0425: moderators take back what somebody has said in a room; XEP-0424: authors do.

A moderator names the message by the id that the room gave it (XEP-0359). Where no archive gives
ids, this module does. What was said is taken out of the room's history, and out of its archive
(store "muc_log", as mod_muc_mam keeps it) if there is one; a tombstone says that it was there.
Everybody is told, in the form of version 0.3 and in that of 0.2, which most clients know.

Fires `muc-moderated` (room, stanza_id, moderator, reason, retract, stanza, announcement), so that
whoever has kept a copy forgets it, and `muc-retracted` (room, stanza_id, occupant, stanza) when an
author takes something back.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from prosody_py.api import Event, Stanza, StanzaError, datetime, hook, stanza

DEPENDS = ("muc",)
MODERATE, OLD_MODERATE = "urn:xmpp:message-moderate:1", "urn:xmpp:message-moderate:0"
RETRACT, OLD_RETRACT = "urn:xmpp:message-retract:1", "urn:xmpp:message-retract:0"
FASTEN, STANZA_ID = "urn:xmpp:fasten:0", "urn:xmpp:sid:0"
OCCUPANT_ID, HINTS = "urn:xmpp:occupant-id:0", "urn:xmpp:hints"
FEATURES_OF_ROOMS = (MODERATE, OLD_MODERATE, RETRACT)
KEPT = ("occupant-id", "stanza-id")  # of a message that was taken back
MAX_REASON = 1000  # characters


@hook("muc-disco#info")
def features(module, event):
    """Say that messages can be taken back, and that they have ids of the room's."""
    for feature in (*FEATURES_OF_ROOMS, STANZA_ID):
        event.reply.tag("feature", var=feature).up()


# -- ids -----------------------------------------------------------------------------------


def id_of(room: Any, message: Stanza) -> str | None:
    """Return the id that a room gave a message."""
    found = message.get_child_with_attr("stanza-id", STANZA_ID, "by", room.jid)
    return None if found is None else found.attr.get("id")


@hook("muc-occupant-groupchat", priority=15)
def no_forged_moderation(module, event):
    """Refuse what only the room says."""
    for child in event.stanza.tags:
        if child.name == "retract" and child.get_child("moderated", MODERATE) is not None or (
                child.name == "apply-to" and child.get_child("moderated", OLD_MODERATE)):
            raise StanzaError("forbidden", "Only the room says what its moderators have done")


@hook("muc-broadcast-message", priority=-100)
def give_ids(module, event):
    """Give an id to a message that no archive has given one."""
    room, message = event.room, event.stanza
    if message.get_child("body") is not None and id_of(room, message) is None:
        message.add_direct_child(stanza.stanza(
            "stanza-id", xmlns=STANZA_ID, by=room.jid, id=secrets.token_urlsafe(18)))


# -- what was said -------------------------------------------------------------------------


def archive_of(module) -> Any:
    """Return the archive of the rooms, None without one."""
    if "muc_mam" not in module.host_modules():
        return None
    return module.open_store("muc_log", "archive")


def find(module, room: Any, id: str) -> Stanza | None:
    """Return a message by its id, from the history or the archive."""
    for entry in room._history:
        if id_of(room, entry["stanza"]) == id:
            return entry["stanza"]
    archive = archive_of(module)
    found = archive.get(room.node, id) if archive is not None else None
    return None if found is None else found[0]


def forget(module, room: Any, id: str, message: Stanza, retracted: Stanza) -> None:
    """Put a tombstone in the place of a message (XEP-0424 section 5)."""
    tomb = Stanza("message", dict(message.attr))
    tomb.children = [child for child in message.tags if child.name in KEPT]
    tomb.children.append(retracted)
    for index, entry in enumerate(room._history):
        if id_of(room, entry["stanza"]) == id:
            room._history[index] = {"stanza": tomb, "timestamp": entry["timestamp"]}
    archive = archive_of(module)
    if archive is not None and archive.get(room.node, id) is not None:
        archive.set(room.node, id, tomb)


def retracted_element(xmlns: str = RETRACT) -> Stanza:
    """Return the <retracted/> of a tombstone."""
    return stanza.stanza("retracted", xmlns=xmlns, stamp=datetime.format_datetime(int(time.time())))


# -- moderators ----------------------------------------------------------------------------


@hook(f"iq-set/bare/{MODERATE}:moderate", priority=-1)
def moderate(module, event):
    """Act on the request of a moderator (section 4)."""
    request = event.stanza.tags[0]
    if request.get_child("retract", RETRACT) is None:
        raise StanzaError("feature-not-implemented", "Messages can be taken back, nothing else")
    return take_back(module, event, request.attr.get("id"), request)


@hook(f"iq-set/bare/{FASTEN}:apply-to", priority=-1)
def moderate_in_the_old_way(module, event):
    """Act on a request in the form of version 0.2."""
    apply_to = event.stanza.tags[0]
    request = apply_to.get_child("moderate", OLD_MODERATE)
    if request is None:
        return None
    if request.get_child("retract", OLD_RETRACT) is None:
        raise StanzaError("feature-not-implemented", "Messages can be taken back, nothing else")
    return take_back(module, event, apply_to.attr.get("id"), request)


def take_back(module, event, id: str | None, request: Stanza) -> bool:
    """Take a message back in the name of a moderator; raises StanzaError."""
    attr = event.stanza.attr
    room = module.depends("muc").get_room_from_jid(attr["to"])
    if room is None:
        raise StanzaError("item-not-found", "There is no such room")
    moderator = room.get_occupant_by_real_jid(attr["from"])
    if moderator is None or moderator.role != "moderator":
        raise StanzaError("forbidden", "Only moderators take back what others have said")
    if not id:
        raise StanzaError("bad-request", "Which message?")
    message = find(module, room, id)
    if message is None:
        raise StanzaError("item-not-found", "There is no such message")
    reason = (request.get_child_text("reason") or "")[:MAX_REASON] or None
    moderated = stanza.stanza("moderated", xmlns=MODERATE, by=moderator.nick)
    if moderator.stable_id is not None:
        moderated.add_child(room.occupant_id_element(moderator))
    told = announcement(room, id, moderated, reason)
    tomb = retracted_element().add_child(moderated.clone())
    if reason:
        tomb.up().text_tag("reason", reason)
    forget(module, room, id, message, tomb.reset())
    module.fire_event("muc-moderated", Event(
        room=room, stanza_id=id, moderator=moderator, reason=reason, retract=True,
        stanza=message, announcement=told))
    room.broadcast_message(told)
    event.origin.send(stanza.reply(event.stanza))
    return True


def announcement(room: Any, id: str, moderated: Stanza, reason: str | None) -> Stanza:
    """Return the message that tells everybody, in both forms."""
    message = stanza.message({"from": room.jid, "type": "groupchat",
                              "id": secrets.token_urlsafe(12)})
    message.tag("retract", xmlns=RETRACT, id=id).add_child(moderated)
    message.text_tag("reason", reason) if reason else None
    message.up()
    message.tag("apply-to", xmlns=FASTEN, id=id)
    message.tag("moderated", xmlns=OLD_MODERATE, by=moderated.attr["by"])
    message.tag("retract", xmlns=OLD_RETRACT).up()
    if reason:
        message.text_tag("reason", reason)
    message.up().up()
    return message.tag("store", xmlns=HINTS).reset()


# -- authors -------------------------------------------------------------------------------


@hook("muc-occupant-groupchat", priority=-1)
def retract(module, event):
    """Let an author take back what it has said (XEP-0424); others cannot."""
    element = event.stanza.get_child("retract", RETRACT)
    if element is None or event.occupant is None:
        return
    room, occupant, id = event.room, event.occupant, element.attr.get("id") or ""
    message = find(module, room, id)
    if message is None:
        return
    author = message.get_child_attr("occupant-id", OCCUPANT_ID, "id")
    if author is None or author != occupant.stable_id:
        raise StanzaError("forbidden", "Somebody else has said this")
    forget(module, room, id, message, retracted_element())
    module.fire_event("muc-retracted", Event(room=room, stanza_id=id, occupant=occupant,
                                             stanza=message))
