"""One question to one name server: UDP first, TCP when the answer is cut short.

Each question has a socket of its own, so its port is the system's random choice, and a random id.
The socket is connected: what others send does not reach it. Whatever does not answer this question
is passed over and the waiting goes on, as the true answer may still come (RFC 5452).
"""

from __future__ import annotations

import secrets
import struct
import time

import dns.exception
import dns.flags
import dns.message
import dns.rcode
from gevent import socket, timeout

_PAYLOAD = 1232  # fits into one packet everywhere
_MAX_PACKETS = 64  # wrong ones that are read before a server is given up
_HEADER = 12
_NO_EDNS = frozenset((dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS))


class NoAnswer(Exception):
    """A name server gave no answer that can be used; the text says why."""


def make_query(name: str, kind: str, edns: bool = True) -> dns.message.QueryMessage:
    """Return a question with a fresh id.

    Asks for the AD flag (RFC 6840 section 5.7). Raises dnspython's errors for a name or type
    that cannot be.
    """
    query = dns.message.make_query(name, kind, id=secrets.randbits(16),
                                   flags=dns.flags.RD | dns.flags.AD)
    if edns:
        query.use_edns(0, payload=_PAYLOAD)
    return query


def ask(server: tuple[str, int], name: str, kind: str, seconds: float) -> dns.message.Message:
    """Return a name server's answer; raises NoAnswer, dnspython's errors for a bad question."""
    deadline = time.monotonic() + seconds
    query = make_query(name, kind)
    answer = _ask(server, query, deadline)
    if answer.rcode() in _NO_EDNS:  # RFC 6891 section 6.2.2
        answer = _ask(server, make_query(name, kind, edns=False), deadline)
    return answer


def _ask(server: tuple[str, int], query: dns.message.Message,
         deadline: float) -> dns.message.Message:
    try:
        return _by_udp(server, query, deadline) or _by_tcp(server, query, deadline)
    except (OSError, timeout.Timeout) as error:
        if isinstance(error, TimeoutError | timeout.Timeout):
            raise NoAnswer("no answer in time") from None
        raise NoAnswer(error.strerror or str(error)) from None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _family(server: tuple[str, int]) -> int:
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET


def _by_udp(server: tuple[str, int], query: dns.message.Message,
            deadline: float) -> dns.message.Message | None:
    """Return the answer, None when it was cut short."""
    with socket.socket(_family(server), socket.SOCK_DGRAM) as sock:
        sock.settimeout(_left(deadline))
        sock.connect(server)
        sock.send(query.to_wire())
        for _ in range(_MAX_PACKETS):
            sock.settimeout(_left(deadline))
            wire = sock.recv(65535)
            if _is_cut_short(wire, query.id):
                return None
            answer = _parse(wire, query)
            if answer is not None:
                return answer
    raise NoAnswer("only packets that answer something else")


def _is_cut_short(wire: bytes, id: int) -> bool:
    """Whether these bytes begin like the answer, with the flag TC: the rest may be anything."""
    if len(wire) < _HEADER:
        return False
    number, flags = struct.unpack_from("!HH", wire)
    return number == id and bool(flags & dns.flags.QR) and bool(flags & dns.flags.TC)


def _parse(wire: bytes, query: dns.message.Message) -> dns.message.Message | None:
    """Return what answers `query`, None for anything else."""
    try:
        answer = dns.message.from_wire(wire)
        return answer if query.is_response(answer) else None
    except (dns.exception.DNSException, ValueError, struct.error, IndexError, UnicodeError):
        return None


def _by_tcp(server: tuple[str, int], query: dns.message.Message,
            deadline: float) -> dns.message.Message:
    with socket.socket(_family(server), socket.SOCK_STREAM) as sock:
        sock.settimeout(_left(deadline))
        sock.connect(server)
        wire = query.to_wire()
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", _read(sock, 2, deadline))
        answer = _parse(_read(sock, length, deadline), query)
    if answer is None:
        raise NoAnswer("an answer to something else")
    return answer


def _read(sock: socket.socket, length: int, deadline: float) -> bytes:
    parts = []
    while length:
        sock.settimeout(_left(deadline))
        part = sock.recv(length)
        if not part:
            raise NoAnswer("the connection was closed too early")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
