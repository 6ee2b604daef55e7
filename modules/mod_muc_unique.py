"""Names for new rooms that nobody else uses (an earlier part of XEP-0045)."""

from __future__ import annotations

import uuid

from prosody_py.api import iq, stanza

XMLNS = "http://jabber.org/protocol/muc#unique"
FEATURES = (XMLNS,)


@iq("get", XMLNS, "unique")
def unique(module, event):
    """Return a name."""
    return stanza.stanza("unique", xmlns=XMLNS).text(str(uuid.uuid4()))
