"""ANONYMOUS: let a client in under a name made up for it (RFC 4505)."""

from collections.abc import Generator

from prosody_py.xmpp.sasl.identity import decode_utf8
from prosody_py.xmpp.sasl.outcome import Challenge, SaslError, Success
from prosody_py.xmpp.sasl.profile import Profile

__all__ = ["anonymous"]

MAX_TRACE_LENGTH = 255
"""Longest trace in characters (RFC 4505 section 2)."""


def anonymous(profile: Profile, data: bytes | None) -> Generator[Challenge, bytes, Success]:
    """Make up an account; ``data`` is the trace, which nothing is proved by."""
    if data is None:
        data = yield Challenge(b"")
    trace = decode_utf8(data)
    if len(trace) > MAX_TRACE_LENGTH or not trace.isprintable():
        raise SaslError("malformed-request", "Trace is too long or has control characters.")
    return Success(profile.anonymous_username(trace))
