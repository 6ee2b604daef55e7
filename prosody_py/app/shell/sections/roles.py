"""`role ...`: what roles there are, and what each of them may."""

from __future__ import annotations

from prosody_py.api import roles
from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.api.role_definitions import definitions, role_may, roles_below

SECTION = Section("role", "Roles of accounts")


@SECTION.command("list", "host:host?")
def list_roles(call, host):
    """List the roles, those that may most first, with how many accounts of a host were given each.

    Accounts that were given none have prosody:user and are not counted.
    """
    server = call.server
    if host is not None and host not in server.hosts:
        raise CommandError(f"{host} is not a host of this server", "item-not-found")
    columns = ("role", "includes", *(("accounts",) if host else ()))
    rows = [(name, ", ".join(roles_below(server, host or "*", name)[1:]),
             *((len(roles.users_with_role(server, host, name)),) if host else ()))
            for name in definitions(server, host or "*")]
    return Table(columns, rows)


@SECTION.command("show", "host:host", "role:role")
def show(call, host, role):
    """Show what a role may do on a host, and who was given it."""
    place = call.server.hosts.get(host)
    if place is None:
        raise CommandError(f"{host} is not a host of this server", "item-not-found")
    below = roles_below(call.server, host, role)
    if below is None:
        raise CommandError(f"There is no role {role} on {host}", "item-not-found")
    known = definitions(call.server, host)
    named = {action for name, action in place.extras.get("permissions", {}) if name in below}
    granted = sorted(action for action in named.union(*(known[name].allow for name in below))
                     if role_may(call.server, host, role, action))
    rows = [("includes", name) for name in below[1:]] + [("may", action) for action in granted]
    rows += [("account", f"{name}@{host}")
             for name in roles.users_with_role(call.server, host, role)]
    return Table(("what", "value"), rows)
