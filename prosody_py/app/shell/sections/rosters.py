"""`roster ...`: the contacts of accounts."""

from __future__ import annotations

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.hosts import users
from prosody_py.hosts.rostermanager import load_roster
from prosody_py.xmpp import jid as addresses

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
