"""Presence from one session to many, and back: broadcasts, probes and their answers.

Everything here would work with `server.post_stanza` alone, and does when other modules listen to
presence. While nobody but mod_presence does, the stanzas that would pass its handlers anyway are
given to the receivers' sessions at once, as text that is written once for all of them.
"""

from __future__ import annotations

from prosody_py.concurrency.turns import in_turns
from prosody_py.events.bystanders import Meddler, meddlers, meddles
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions.draining import is_crowded, let_drain
from prosody_py.xmpp.builders import presence
from prosody_py.xmpp.jid import split
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr

OWNER = "presence"  # the module whose handlers a direct delivery stands for


def parse_priority(stanza: Stanza) -> int:
    """Return the priority that a presence names, -128 to 127; 0 for none and for nonsense."""
    text = stanza.get_child_text("priority")
    try:
        return max(-128, min(127, int(text))) if text and len(text) < 8 else 0
    except ValueError:
        return 0


def available_sessions(server, account: str) -> list:
    """Return the available sessions of a bare JID."""
    user = server.bare_sessions.get(account)
    if user is None:
        return []
    return [session for session in user.sessions.values() if session.presence is not None]


def _others(events, *names: str) -> list[Meddler] | None:
    """Return who may stop these events beside mod_presence, None for who must see each of them."""
    return meddlers(events, "presence", OWNER, *names)


def _last_presence(session) -> OneToMany:
    """Return a session's presence, as text that is kept until there is another presence."""
    current = session.presence
    kept = session.extras.get("last_presence_text")
    if kept is None or kept.stanza is not current or current.lua is not None:
        kept = session.extras["last_presence_text"] = OneToMany(current)
    return kept


class _Shortcuts:
    """Which contacts can be reached without the bus, for one round of deliveries.

    A stanza passes `sender` on the sender's host and `receiver` on the contact's host; when it is
    answered, the answer passes `back_sender` on the contact's and `back_receiver` on ours.
    """

    def __init__(self, server, session, answered: bool = False):
        self._server = server
        self._account, self._session = session.bare_jid, session.full_jid
        self._answered = answered
        names = ("pre-presence/bare", "presence/full") if answered else ("pre-presence/bare",)
        self._senders = _others(session.host_object.events, *names)
        self._known: dict[str, list | None] = {}

    def nobody_there(self, contact) -> bool:
        """Whether a contact is an account of ours without sessions, so that presence is lost."""
        return self._receivers(contact) is not None and "@" in contact.jid and (
            contact.jid not in self._server.bare_sessions)

    def reach(self, contact) -> bool:
        """Whether presence to a contact passes nobody who would stop it."""
        receivers = self._receivers(contact)
        if receivers is None or "@" not in contact.jid:
            return False
        return not (self._senders and meddles(self._senders, self._account, contact.jid)
                    or receivers and meddles(receivers, contact.jid, self._session))

    def _receivers(self, contact) -> list | None:
        if self._senders is None:
            return None
        if contact.host not in self._known:
            host = self._server.hosts.get(contact.host)
            names = ("presence/bare", "pre-presence/full") if self._answered else (
                "presence/bare",)
            self._known[contact.host] = None if host is None else _others(host.events, *names)
        return self._known[contact.host]


def broadcast(server, session, stanza: Stanza, contacts) -> None:
    """Send a session's presence to contacts, each an entry of `Roster.subscribers`.

    Handlers may wait. A session that becomes unavailable meanwhile is not announced to the rest,
    who would take it for available.
    """
    to_many = OneToMany(stanza)
    available = "type" not in stanza.attr
    shortcuts = _Shortcuts(server, session)
    bare_sessions = server.bare_sessions
    for contact in in_turns(contacts):
        if available and session.presence is None:
            return
        if shortcuts.nobody_there(contact):
            continue
        if not shortcuts.reach(contact):
            server.post_stanza(session, to_many.element(contact.jid), True)
            continue
        for receiver in list(bare_sessions[contact.jid].sessions.values()):
            if receiver.presence is not None:
                to_many.send(receiver, contact.jid, contact.to)


def send_to_resources(server, session, stanza: Stanza, resources) -> None:
    """Send a session's presence to sessions of the same user; it gets its own without a `to`."""
    to_many = OneToMany(stanza)
    others = _others(session.host_object.events, "pre-presence/full", "presence/full")
    for receiver in resources:
        if receiver is session:
            to_many.send(session, None)
        elif others is not None and not meddles(others, session.bare_jid, receiver.full_jid):
            to_many.send(receiver, receiver.full_jid)
        else:
            server.post_stanza(session, to_many.element(receiver.full_jid), True)


def send_available(server, account: str, to: str) -> int:
    """Send the presence of an account's available resources to an address; return how many."""
    sessions = available_sessions(server, account)
    for session in sessions:
        server.post_stanza(session, _last_presence(session).element(to), True)
    return len(sessions)


def send_unavailable(server, account: str, to: str) -> None:
    """Say to an address that each of an account's available resources is unavailable."""
    for session in available_sessions(server, account):
        server.post_stanza(session, presence(
            {"from": session.full_jid, "to": to, "type": "unavailable"}), True)


def probe_contacts(server, session, contacts) -> None:
    """Ask for the presence of contacts, each an entry of `Roster.subscribed_to`."""
    reach = _Shortcuts(server, session, answered=True).reach
    to = f" to='{escape_attr(session.full_jid)}'".encode()
    for contact in in_turns(contacts):
        if session.destroyed:
            return
        if reach(contact):
            _answer_directly(server, session, to, contact)
        else:
            server.post_stanza(session, presence(
                {"from": session.full_jid, "to": contact.jid, "type": "probe"}), True)


def _answer_directly(server, session, to: bytes, contact) -> None:
    user = server.bare_sessions.get(contact.jid)
    if user is not None:
        roster = user.roster
    else:
        roster = load_roster(server, contact.jid.partition("@")[0], contact.host)
    if not roster.is_contact_subscribed(session.bare_jid):
        refuse_probe(server, contact.jid, session.bare_jid)
        return
    sent = False
    for other in list(user.sessions.values()) if user is not None else ():
        if other.presence is not None:
            sent = True
            _last_presence(other).send(session, session.full_jid, to)
            if is_crowded(session):
                let_drain(session)
    if not sent:
        session.send(presence({"from": contact.jid, "to": session.full_jid,
                               "type": "unavailable"}))


def answer_probe(server, account: str, prober: str) -> None:
    """Answer a probe to an account of this server (RFC 6121 section 4.3.2)."""
    username, host, _ = split(account)
    roster = load_roster(server, username, host)
    node, domain, _ = split(prober)
    asking = f"{node}@{domain}" if node else domain
    if not roster.is_contact_subscribed(asking):
        refuse_probe(server, account, asking)
    elif not send_available(server, account, prober):
        server.post_stanza(server.hosts[host], presence(
            {"from": account, "to": prober, "type": "unavailable"}))


def refuse_probe(server, account: str, prober: str) -> None:
    """Tell a bare JID that it has no subscription, which also mends its roster."""
    server.post_stanza(server.hosts[split(account)[1]], presence(
        {"from": account, "to": prober, "type": "unsubscribed"}))
