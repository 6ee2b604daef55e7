"""One stanza for many addresses: straight to their sessions where nobody looks at it on the way.

A stanza to a local address passes the events of that host. While their handlers are only the one
that delivers it and bystanders (events/bystanders), the finished text goes to the connections at
once. Everything else takes the way of any stanza.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.events.bystanders import Meddler, meddlers, meddles
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.router.deliver import post_stanza
from prosody_py.xmpp.jid import prepped_split
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr

STANZA_ID = "urn:xmpp:sid:0"


def to_attribute(address: str) -> bytes:
    """Return ` to='address'` as it stands in a start tag."""
    return f" to='{escape_attr(address)}'".encode()


class _Ways:
    """Whether one stanza may go straight to sessions, asked once for each host and event."""

    def __init__(self, server: Any, kind: str, stanza: Stanza):
        self._server, self._kind = server, kind
        self._owner = stanza.name  # mod_message and mod_presence deliver what they are named after
        self._peer = stanza.attr.get("from") or ""
        self._known: dict[tuple[str, str], list[Meddler] | None] = {}
        self._possible = is_possible(stanza, kind)

    def straight(self, host: str, event: str, account: str) -> bool:
        """Whether nobody would see the stanza on its way to an account or one of its clients."""
        key = host, event
        if key not in self._known:
            found = self._server.hosts.get(host) if self._possible else None
            self._known[key] = None if found is None or found.type != "local" else meddlers(
                found.events, self._kind, self._owner, event)
        asked = self._known[key]
        return asked is not None and not (asked and meddles(asked, account, self._peer))


def is_possible(stanza: Stanza, kind: str) -> bool:
    """Whether a stanza is what the receivers' modules take the `kind` for."""
    if stanza.name != "message":
        return kind == "room"
    if kind == "headline":
        return stanza.attr.get("type") == "headline"
    if stanza.attr.get("type") != "groupchat":
        return False
    # A stanza id in somebody else's name may be forged in the receiver's, who then has to see it.
    room = (stanza.attr.get("from") or "").partition("/")[0]
    return all(child.attr.get("by") == room for child in stanza.childtags("stanza-id", STANZA_ID))


def send_to_many(server: Any, origin: Any, stanza: Stanza | OneToMany,
                 receivers: Iterable[tuple[str, bytes]]) -> None:
    """Deliver a stanza of a room to many occupants, on behalf of `origin` (a host).

    Args:
        stanza: its `to` does not matter.
        receivers: the full address of each, and what `to_attribute` gives for it.
    """
    to_many = stanza if type(stanza) is OneToMany else OneToMany(stanza)
    head, rest = to_many.text()
    event = to_many.stanza.name + "/full"
    full_sessions = server.full_sessions
    ways = _Ways(server, "room", to_many.stanza)
    for address, to in receivers:
        session = full_sessions.get(address)
        if session is None or not ways.straight(session.host, event, session.bare_jid):
            post_stanza(server, origin, to_many.element(address))
        elif session.filters is None and session.keep is None and session.conn is not None and (
                "send" not in session.__dict__):
            session.conn.write(head + to + rest)
        else:
            to_many.send(session, address, to)


def send_many_to_one(server: Any, origin: Any, stanzas: Iterable[OneToMany], address: str,
                     to: bytes) -> None:
    """Deliver stanzas of a room, of one name, to one occupant; in one piece where possible."""
    stanzas = list(stanzas)
    session = server.full_sessions.get(address)
    if not stanzas or session is None or session.filters is not None or (
            session.keep is not None or session.conn is None or "send" in session.__dict__):
        for stanza in stanzas:
            send_to_many(server, origin, stanza, [(address, to)])
        return
    parts: list[bytes] = []
    for stanza in stanzas:
        if not _Ways(server, "room", stanza.stanza).straight(
                session.host, stanza.stanza.name + "/full", session.bare_jid):
            break
        head, rest = stanza.text()
        parts += (head, to, rest)
    session.conn.write(b"".join(parts))
    for stanza in stanzas[len(parts) // 3:]:
        post_stanza(server, origin, stanza.element(address))


def send_headline(server: Any, origin: Any, stanza: Stanza | OneToMany,
                  addresses: Iterable[str]) -> None:
    """Deliver a notification to full and bare addresses, on behalf of `origin` (a host)."""
    to_many = stanza if type(stanza) is OneToMany else OneToMany(stanza)
    ways = _Ways(server, "headline", to_many.stanza)
    for address in addresses:
        node, host, resource = prepped_split(address)
        account = f"{node}@{host}"
        event = "message/full" if resource else "message/bare"
        if not node or not ways.straight(host, event, account):
            post_stanza(server, origin, to_many.element(address))
        elif resource:
            session = server.full_sessions.get(address)
            if session is not None:
                to_many.send(session, address)
        else:
            _to_account(server, to_many, account)


def _to_account(server: Any, to_many: OneToMany, account: str) -> None:
    user = server.bare_sessions.get(account)
    for session in list(user.sessions.values()) if user is not None else ():
        if session.presence is not None and session.priority >= 0:
            to_many.send(session, account)
