"""`user ...`: who has an account on a host, and who is there."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from prosody_py.api import roles
from prosody_py.api.commands import CommandError, Table
from prosody_py.app.shell.sections.accounts import SECTION
from prosody_py.app.shell.sections.server import duration
from prosody_py.hosts import users
from prosody_py.hosts.rostermanager import load_roster
from prosody_py.xmpp import jid as addresses

IDLE_AFTER = 600
"""Seconds of silence after which somebody who is online counts as idle."""
STATES = ("registered", "disabled", "online", "active", "idle")


@SECTION.command("list", "host:host", "pattern:string?", "state:" + "|".join(STATES) + "?")
def list_users(call, host, pattern, state):
    """List the accounts of a host; a pattern such as "al*" picks some, a state such as idle, too.

    Idle is who is online and has said nothing for ten minutes.
    """
    rows = [(f"{name}@{host}", shown) for name, shown in _users(call.server, host, state)
            if pattern is None or fnmatch.fnmatchcase(name, pattern)]
    return Table(("account", "state"), sorted(rows))


@SECTION.command("count", "host:host", "state:" + "|".join(STATES) + "?")
def count(call, host, state):
    """Count the accounts of a host, all or those in one state."""
    return Table(("what", "value"), [
        (name, sum(1 for _user in _users(call.server, host, name)))
        for name in ((state,) if state else STATES)])


def _users(server, host: str, state: str | None) -> Iterator[tuple[str, str]]:
    """Yield (user name, what to show) of the accounts in a state."""
    provider = users.provider(server, host)
    online = server.hosts[host].sessions
    if state in ("online", "active", "idle"):
        for name, user in list(online.items()):
            idle = min((session.idle_for() for session in user.sessions.values()), default=0)
            if state == "online" or (idle >= IDLE_AFTER) == (state == "idle"):
                yield name, f"online, silent for {duration(idle)}"
    else:
        for name in list(provider.users()):
            if state != "disabled":
                yield name, "online" if name in online else ""
            elif not provider.is_enabled(name):
                yield name, "disabled"


@SECTION.command("show", "jid:bare_jid")
def show(call, jid):
    """Show an account: its state, role, contacts, and where it is connected from."""
    server = call.server
    username, host, _resource = addresses.split(jid)
    provider = users.provider(server, host)
    if not provider.user_exists(username):
        raise CommandError(f"There is no account {jid}", "item-not-found")
    user = server.hosts[host].sessions.get(username)
    sessions = list(user.sessions.values()) if user is not None else []
    rows = [("account", jid), ("state", "enabled" if provider.is_enabled(username) else "disabled"),
            ("role", roles.user_role(server, username, host)),
            ("contacts", len(load_roster(server, username, host)))]
    rows += [("resource", session.resource) for session in sessions]
    rows += [("ip", ip) for ip in dict.fromkeys(session.ip for session in sessions if session.ip)]
    return Table(("what", "value"), rows)
