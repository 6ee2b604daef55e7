"""XEP-0486: the picture of a room, as the vCard of its address (XEP-0054).

Owners set it. It is kept in the store "vcard_muc" under the room's name, its hashes with the room's
settings. Clients learn of it by disco#info and, as they did before there was a specification, by a
presence from the room's own address. Where the module vcard_muc is loaded, that does all of this.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from prosody_py.api import Stanza, StanzaError, jid, stanza
from prosody_py.xmpp.preserialize import deserialize, preserialize

VCARD, UPDATE, CHANGED = "vcard-temp", "vcard-temp:x:update", "104"
HASHES = "avatar_hashes"
MAX_PHOTOS = 10


def hashes_of(vcard: Stanza | None) -> list[str]:
    """Return the SHA-1 of each picture in a vCard in hexadecimal; raises StanzaError."""
    photos = list(vcard.childtags("PHOTO", VCARD)) if vcard is not None else []
    if len(photos) > MAX_PHOTOS:
        raise StanzaError("resource-constraint", f"At most {MAX_PHOTOS} pictures")
    hashes = []
    for photo in photos:
        try:
            image = base64.b64decode(photo.get_child_text("BINVAL", VCARD) or "")
        except (binascii.Error, ValueError):
            raise StanzaError("bad-request", "The picture is not in base64") from None
        if image:
            hashes.append(hashlib.sha1(image, usedforsecurity=False).hexdigest())
    return hashes


def known_hashes(module: Any, room: Any) -> list[str]:
    """Return the hashes of a room's pictures; those of rooms of Prosody's are made now."""
    hashes = room._data.get(HASHES)
    if hashes is None:
        hashes = []
        if room.jid in module.rooms.stored:
            try:
                hashes = hashes_of(deserialize(module.avatars.get(room.node)))
            except StanzaError as error:
                module.log("warn", "The picture of %s cannot be used: %s", room.jid, error.text)
        room._data[HASHES] = hashes
    return hashes


def is_ours(module: Any) -> bool:
    """Whether no other module has the pictures of rooms."""
    return "vcard_muc" not in module.host_modules()


def get(module, room, event) -> Stanza:
    """Return the vCard of a room."""
    known = known_hashes(module, room)
    vcard = deserialize(module.avatars.get(room.node)) if known else None
    if vcard is None:
        raise StanzaError("item-not-found", "This room has no picture")
    return vcard


def set(module, room, event) -> None:
    """Replace the vCard of a room; an empty one removes it."""
    if room.get_affiliation(jid.bare(event.stanza.attr["from"])) != "owner":
        raise StanzaError("forbidden", "Only owners set the picture of a room")
    vcard = event.stanza.tags[0]
    hashes = hashes_of(vcard)
    module.avatars.set(room.node, preserialize(vcard) if hashes else None)
    room._data[HASHES] = hashes
    room.save()
    room.broadcast(update(room, hashes))
    room.announce((CHANGED,))


def update(room: Any, hashes: list[str]) -> Stanza:
    """Return the presence that tells of a picture."""
    presence = stanza.presence({"from": room.jid})
    presence.tag("x", xmlns=UPDATE).text_tag("photo", hashes[0] if hashes else None)
    return presence.reset()


def describe(module, event) -> None:
    """Add the hashes to what a room tells about itself."""
    room = event.room
    if not is_ours(module):
        return
    event.reply.tag("feature", var=VCARD).up()
    hashes = known_hashes(module, room)
    if hashes:
        event.form.append({"name": "muc#roominfo_avatarhash", "type": "text-multi",
                           "label": "Avatar hash"})
        event.formdata["muc#roominfo_avatarhash"] = "\n".join(hashes)


def tell(module, event) -> None:
    """Tell a session that has entered of the picture."""
    room = event.room
    if room._data.get(HASHES) == [] or not is_ours(module):
        return
    hashes = known_hashes(module, room)
    if hashes:
        presence = update(room, hashes)
        presence.attr["to"] = event.jid
        room.route_stanza(presence)


def begin(module, event) -> None:
    """Give a new room no picture, whatever a room of that name had before."""
    event.room._data[HASHES] = []


def forget(module, event) -> None:
    """Remove the picture of a room that has ended."""
    if event.room._data.get(HASHES):
        module.avatars.set(event.room.node, None)


def load(module):
    """Open the store and hook the events."""
    module.avatars = module.open_store("vcard_muc")
    module.hook_own("muc-room-created", begin, 10)
    module.hook_own("muc-disco#info", describe, 0)
    module.hook_own("muc-occupant-session-new", tell, 60)
    module.hook_own("muc-room-destroyed", forget, -50)
