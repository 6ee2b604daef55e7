"""Limits of what may be said in a room: how often, and how much at once.

Each room has a bucket of `muc_event_rate` * `muc_burst_factor` points that fills up again by
`muc_event_rate` a second. A message costs `muc_limit_base_cost`, and for each line after the first
`muc_line_count_multiplier`. Members, admins and owners are not limited. Options are those of the
module of this name for Prosody.
"""

from __future__ import annotations

from time import monotonic

from prosody_py.api import Options, StanzaError, hook, integer, number

DEPENDS = ("muc",)
EXEMPT = ("owner", "admin", "member")


class Config(Options):
    """How much is too much."""

    muc_event_rate = number(0.5, min=0.001, doc="Messages a second that a room takes on average.")
    muc_burst_factor = number(6, min=1, doc="Seconds' worth of messages that may come at once.")
    muc_limit_base_cost = number(1, min=0, doc="What a message costs.")
    muc_line_count_multiplier = number(0.1, min=0, doc="What each further line costs.")
    muc_max_char_count = integer(5664, min=1, doc="Characters of a message.")
    muc_max_line_count = integer(23, min=1, doc="Lines of a message.")


class Bucket:
    """What a room may still take."""

    __slots__ = ("left", "at")

    def __init__(self, left: float):
        self.left, self.at = left, monotonic()

    def take(self, cost: float, rate: float, most: float) -> bool:
        """Take `cost` out if there is as much; say whether there was."""
        now = monotonic()
        self.left = min(most, self.left + (now - self.at) * rate)
        self.at = now
        if self.left < cost:
            return False
        self.left -= cost
        return True


@hook("muc-occupant-groupchat", priority=10)
def check(module, event):
    """Refuse what is too much."""
    room, occupant, options = event.room, event.occupant, module.options
    if occupant is None or room.get_affiliation(occupant.bare_jid) in EXEMPT:
        return
    body = event.stanza.get_child_text("body") or ""
    lines = body.count("\n") + 1
    if len(body) > options.muc_max_char_count:
        raise StanzaError("policy-violation", "The message is too long", type="modify")
    if lines > options.muc_max_line_count:
        raise StanzaError("policy-violation", "The message has too many lines", type="modify")
    most = options.muc_event_rate * options.muc_burst_factor
    bucket = getattr(room, "throttle", None)
    if bucket is None:
        bucket = room.throttle = Bucket(most)
    cost = options.muc_limit_base_cost + (lines - 1) * options.muc_line_count_multiplier
    if not bucket.take(cost, options.muc_event_rate, most):
        raise StanzaError("policy-violation", "There is too much going on in this room; try again "
                          "later", type="wait")
