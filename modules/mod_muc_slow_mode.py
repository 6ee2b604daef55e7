"""Slow mode: in a room whose owner says so, who is no moderator waits between two messages.

The field of the configuration form is `muc#roomconfig_slow_mode_duration`, in seconds; it is kept
as `slow_mode_duration` of the room's settings.
"""

from __future__ import annotations

from math import ceil
from time import monotonic

from prosody_py.api import StanzaError, hook

DEPENDS = ("muc",)
FIELD, INFO = "muc#roomconfig_slow_mode_duration", "muc#roominfo_slow_mode_duration"
MOST = 86400  # seconds


@hook("muc-config-form", priority=70)
def add_field(module, event):
    """Let owners say how slow the room is."""
    event.form.append({
        "name": FIELD, "type": "text-single", "datatype": "xs:integer", "range_min": 0,
        "range_max": MOST, "label": "Seconds between two messages of one who is no moderator",
        "value": event.room._data.get("slow_mode_duration") or 0})


@hook(f"muc-config-submitted/{FIELD}")
def set_duration(module, event):
    """Take what an owner says."""
    seconds, data = int(event.value or 0), event.room._data
    if seconds == (data.get("slow_mode_duration") or 0):
        return
    data["slow_mode_duration"] = seconds or None
    if not seconds:
        del data["slow_mode_duration"]
    event.status_codes["104"] = True


@hook("muc-disco#info")
def describe(module, event):
    """Tell clients how slow the room is."""
    seconds = event.room._data.get("slow_mode_duration")
    if seconds:
        event.form.append({"name": INFO, "label": "Seconds between two messages"})
        event.formdata[INFO] = str(seconds)


@hook("muc-occupant-groupchat", priority=9)
def wait(module, event):
    """Refuse what comes too early."""
    room, occupant = event.room, event.occupant
    seconds = room._data.get("slow_mode_duration")
    if not seconds or occupant is None or occupant.role == "moderator" or (
            event.stanza.get_child("body") is None):
        return
    spoken = room.__dict__.setdefault("slow_mode_spoken", {})
    now = monotonic()
    left = spoken.get(occupant.bare_jid, 0.0) - now
    if left > 0:
        raise StanzaError("policy-violation", f"This room is slow: wait {ceil(left)} seconds",
                          type="wait")
    if len(spoken) > 1000:
        for account in [account for account, until in spoken.items() if until <= now]:
            del spoken[account]
    spoken[occupant.bare_jid] = now + seconds
