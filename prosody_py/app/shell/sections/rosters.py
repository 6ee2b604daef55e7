"""`roster ...`: the contacts of accounts, and who sees whose presence."""

from __future__ import annotations

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.api.commands.access import administers
from prosody_py.hosts import users
from prosody_py.hosts.rostermanager import inbound, load_roster, outbound, roster_push
from prosody_py.xmpp import jid as addresses
from prosody_py.xmpp.builders import presence

SECTION = Section("roster", "Contact lists")


@SECTION.command("show", "jid:bare_jid")
def show(call, jid):
    """List the contacts of an account."""
    username, host, _resource = addresses.split(jid)
    if not users.user_exists(call.server, username, host):
        raise CommandError(f"There is no account {jid}", "item-not-found")
    roster = load_roster(call.server, username, host)
    rows = [(contact, item.name, item.subscription + (", asked" if item.ask else ""),
             ", ".join(sorted(item.groups))) for contact, item in roster.items()]
    rows.sort(key=lambda row: row[0])
    return Table(("contact", "name", "subscription", "groups"), rows)


@SECTION.command("subscribe", "jid:bare_jid", "contact:bare_jid")
def subscribe(call, jid, contact):
    """Let an account see the presence of another account of this server, unasked."""
    _accounts(call, jid, contact)
    _subscribe(call.server, jid, contact)
    return f"{jid} sees {contact}"


@SECTION.command("subscribe_both", "jid:bare_jid", "contact:bare_jid")
def subscribe_both(call, jid, contact):
    """Let two accounts of this server see each other's presence, unasked."""
    _accounts(call, jid, contact)
    _subscribe(call.server, jid, contact)
    _subscribe(call.server, contact, jid)
    return f"{jid} and {contact} see each other"


@SECTION.command("unsubscribe", "jid:bare_jid", "contact:bare_jid")
def unsubscribe(call, jid, contact):
    """Let an account not see the presence of another account any more."""
    _accounts(call, jid, contact)
    _unsubscribe(call.server, jid, contact)
    return f"{jid} does not see {contact}"


@SECTION.command("unsubscribe_both", "jid:bare_jid", "contact:bare_jid")
def unsubscribe_both(call, jid, contact):
    """Let two accounts not see each other's presence any more."""
    _accounts(call, jid, contact)
    _unsubscribe(call.server, jid, contact)
    _unsubscribe(call.server, contact, jid)
    return f"{jid} and {contact} do not see each other"


def _accounts(call, jid: str, contact: str) -> None:
    """Raise CommandError unless these are two accounts, both for this person to administer."""
    if jid == contact:
        raise CommandError("That is one and the same account", "not-acceptable")
    for address in (jid, contact):
        username, host, _resource = addresses.split(address)
        if call.jid is not None and not administers(call.server, host, call.jid, call.origin):
            raise CommandError(f"This is for administrators of {host}", "forbidden")
        if not users.user_exists(call.server, username, host):
            raise CommandError(f"There is no account {address}", "item-not-found")


def _change(server, jid: str, contact: str, *steps: tuple) -> None:
    """Take steps with an account's roster, and tell its clients."""
    username, host, _resource = addresses.split(jid)
    roster = load_roster(server, username, host)
    changes = [step(server, roster, kind, contact) for step, kind in steps]
    if any(change.item_changed for change in changes):
        roster_push(server, username, host, contact)


def _subscribe(server, jid: str, contact: str) -> None:
    """Go through what two clients would have done (RFC 6121 section 3.1), from end to end."""
    _change(server, jid, contact, (outbound, "subscribe"))
    _change(server, contact, jid, (inbound, "subscribe"), (outbound, "subscribed"))
    _change(server, jid, contact, (inbound, "subscribed"))
    own = server.hosts[addresses.host(jid)]
    server.post_stanza(own, presence({"type": "probe", "from": jid, "to": contact}))


def _unsubscribe(server, jid: str, contact: str) -> None:
    """Take a subscription or a request for one away (RFC 6121 section 3.3)."""
    seen = load_roster(server, *addresses.split(jid)[:2]).is_user_subscribed(contact)
    _change(server, jid, contact, (outbound, "unsubscribe"))
    _change(server, contact, jid, (inbound, "unsubscribe"))
    user = server.bare_sessions.get(contact) if seen else None
    for session in list(user.sessions.values()) if user is not None else ():
        if session.presence is not None:
            server.post_stanza(server.hosts[session.host], presence(
                {"type": "unavailable", "from": session.full_jid, "to": jid}))
