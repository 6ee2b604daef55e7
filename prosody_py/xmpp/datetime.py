"""XMPP date and time profiles (XEP-0082), and the stamp of a delayed stanza (XEP-0203).

Times are seconds since 1970; what is written is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from prosody_py.xmpp.stanza import Stanza

DELAY = "urn:xmpp:delay"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_match = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?\Z",
                    re.ASCII).match


def format_datetime(when: float) -> str:
    """Return a time as XEP-0082 writes it: microseconds where there are any, and "Z"."""
    moment = _EPOCH + timedelta(microseconds=round(when * 1_000_000))
    return moment.replace(tzinfo=None).isoformat() + "Z"


def parse_datetime(text: str | None) -> float | None:
    """Return the time that a text means, None when it is no date with time.

    The legacy form without hyphens (XEP-0091) is understood too; without a zone it is UTC.
    """
    found = _match(text or "")
    if found is None:
        return None
    *parts, fraction, zone = found.groups()
    try:
        moment = datetime(*map(int, parts), tzinfo=UTC)
    except ValueError:
        return None
    when = (moment - _EPOCH).total_seconds() + float(fraction or 0)
    if zone and zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        when += -offset if zone[0] == "+" else offset
    return when


def delay(when: float, from_: str | None = None) -> Stanza:
    """Return the <delay/> that says when a stanza was first sent, and who has kept it."""
    attr = {"xmlns": DELAY, "stamp": format_datetime(when)}
    if from_ is not None:
        attr["from"] = from_
    return Stanza("delay", attr)


def delayed(message: Stanza, when: float, host: str) -> Stanza:
    """Return the message, with the time of its sending if `host` has not told that before."""
    if message.get_child_with_attr("delay", DELAY, "from", host) is None:
        message.children.append(delay(int(when), host))
    return message
