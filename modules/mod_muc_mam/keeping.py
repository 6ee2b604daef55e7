"""What of a room's life is put into its archive, and under which id it is sent to everybody."""

from __future__ import annotations

import time

from prosody_py.api import Stanza, jid
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp import retraction, stanza_ids
from prosody_py.xmpp.hints import hints

from .lua_rooms import room_of

USER = "http://jabber.org/protocol/muc#user"
OCCUPANT_ID = "urn:xmpp:occupant-id:0"
MARKERS = "urn:xmpp:chat-markers:0"
MESSAGES = "message<groupchat"  # what messages are stored with, as in Prosody
STEP_BACK = 60  # seconds that the clock may step back without a change of order


def is_archived(module, room) -> bool:
    """Whether what is said in a room is kept."""
    if module.options.muc_log_all_rooms:
        return True
    chosen = room._data.get("archiving")
    return module.options.muc_log_by_default if chosen is None else bool(chosen)


def node_of(room) -> str:
    """Return under which name a room's archive is kept."""
    return jid.node(room.jid)


def now(module) -> float:
    """Return the time for a new item, which is not before that of the one before it."""
    moment = time.time()
    if module.newest - STEP_BACK < moment < module.newest:
        return module.newest
    module.newest = moment
    return moment


def is_historic(module, event):
    """Say which messages matter later by what is in them; None leaves it to others."""
    element = event.stanza
    asked = hints(element)
    if asked & {"no-store", "no-permanent-store"}:
        return False
    if "store" in asked or retraction.retracted_id(element) is not None:
        return True
    if element.get_child(None, MARKERS) is not None and element.get_child(
            "markable", MARKERS) is None:
        return True
    return None


def with_author(room, element: Stanza) -> Stanza:
    """Return a message as it is kept: with who has said it, and without what claims to say that.

    (XEP-0313 section 6.1.2 and its security considerations.)
    """
    kept = Stanza(element.name, dict(element.attr))
    kept.attr.pop("to", None)
    kept.children = [child for child in element.children if type(child) is str
                     or (child.name, child.attr.get("xmlns")) != ("x", USER)]
    occupant = room.get_occupant_by_nick(element.attr.get("from"))
    if occupant is not None:
        x = Stanza("x", {"xmlns": USER})
        x.tag("item", affiliation=room.get_affiliation(occupant.bare_jid) or "none",
              role=occupant.role or "none", jid=occupant.jid)
        kept.children.append(x.reset())
    return kept


def strip_forged(module, event):
    """Take away what claims to be an id of this room (XEP-0359 section 3)."""
    stanza_ids.strip_ids(event.stanza, room_of(event.room).jid)


def keep(module, event):
    """Put a message into the archive, and its id into what everybody gets."""
    room, element = room_of(event.room), event.stanza
    if not is_archived(module, room) or stanza_ids.find_id(element, room.jid) is not None:
        return
    kept = with_author(room, element)
    retracted = retraction.retracted_id(element)
    try:
        id = module.archive.append(node_of(room), None, kept, now(module), MESSAGES)
        element.children.append(stanza_ids.stanza_id(id, room.jid))
        if retracted is not None:
            bury(module, room, retracted, kept)
    except StorageError as error:
        module.log("error", "A message in %s could not be archived: %s", room.jid, error)


def keep_subject(module, event):
    """Keep a change of subject, which is no history but belongs into the archive."""
    element = event.stanza
    if element.get_child("subject") is not None and element.get_child("body") is None:
        keep(module, event)


def bury(module, room, id: str, retracting: Stanza) -> None:
    """Put a tombstone in the place of a message that was retracted (XEP-0424, XEP-0425).

    Who has said it may do that, and the room itself for a moderator.
    """
    found = module.archive.get(node_of(room), id)
    if found is None or not module.options.muc_log_tombstones:
        return
    old = found[0]
    if retraction.is_tombstone(old) or retraction.retracted_id(old) is not None:
        return
    if retracting.attr.get("from") != room.jid and not same_author(old, retracting):
        return
    module.archive.set(node_of(room), id, retraction.tombstone(old, time.time(), retracting))


def same_author(one: Stanza, other: Stanza) -> bool:
    """Whether two kept messages are by the same account (XEP-0424 section 5)."""
    authors = [author(element) for element in (one, other)]
    return authors[0] is not None and authors[0] == authors[1]


def author(element: Stanza) -> str | None:
    """Return the account that has said a kept message."""
    x = element.get_child("x", USER)
    item = x.get_child("item") if x is not None else None
    return None if item is None else jid.bare(item.attr.get("jid"))


def moderated(module, event):
    """Bury what a moderator has taken back, if who has done that has not (mod_muc_moderation)."""
    room = room_of(event.room)
    announcement = getattr(event, "announcement", None)
    if announcement is not None and is_archived(module, room):
        by_room = announcement.shallow()
        by_room.attr["from"] = room.jid
        bury(module, room, event.stanza_id, by_room)


def keep_presence(module, event):
    """Keep who comes and goes, if that is wanted."""
    room, element = room_of(event.room), getattr(event, "stanza", None)
    if not module.options.muc_log_presences or element is None or not is_archived(module, room):
        return
    type = element.attr.get("type")
    kept = Stanza("presence", {**element.attr, "from": event.nick})
    kept.attr.pop("to", None)
    kept.children = [child for child in element.children if type_of(child) == "status"]
    try:
        module.archive.append(node_of(room), None, kept, now(module),
                              "presence" if type is None else f"presence<{type}")
    except StorageError as error:
        module.log("error", "A presence in %s could not be archived: %s", room.jid, error)


def type_of(child: Stanza | str) -> str | None:
    """Return the name of a child of the stream's namespace, None for others."""
    return None if type(child) is str or child.attr.get("xmlns") else child.name
