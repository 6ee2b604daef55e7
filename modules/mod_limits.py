"""Limits how fast a peer may send: `limits: {c2s: {rate: 10kb/s, burst: 2s}}`.

Each stream has a bucket with room for `burst` seconds at `rate`. What is read beyond that waits
until the debt is paid. A connection is not read again before what it brought has been worked
off; so nothing is lost, and TCP slows the peer down.
"""

from __future__ import annotations

from time import monotonic
from weakref import WeakSet

import gevent

from prosody_py.api import Options, inherited_set, mapping, period, rate, string
from prosody_py.api.registrations import Undo
from prosody_py.events import filters

GLOBAL = True
KINDS = ("c2s",)
_LIMIT = mapping(None, fields={"rate": rate(doc="Bytes a second."),
                               "burst": period("2 seconds", doc="Seconds' worth at once.")})


class Config(Options):
    """How fast, by kind of stream, and who is exempt."""

    limits = mapping(None, where="global", fields={kind: _LIMIT for kind in KINDS},
                     doc="How fast a peer may send, by kind of connection.")
    unlimited_jids = inherited_set((), of=string(), doc="Accounts without a limit.")


class Bucket:
    """How many bytes a stream may send now; negative while it is in debt."""

    def __init__(self, rate: float, burst: float):
        self.rate, self.room = rate, rate * burst
        self.balance, self.when = self.room, monotonic()

    def take(self, amount: int) -> float:
        """Take bytes out, and return the seconds until the debt is paid, 0 without one."""
        now = monotonic()
        self.balance = min(self.room, self.balance + (now - self.when) * self.rate) - amount
        self.when = now
        return max(0.0, -self.balance / self.rate)


def load(module):
    """Limit new streams, and those of clients that are there."""
    module.limited = WeakSet()

    def limit(session):
        if session.server is not module.server:
            return  # filter hooks are those of the process
        kind = session.type.partition("_")[0]
        found = module.options.limits.get(kind) or {}
        if found.get("rate") and not is_unlimited(module, session):
            session.extras["throttle"] = Bucket(found["rate"], found["burst"])
            filters.add_filter(session, "bytes/in", throttle, 1000)
            module.limited.add(session)

    def begin():
        filters.add_filter_hook(limit)
        for session in list(module.shared("/*/c2s/sessions").values()):
            limit(session)

    def end():
        filters.remove_filter_hook(limit)
        for session in list(module.limited):
            release(session)

    module.registrations.add(Undo(begin, end))


def is_unlimited(module, session) -> bool:
    """Whether a session is that of an account without a limit."""
    if session.username is None:
        return False
    allowed = module.context(session.host).get_option_inherited_set("unlimited_jids", ())
    return session.bare_jid in allowed


def throttle(data: bytes, session):
    """Hold back what was read while the stream is in debt."""
    bucket, conn = session.extras.get("throttle"), session.conn
    if bucket is None or conn is None:
        return data
    wait = bucket.take(len(data))
    if wait > 0:
        session.log.debug("Sends too fast: not read for %.1f seconds", wait)
        gevent.sleep(wait)
        if session.conn is not conn:
            # The connection broke meanwhile. Its peer has had no acknowledgement of this, and
            # sends it again if the session goes on with another connection (XEP-0198).
            return None
    return data


def release(session) -> None:
    """Lift the limit of a session."""
    session.extras.pop("throttle", None)
    filters.remove_filter(session, "bytes/in", throttle)


def add_host(module):
    """Lift the limit of accounts that have none, when they log in."""

    def authenticated(event):
        if is_unlimited(module, event.session):
            release(event.session)

    module.hook("authentication-success", authenticated)
