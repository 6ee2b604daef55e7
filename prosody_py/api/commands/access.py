"""Who may use which command: a role on the host that it is about.

Accounts named by the option `admins` of a host are administrators there; those of the top level,
and accounts with the role prosody:operator, are so for the whole server. A session that was given a
lesser role than its account has can do no more than that role.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api.commands.arguments import CommandError
from prosody_py.api.commands.command import ADMIN, EVERYWHERE, Command
from prosody_py.api.role_definitions import definitions, role_may, roles_below
from prosody_py.api.roles import role_of, user_role
from prosody_py.xmpp import jid as addresses

OPERATOR = "prosody:operator"


def role_on(server, host: str, who: str, session: Any = None) -> str:
    """Return the role of a JID on a host, "*" for the whole server; may wait for a store.

    `session` is the client's through which it acts, if there is one.
    """
    role = _own_role(server, host, who)
    given = getattr(getattr(session, "role", None), "name", None)
    if given is not None:
        own = user_role(server, session.username, session.host)
        rank = {name: found.priority
                for name, found in definitions(server, session.host).items()}
        if rank.get(given, 0) < min(rank.get(own, 0), rank.get(role, 0)):
            role = given
    return role


def _own_role(server, host: str, who: str) -> str:
    node, domain, _resource = addresses.prepped_split(who)
    found = server.hosts.get(domain or "")
    if node and found is not None and found.type == "local" and user_role(
            server, node, domain) == OPERATOR:
        return OPERATOR
    return role_of(server, host, who)


def may_run(server, command: Command, host: str, role: str) -> bool:
    """Whether somebody who has `role` on `host` ("*" for the server) may use a command there."""
    return role_may(server, host, role, command.permission, command.role)


def check(server, command: Command, values: list[Any], who: str, at: str,
          session: Any = None) -> None:
    """Raise CommandError ("forbidden") unless `who`, who has asked the host `at`, may do this."""
    host = command.scope(values, at)
    if host != EVERYWHERE and host not in server.hosts:
        # The answer is the same for a host that is not there and one that is not theirs.
        host = EVERYWHERE
    if not may_run(server, command, host, role_on(server, host, who, session)):
        where = "the whole server" if host == EVERYWHERE else host
        raise CommandError(f"This is for administrators of {where}" if command.role == ADMIN
                           else f"Your role on {where} does not allow this", "forbidden")


def administers(server, host: str, who: str, session: Any = None) -> bool:
    """Whether somebody is an administrator of a host, "*" for the whole server."""
    return ADMIN in (roles_below(server, host, role_on(server, host, who, session)) or ())


def administers_all(server, who: str, session: Any = None) -> bool:
    """Whether somebody is an administrator of the whole server."""
    return administers(server, EVERYWHERE, who, session)


def protect(call, account: str) -> None:
    """Raise CommandError ("forbidden") when an account may more than the one who acts on it.

    Otherwise the administrator of one host could take over the whole server, by the password of
    an account of that host.
    """
    if call.jid is None or administers_all(call.server, call.jid, call.origin):
        return
    if administers_all(call.server, account):
        raise CommandError(f"{account} is an administrator of the whole server", "forbidden")
