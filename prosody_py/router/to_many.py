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
from prosody_py.sessions.draining import is_crowded, let_drain
from prosody_py.sessions.session import Session
from prosody_py.xmpp.jid import prepped_split
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr

STANZA_ID = "urn:xmpp:sid:0"
_AT_ONCE = 200  # stanzas to one session in one piece


def to_attribute(address: str) -> bytes:
    """Return ` to='address'` as it stands in a start tag."""
    return f" to='{escape_attr(address)}'".encode()


class _Ways:
    """Whether stanzas of one name may go straight to sessions, asked once for each host."""

    def __init__(self, server: Any, kind: str, name: str):
        self._server, self._kind = server, kind
        self._owner = name  # mod_message and mod_presence deliver what they are named after
        self._known: dict[tuple[str, str], list[Meddler] | None] = {}

    def straight(self, host: str, event: str, account: str, peer: str) -> bool:
        """Whether nobody would see what `peer` sends on its way to an account."""
        key = host, event
        if key not in self._known:
            found = self._server.hosts.get(host)
            self._known[key] = None if found is None or found.type != "local" else meddlers(
                found.events, self._kind, self._owner, event)
        asked = self._known[key]
        return asked is not None and not (asked and meddles(asked, account, peer))


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


def _takes_text(session: Any) -> bool:
    """Whether finished text may go to a session's connection past its `send`."""
    return (session.filters is None and session.keep is None and session.conn is not None
            and "send" not in session.__dict__ and type(session).send is Session.send)


def send_to_many(server: Any, origin: Any, stanza: Stanza | OneToMany,
                 receivers: Iterable[tuple[str, bytes]]) -> None:
    """Deliver a stanza of a room to many occupants, on behalf of `origin` (a host).

    Args:
        stanza: its `to` does not matter.
        receivers: the full address of each, and what `to_attribute` gives for it.
    """
    to_many = stanza if type(stanza) is OneToMany else OneToMany(stanza)
    head, rest = to_many.text()
    name, peer = to_many.stanza.name, to_many.stanza.attr.get("from") or ""
    event = name + "/full"
    full_sessions = server.full_sessions
    straight = _Ways(server, "room", name).straight
    possible = is_possible(to_many.stanza, "room")
    for address, to in receivers:
        session = full_sessions.get(address)
        if session is None or not possible or not straight(
                session.host, event, session.bare_jid, peer):
            post_stanza(server, origin, to_many.element(address))
        elif _takes_text(session):
            session.conn.write(head + to + rest)
        elif not to_many.send(session, address, to) and session.conn is None:
            post_stanza(server, origin, to_many.element(address))  # which tells that it is gone


def send_many_to_one(server: Any, origin: Any, stanzas: Iterable[OneToMany], address: str,
                     to: bytes) -> None:
    """Deliver stanzas of a room, of one name, to one occupant; in large pieces where possible.

    It waits for a peer that cannot take all at once.
    """
    stanzas = list(stanzas)
    session = server.full_sessions.get(address)
    if not stanzas or session is None or not _takes_text(session):
        for stanza in stanzas:
            send_to_many(server, origin, stanza, [(address, to)])
        return
    name = stanzas[0].stanza.name
    straight = _Ways(server, "room", name).straight
    conn = session.conn
    for start in range(0, len(stanzas), _AT_ONCE):
        parts: list[bytes] = []
        for stanza in stanzas[start:start + _AT_ONCE]:
            if is_possible(stanza.stanza, "room") and straight(
                    session.host, name + "/full", session.bare_jid,
                    stanza.stanza.attr.get("from") or ""):
                head, rest = stanza.text()
                parts += (head, to, rest)
            else:
                if parts:
                    conn.write(b"".join(parts))
                    parts.clear()
                post_stanza(server, origin, stanza.element(address))
        if parts and not conn.write(b"".join(parts)):
            return
        if is_crowded(session):
            let_drain(session)


def send_headline(server: Any, origin: Any, stanza: Stanza | OneToMany,
                  addresses: Iterable[str]) -> None:
    """Deliver a notification to full and bare addresses, on behalf of `origin` (a host)."""
    to_many = stanza if type(stanza) is OneToMany else OneToMany(stanza)
    peer = to_many.stanza.attr.get("from") or ""
    straight = _Ways(server, "headline", to_many.stanza.name).straight
    possible = is_possible(to_many.stanza, "headline")
    for address in addresses:
        node, host, resource = prepped_split(address)
        account = f"{node}@{host}"
        event = "message/full" if resource else "message/bare"
        if not node or not possible or not straight(host, event, account, peer):
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
