"""`user ...`: accounts."""

from __future__ import annotations

import fnmatch

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.hosts import users
from prosody_py.xmpp import jid as addresses

SECTION = Section("user", "Accounts")


@SECTION.command("create", "jid:bare_jid", "password:password")
def create(call, jid, password):
    """Make an account."""
    username, host, _resource = addresses.split(jid)
    users.create_user(call.server, username, password, host)
    return f"The account {jid} was made"


@SECTION.command("delete", "jid:bare_jid")
def delete(call, jid):
    """Remove an account, and everything that modules keep for it."""
    username, host, _resource = addresses.split(jid)
    users.delete_user(call.server, username, host)
    return f"The account {jid} was removed"


@SECTION.command("password", "jid:bare_jid", "password:password")
def password(call, jid, password):
    """Change the password of an account."""
    username, host, _resource = addresses.split(jid)
    users.set_password(call.server, username, password, host)
    return f"The password of {jid} was changed"


@SECTION.command("list", "host:host", "pattern:string?")
def list_users(call, host, pattern):
    """List the accounts of a host; a pattern such as "al*" picks some."""
    server = call.server
    names = sorted(users.provider(server, host).users())
    online = server.hosts[host].sessions
    rows = [(f"{name}@{host}", "online" if name in online else "")
            for name in names if pattern is None or fnmatch.fnmatchcase(name, pattern)]
    return Table(("account", "state"), rows)


@SECTION.command("enable", "jid:bare_jid")
def enable(call, jid):
    """Let an account log in again."""
    return _set_enabled(call.server, jid, True)


@SECTION.command("disable", "jid:bare_jid")
def disable(call, jid):
    """Keep an account from logging in, and end its sessions; nothing of it is removed."""
    return _set_enabled(call.server, jid, False)


def _set_enabled(server, jid: str, enabled: bool) -> str:
    username, host, _resource = addresses.split(jid)
    provider = users.provider(server, host)
    if not provider.user_exists(username):
        raise CommandError(f"There is no account {jid}")
    users.set_enabled(server, username, host, enabled)
    return f"The account {jid} is " + ("enabled" if enabled else "disabled")
