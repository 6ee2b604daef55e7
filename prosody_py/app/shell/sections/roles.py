"""`role ...`: what roles there are, and what each of them may."""

from __future__ import annotations

from prosody_py.api import roles
from prosody_py.api.commands import CommandError, Section, Table

SECTION = Section("role", "Roles of accounts")


@SECTION.command("list", "host:host?")
def list_roles(call, host):
    """List the roles, those that may most first, with how many accounts of a host were given each.

    Accounts that were given none have prosody:user and are not counted.
    """
    if host is not None and host not in call.server.hosts:
        raise CommandError(f"{host} is not a host of this server", "item-not-found")
    columns = ("role", "includes", *(("accounts",) if host else ()))
    rows = [(name, ", ".join(roles.roles_below(name)[1:]),
             *((len(roles.users_with_role(call.server, host, name)),) if host else ()))
            for name in roles.ROLES]
    return Table(columns, rows)


@SECTION.command("show", "host:host", "role:" + "|".join(roles.ROLES))
def show(call, host, role):
    """Show what a role may do on a host, and who was given it."""
    place = call.server.hosts.get(host)
    if place is None:
        raise CommandError(f"{host} is not a host of this server", "item-not-found")
    below = roles.roles_below(role)
    granted = sorted({action for name, action in place.extras.get("permissions", {})
                      if name in below})
    rows = [("includes", name) for name in below[1:]] + [("may", action) for action in granted]
    rows += [("account", f"{name}@{host}")
             for name in roles.users_with_role(call.server, host, role)]
    return Table(("what", "value"), rows)
