"""Requests: looking names up (net.adns, net.dns, net.unbound)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api.outgoing import DnsError, Job
from prosody_py.lua.values import encode

# Failures that a name server has told are answers in Lua: an rcode and no records.
_TOLD = {"FormErr": 1, "ServFail": 2, "NotImp": 4, "Refused": 5}


def _found(border, answer: Any) -> tuple:
    """Return rcode, secure, ttl, the canonical name, and the list of the records' data."""
    return (answer.rcode, answer.secure, answer.ttl, encode(answer.canonical),
            border.copy_to_lua(list(answer.wire)))


def _failed(border, error: DnsError) -> tuple:
    if error.code in _TOLD:
        return _TOLD[error.code], False, 0, b"", border.copy_to_lua([])
    return None, encode(error.code)


def dns_start(border, server, raw_name: Any, raw_type: Any, raw_done: Any,
              raw_module: Any = None) -> Any:
    """Begin a lookup; return its job.

    Calls done(rcode, secure, ttl, canonical, records) or done(nil, code) later.
    """
    done = border.to_python(raw_done)
    name, kind = str(border.to_python(raw_name)), str(border.to_python(raw_type))

    def finished(answer: Any, error: Exception | None) -> None:
        if error is None:
            done(*_found(border, answer))
        elif isinstance(error, DnsError):
            done(*_failed(border, error))
        else:
            done(None, str(error) or type(error).__name__)

    return border.to_lua(Job(border.to_python(raw_module),
                             lambda: server.dns.lookup(name, kind), finished))


def dns_lookup(border, server, raw_name: Any, raw_type: Any) -> Any:
    """Return what `dns_start` gives to its callback; waits."""
    try:
        return _found(border, server.dns.lookup(str(border.to_python(raw_name)),
                                                str(border.to_python(raw_type))))
    except DnsError as error:
        return _failed(border, error)


def dns_purge(_border, server) -> None:
    server.dns.purge()


PLAIN: dict[str, Callable[..., Any]] = {"dns_start": dns_start, "dns_purge": dns_purge}
REQUESTS: dict[str, Callable[..., Any]] = {"dns_lookup": dns_lookup}
