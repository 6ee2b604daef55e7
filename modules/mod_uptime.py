"""XEP-0012: Last Activity of the host, which is how long the server has been running."""

from __future__ import annotations

import time

from prosody_py.api import iq, stanza

XMLNS = "jabber:iq:last"
FEATURES = (XMLNS,)


@iq("get", XMLNS, "query")
def uptime(module, event):
    """Tell the seconds since the server's start."""
    seconds = max(0, int(time.time() - module.server.start_time))
    return stanza.stanza("query", xmlns=XMLNS, seconds=str(seconds))
