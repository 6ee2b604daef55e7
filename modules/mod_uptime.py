"""How long the server has been running: XEP-0012 of the host, and an ad-hoc command."""

from __future__ import annotations

import time

from prosody_py.api import adhoc, datetime, iq, stanza

XMLNS = "jabber:iq:last"
FEATURES = (XMLNS,)


def load(module):
    """Offer the command, as Prosody's module does."""
    module.add_item("adhoc", adhoc.simple("Get uptime", "uptime",
                                          lambda _data: in_words(module), "any"))


def in_words(module) -> str:
    """Return the time since the server's start, for people."""
    minutes = max(0, int(time.time() - module.server.start_time)) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    return (f"This server has been running for {days} days, {hours} hours and {minutes % 60} "
            f"minutes (since {datetime.format_datetime(module.server.start_time)})")


@iq("get", XMLNS, "query")
def uptime(module, event):
    """Tell the seconds since the server's start."""
    seconds = max(0, int(time.time() - module.server.start_time))
    return stanza.stanza("query", xmlns=XMLNS, seconds=str(seconds))
