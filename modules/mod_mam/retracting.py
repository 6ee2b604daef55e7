"""What a retracted message leaves in an archive (XEP-0424 section 4)."""

from __future__ import annotations

import time

from prosody_py.api import Stanza, jid
from prosody_py.xmpp import retraction

LOOKED_AT = 500  # messages among which one is looked for where there is no index of ids


def bury(module, username: str, retracted: str, element: Stanza, partner: str) -> None:
    """Put a tombstone in the place of a message that its sender has retracted (XEP-0424)."""
    sender = jid.bare(element.attr["from"])
    for id, old, _when, _with in sent_with(module, username, retracted, partner):
        if (old.attr.get("id") == retracted and jid.bare(old.attr.get("from")) == sender
                and retraction.retracted_id(old) is None and not retraction.is_tombstone(old)):
            module.archive.set(username, id, retraction.tombstone(old, time.time(), element))
            return


def sent_with(module, username: str, id: str, partner: str):
    """Return messages with somebody among which are those that were sent with an id."""
    found = module.archive.said(username, partner, id) if module.ids else None
    # Stores of others have no such index, and what is in a store from before it had one is old.
    return found or module.archive.find(
        username, {"with": partner, "limit": LOOKED_AT, "reverse": True})[0]
