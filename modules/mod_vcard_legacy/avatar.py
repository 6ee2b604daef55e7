"""An account's avatar (XEP-0084): the nodes with its data and what describes it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any, NamedTuple

from prosody_py.api import Stanza, StanzaError
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.service import Service

DATA, METADATA = "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata"
OPTIONS = {"access_model": "open", "_defaults_only": True}
SHOWN_TO_CONTACTS = ("open", "presence")


class Avatar(NamedTuple):
    """A picture: its SHA-1 in hexadecimal, its media type, and itself in base64."""

    id: str
    type: str
    data: str


def info_of(metadata: Stanza | None) -> Stanza | None:
    """Return the <info/> of the picture that is in the data node, None when there is none."""
    for info in metadata.childtags("info") if metadata is not None else ():
        if info.attr.get("id") and "url" not in info.attr:
            return info
    return None


def avatar_of(service: Service, actor: Any) -> Avatar | None:
    """Return an account's avatar if the actor may see it."""
    try:
        item = service.get_last_item(METADATA, actor)
        info = info_of(item.payload) if item is not None else None
        if info is None:
            return None
        found = service.get_items(DATA, actor, [info.attr["id"]]).items
    except PubsubError:
        return None
    if not found or found[0].payload is None:
        return None
    data = "".join(found[0].payload.get_text().split())
    if sha1_of(data) != info.attr["id"].lower():
        return None  # this is another picture, or none (XEP-0398 section 3.1)
    return Avatar(info.attr["id"], info.attr.get("type") or "image/png", data)


def sha1_of(data: str) -> str | None:
    """Return the SHA-1 of what is in base64, None for what is not."""
    try:
        picture = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return hashlib.sha1(picture, usedforsecurity=False).hexdigest()


def hash_of(service: Service | None) -> str | None:
    """Return the hash that contacts are told: "" for no picture, None for an account without."""
    node = service.nodes.get(METADATA) if service is not None else None
    if (node is None or not node["persist_items"]
            or node["access_model"] not in SHOWN_TO_CONTACTS):
        return None
    item = service.items(node).last()
    if item is None:
        return None
    info = info_of(item.payload)
    return "" if info is None else info.attr["id"]


def picture_in(vcard: Stanza) -> Avatar | None:
    """Return the photo in a vcard-temp, None when it has none; raises StanzaError."""
    for photo in vcard.childtags("PHOTO"):
        data = "".join((photo.get_child_text("BINVAL") or "").split())
        if not data:
            continue
        id = sha1_of(data)
        if id is None:
            raise StanzaError("bad-request", "The photo is no base64")
        return Avatar(id, (photo.get_child_text("TYPE") or "").strip() or "image/png", data)
    return None


def publish(service: Service, actor: Any, picture: Avatar | None) -> None:
    """Let an account have this picture, or none; what is so already is not published again."""
    if picture is None:
        if hash_of(service):
            service.publish(METADATA, actor, "current",
                            Stanza("metadata", {"xmlns": METADATA}), OPTIONS)
        return
    if avatar_of(service, True) == picture:
        return
    data = Stanza("data", {"xmlns": DATA}).text(picture.data)
    service.publish(DATA, actor, picture.id, data, OPTIONS)
    size = len(base64.b64decode(picture.data))
    metadata = Stanza("metadata", {"xmlns": METADATA}).tag(
        "info", bytes=str(size), id=picture.id, type=picture.type).reset()
    service.publish(METADATA, actor, picture.id, metadata, OPTIONS)
