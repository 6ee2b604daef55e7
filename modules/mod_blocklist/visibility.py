"""What somebody sees of a user who blocks or unblocks them: gone, and there again."""

from __future__ import annotations

from prosody_py.api import jid, stanza
from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import presence

from .lists import blocks


def disappear(module, username: str, added: frozenset[str]) -> None:
    """Tell those who are blocked now, and may know, that the user is unavailable.

    Requests of theirs that wait for the user's answer are dropped: they would be shown again and
    again. Subscriptions stay, so that nobody learns of the block.
    """
    server, account = module.server, f"{username}@{module.host}"
    roster = load_roster(server, username, module.host)
    for contact in [contact for contact in roster.pending if blocks(added, contact)]:
        rostermanager.inbound(server, roster, "unsubscribe", contact)
    contacts = addressed(added, roster.subscribers)
    for session in presence.available_sessions(server, account):
        directed = [to for to in session.directed or () if blocks(added, to)]
        for to in dict.fromkeys([*contacts, *directed]):
            server.post_stanza(session, stanza.presence(
                {"from": session.full_jid, "to": to, "type": "unavailable"}))
        for to in directed:
            if session.directed:
                session.directed.pop(to, None)


def reappear(module, username: str, removed: frozenset[str]) -> None:
    """Let those who are not blocked any more, and may know, see the user; ask how they are."""
    server, account = module.server, f"{username}@{module.host}"
    roster = load_roster(server, username, module.host)
    for to in addressed(removed, roster.subscribers):
        presence.send_available(server, account, to)
    sessions = presence.available_sessions(server, account)
    for contact in roster.subscribed_to:
        if blocks(removed, contact.jid):
            for session in sessions:
                server.post_stanza(session, stanza.presence(
                    {"from": session.full_jid, "to": contact.jid, "type": "probe"}), True)


def addressed(listed: frozenset[str], contacts) -> list[str]:
    """Return where presence goes because of a change of the list.

    That is contacts that the list covers, and single resources of contacts that it names.
    """
    known = {contact.jid for contact in contacts}
    resources = sorted(entry for entry in listed
                       if jid.resource(entry) and jid.bare(entry) in known)
    return [*(contact.jid for contact in contacts if blocks(listed, contact.jid)), *resources]
