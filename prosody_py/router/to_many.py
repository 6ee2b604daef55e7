"""One stanza for many full addresses: straight to their sessions where nothing looks at it.

A stanza to a local resource passes the event `<name>/full` of that host. While its handlers are
only the one that delivers it and such as do not mind, the finished text goes to the connection at
once. A handler says so with `passes_groupchat = True` on its function: it never does anything about
stanzas of rooms. Everything else takes the way of any stanza.
"""

from __future__ import annotations

from collections.abc import Iterable

import gevent

from prosody_py.events.bus import Events
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.router.deliver import post_stanza
from prosody_py.sessions.session import Session
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr

_DELIVERS = frozenset(("message", "presence"))  # the modules that hand these to sessions
_AT_ONCE = 200  # stanzas to one session in one piece
_PATIENCE = 1000  # times ten milliseconds


def to_attribute(address: str) -> bytes:
    """Return ` to='address'` as it stands in a start tag."""
    return f" to='{escape_attr(address)}'".encode()


def is_plain(events: Events, name: str) -> bool:
    """Whether the handlers of an event would do nothing about a room's stanza but deliver it."""
    if events.wrapped:
        return False
    chain = events.index.get(name, ())
    delivered = False
    for handler in chain:
        args = getattr(handler, "args", None)
        function = getattr(handler, "func", None) or getattr(handler, "function", None)
        if args and args[0].name == name.partition("/")[0] and args[0].name in _DELIVERS:
            delivered = True
        elif not getattr(function, "passes_groupchat", False):
            return False
    return delivered


def send_to_many(server, origin, stanza: Stanza | OneToMany,
                 receivers: Iterable[tuple[str, bytes]]) -> None:
    """Deliver a stanza of `origin` (a host) to many.

    Args:
        stanza: its `to` does not matter.
        receivers: the full address of each, and what `to_attribute` gives for it.
    """
    to_many = stanza if type(stanza) is OneToMany else OneToMany(stanza)
    head, rest = to_many.text()
    name = to_many.stanza.name + "/full"
    full_sessions = server.full_sessions
    plain: dict[str, bool] = {}
    for address, to in receivers:
        session = full_sessions.get(address)
        if session is not None:
            host = session.host
            free = plain.get(host)
            if free is None:
                free = plain[host] = is_plain(server.hosts[host].events, name)
            if free:
                if session.filters is not None or "send" in session.extras:
                    session.send(to_many.element(address))
                    continue
                # One whose connection is closing says that it goes in a moment.
                if session.send(head + to + rest) or session.conn is not None:
                    continue
        post_stanza(server, origin, to_many.element(address))


def send_many_to_one(server, origin, stanzas: Iterable[OneToMany], address: str,
                     to: bytes) -> None:
    """Deliver stanzas of one name to one full address, in large pieces where that is possible.

    It waits for a peer that cannot take all at once.
    """
    stanzas = list(stanzas)
    if not stanzas:
        return
    session = server.full_sessions.get(address)
    if session is None or session.conn is None or not is_plain(
            server.hosts[session.host].events, stanzas[0].stanza.name + "/full"):
        for stanza in stanzas:
            post_stanza(server, origin, stanza.element(address))
        return
    if session.filters is not None or "send" in session.extras or (
            getattr(type(session), "send", None) is not Session.send):
        for stanza in stanzas:  # something looks at each, or frames it
            stanza.send(session, address, to)
        return
    conn = session.conn
    for start in range(0, len(stanzas), _AT_ONCE):
        parts: list[bytes] = []
        for stanza in stanzas[start:start + _AT_ONCE]:
            head, rest = stanza.text()
            parts += (head, to, rest)
        if not conn.write(b"".join(parts)):
            return
        if conn.pending > conn.max_send_buffer // 2:
            _let_drain(conn)


def _let_drain(conn) -> None:
    """Wait until a peer has taken what is queued for it, but not for ever."""
    conn.flush()
    for _ in range(_PATIENCE):
        if conn.closed or conn.pending <= conn.max_send_buffer // 2:
            return
        gevent.sleep(0.01)
