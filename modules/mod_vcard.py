"""XEP-0054: vcard-temp. Everybody may read a vCard, only its owner writes it.

Store "vcard": the element as plain data, as Prosody's. Fires `vcard-updated` (origin, stanza)
after a change.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from prosody_py.api import StanzaError, hook, iq, jid
from prosody_py.xmpp.preserialize import deserialize, preserialize

XMLNS = "vcard-temp"
FEATURES = (XMLNS,)


def load(module):
    """Open the store."""
    module.store = module.open_counted_store("vcard")


@iq("get", XMLNS, "vCard", to=("bare", "host"))
def get(module, event):
    """Return an account's vCard, or the host's.

    What a stranger is told does not depend on whether there is such an account (section 3.3).
    """
    to = event.stanza.attr.get("to")
    found = deserialize(module.store.get(event.origin.username if to is None else jid.node(to)))
    if found is None:
        raise StanzaError("item-not-found" if to is None else "service-unavailable")
    return found


@iq("set", XMLNS, "vCard", to=("bare", "host"))
def set(module, event):
    """Replace the sender's own vCard."""
    if not event.to_self:
        raise StanzaError("forbidden")
    vcard = event.stanza.tags[0]
    module.store.set(event.origin.username, preserialize(vcard) if vcard.children else None)
    module.fire_event("vcard-updated", event)


@hook("user-deleted")
def forget(module, event):
    """Remove an account's vCard."""
    module.store.set(event.username, None)


def get_avatar_hash(vcard) -> str | None:
    """Return the SHA-1 of the photo in a vCard in hexadecimal (XEP-0153), None without one."""
    photo = vcard.get_child("PHOTO")
    data = photo.get_child_text("BINVAL") if photo is not None else None
    try:
        image = base64.b64decode(data or "")
    except (binascii.Error, ValueError):
        return None
    return hashlib.sha1(image, usedforsecurity=False).hexdigest() if image else None
