"""`user ...`: make, change and remove accounts, and say what they may."""

from __future__ import annotations

from prosody_py.api import roles
from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.api.commands.access import OPERATOR, administers_all, protect
from prosody_py.api.role_definitions import roles_below
from prosody_py.hosts import users
from prosody_py.xmpp import jid as addresses

SECTION = Section("user", "Accounts")
ROLE = "role:role"


@SECTION.command("create", "jid:bare_jid", "password:password")
def create(call, jid, password):
    """Make an account."""
    username, host, _resource = addresses.split(jid)
    if users.user_exists(call.server, username, host):
        raise CommandError(f"The account {jid} exists already", "conflict")
    users.create_user(call.server, username, password, host)
    return f"The account {jid} was made"


@SECTION.command("delete", "jid:bare_jid")
def delete(call, jid):
    """Remove an account, and everything that modules keep for it."""
    username, host = account(call, jid)
    users.delete_user(call.server, username, host)
    return f"The account {jid} was removed"


@SECTION.command("password", "jid:bare_jid", "password:password")
def password(call, jid, password):
    """Change the password of an account."""
    username, host = account(call, jid)
    users.set_password(call.server, username, password, host)
    return f"The password of {jid} was changed"


@SECTION.command("enable", "jid:bare_jid")
def enable(call, jid):
    """Let an account log in again."""
    return _set_enabled(call, jid, True)


@SECTION.command("disable", "jid:bare_jid")
def disable(call, jid):
    """Keep an account from logging in, and end its sessions; nothing of it is removed."""
    return _set_enabled(call, jid, False)


def account(call, jid: str) -> tuple[str, str]:
    """Return (user name, host) of an account to act on; raises CommandError."""
    username, host, _resource = addresses.split(jid)
    users.provider(call.server, host)
    if not users.user_exists(call.server, username, host):
        raise CommandError(f"There is no account {jid}", "item-not-found")
    protect(call, jid)
    return username, host


def _set_enabled(call, jid: str, enabled: bool) -> str:
    username, host = account(call, jid)
    users.set_enabled(call.server, username, host, enabled)
    return f"The account {jid} is " + ("enabled" if enabled else "disabled")


# -- roles ---------------------------------------------------------------------------------


@SECTION.command("role", "jid:bare_jid")
def role(call, jid):
    """Show the roles of an account, and where they come from."""
    username, host, _resource = addresses.split(jid)
    if not users.user_exists(call.server, username, host):
        raise CommandError(f"There is no account {jid}", "item-not-found")
    configured = jid in roles.configured_admins(call.server, host)
    rows = [("role", roles.user_role(call.server, username, host)
             + (" (by the option admins)" if configured else ""))]
    rows += [("further role", name)
             for name in roles.secondary_roles(call.server, username, host)]
    return Table(("what", "value"), rows)


@SECTION.command("setrole", "jid:bare_jid", ROLE)
def set_role(call, jid, role):
    """Give an account another role, and end its sessions, which have the old one."""
    username, host = _for_role(call, jid, role)
    if jid in roles.configured_admins(call.server, host):
        raise CommandError(f"{jid} is an administrator by the option admins; change that",
                           "not-allowed")
    roles.set_user_role(call.server, username, host, role)
    return f"{jid} has the role {role}"


@SECTION.command("addrole", "jid:bare_jid", ROLE)
def add_role(call, jid, role):
    """Give an account one more role."""
    username, host = _for_role(call, jid, role)
    roles.add_secondary_role(call.server, username, host, role)
    return f"{jid} has the role {role}, too"


@SECTION.command("delrole", "jid:bare_jid", ROLE)
def delete_role(call, jid, role):
    """Take a further role from an account."""
    username, host = _for_role(call, jid, role)
    if role not in roles.secondary_roles(call.server, username, host):
        raise CommandError(f"{jid} has no further role {role}", "item-not-found")
    roles.remove_secondary_role(call.server, username, host, role)
    return f"{jid} has not the role {role} any more"


def _for_role(call, jid: str, role: str) -> tuple[str, str]:
    """Return the account whose role may be changed; nobody gives more than they have."""
    found = account(call, jid)
    below = roles_below(call.server, found[1], role) or ()
    if OPERATOR in below and call.jid is not None and not administers_all(
            call.server, call.jid, call.origin):
        raise CommandError(f"The role {role} is for administrators of the whole server to give",
                           "forbidden")
    return found
