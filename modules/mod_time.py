"""XEP-0202: Entity Time, and its predecessor XEP-0090, for the host and its accounts.

The time zone told is UTC: a server's place is nobody's business.
"""

from __future__ import annotations

from datetime import UTC, datetime

from prosody_py.api import iq, stanza

XMLNS = "urn:xmpp:time"
LEGACY = "jabber:iq:time"
FEATURES = (XMLNS, LEGACY)


@iq("get", XMLNS, "time", to=("host", "bare"))
def time(module, event):
    """Tell the time in the format of XEP-0082."""
    return stanza.stanza("time", xmlns=XMLNS).text_tag("tzo", "+00:00").text_tag(
        "utc", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")


@iq("get", LEGACY, "query", to=("host", "bare"))
def legacy_time(module, event):
    """Tell the time in the format of XEP-0090."""
    return stanza.stanza("query", xmlns=LEGACY).text_tag(
        "utc", f"{datetime.now(UTC):%Y%m%dT%H:%M:%S}")
