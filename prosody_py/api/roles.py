"""Which role an account has: by the configuration, or as somebody has given it.

The store "account_roles" (that of Prosody) has for each account `_default`, the name of its role,
and under the name of each further role True. Those whom the option `admins` names are
administrators whatever is stored; all others without an entry are users.

Data and owner: what is stored is read when a host's roles are first asked for, and then kept at
`host.extras["account_roles"]`; all changes go through here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.api.role_definitions import definitions, role_may
from prosody_py.events.bus import Event
from prosody_py.storage.interface import REMOVE
from prosody_py.xmpp.jid import prepped_split

STORE = "account_roles"
DEFAULT_ROLE = "prosody:user"
_PRIMARY = "_default"


class RoleError(Exception):
    """A role could not be given or taken; `condition` is Prosody's name of the reason."""

    def __init__(self, condition: str, text: str):
        super().__init__(text)
        self.condition = condition


def is_known(server, host: str) -> bool:
    """Whether the roles of a host can be told without waiting for a store."""
    found = server.hosts.get(host)
    return found is None or found.type != "local" or STORE in found.extras


def _stored(server, host: str) -> dict[str, dict[str, Any]]:
    """Return what is stored: {username: {"_default": role, other role: True}}."""
    found = server.hosts.get(host)
    if found is None or found.type != "local":
        return {}
    known = found.extras.get(STORE)
    if known is None:
        store = server.storage.open(host, STORE)
        known = {username: store.get(username) or {} for username in list(store.users())}
        known = found.extras.setdefault(STORE, known)
    return known


def configured_admins(server, host: str) -> list[str]:
    """Return the bare JIDs that the option `admins` of a host names."""
    return sorted(map(str, server.config.get(host, "admins") or ()))


def role_of(server, host: str, who: str | None) -> str:
    """Return the role of a JID on a host. May wait for a store, see `is_known`."""
    node, domain, _resource = prepped_split(who or "")
    if domain is None:
        return "prosody:guest"
    bare = f"{node}@{domain}" if node else domain
    if bare in (server.config.get(host, "admins") or ()):
        return "prosody:admin"
    if domain == host:
        return user_role(server, node, host) if node else "prosody:operator"
    found = server.hosts.get(host)
    if found is not None and found.type == "component" and host.partition(".")[2] == domain:
        return DEFAULT_ROLE  # a component serves the users of the host that it belongs to
    return "prosody:guest"


def user_role(server, username: str, host: str) -> str:
    """Return the role of an account."""
    if f"{username}@{host}" in (server.config.get(host, "admins") or ()):
        return "prosody:admin"
    stored = _stored(server, host).get(username, {}).get(_PRIMARY)
    if stored is None and server.config.get(host, "authentication") == "anonymous":
        return "prosody:guest"
    return stored or DEFAULT_ROLE


def secondary_roles(server, username: str, host: str) -> list[str]:
    """Return the further roles of an account."""
    return sorted(name for name in _stored(server, host).get(username, {}) if name != _PRIMARY)


def _check(server, username: str, host: str, role: str) -> None:
    found = server.hosts.get(host)
    if found is None or found.type != "local":
        raise RoleError("host-not-found", f"{host} is not a host with accounts")
    if role not in definitions(server, host):
        raise RoleError("role-not-found", f"There is no role {role}")
    if found.users is None or not found.users.user_exists(username):
        raise RoleError("user-not-found", f"There is no account {username}@{host}")


def _change(server, username: str, host: str, key: str, value: Any) -> None:
    stored = _stored(server, host)
    server.storage.open(host, STORE, "map").set_keys(username, {key: value})
    entry = dict(stored.get(username, {}))
    if value is REMOVE:
        entry.pop(key, None)
    else:
        entry[key] = value
    if entry:
        stored[username] = entry
    else:
        stored.pop(username, None)


def set_user_role(server, username: str, host: str, role: str) -> None:
    """Give an account another role, and end its sessions, which have the old one.

    Fires `user-role-changed`. Raises RoleError.
    """
    _check(server, username, host, role)
    _change(server, username, host, _PRIMARY, REMOVE if role == DEFAULT_ROLE else role)
    user = server.hosts[host].sessions.get(username)
    for session in list(user.sessions.values()) if user is not None else ():
        session.close("reset", "The role of the account has changed")
    server.events.fire_event("user-role-changed", Event(
        username=username, host=host, role=Role(server, host, role)))


def add_secondary_role(server, username: str, host: str, role: str) -> None:
    """Give an account one more role; fires `user-role-added`. Raises RoleError."""
    _check(server, username, host, role)
    _change(server, username, host, role, True)
    server.events.fire_event("user-role-added", Event(
        username=username, host=host, role_name=role, role=Role(server, host, role)))


def remove_secondary_role(server, username: str, host: str, role: str) -> None:
    """Take a further role from an account; fires `user-role-removed`. Raises RoleError."""
    _check(server, username, host, role)
    _change(server, username, host, role, REMOVE)
    server.events.fire_event("user-role-removed", Event(
        username=username, host=host, role_name=role))


def forget_user(server, username: str, host: str) -> None:
    """Remove what is stored of an account that is gone."""
    if username in _stored(server, host):
        server.storage.open(host, STORE).set(username, None)
        del _stored(server, host)[username]


def users_with_role(server, host: str, role: str, accounts: Iterable[str] = ()) -> list[str]:
    """Return the accounts that have a role, first or further.

    `accounts` are all accounts of the host, needed for the role of those without an entry.
    """
    names = {username for username, entry in _stored(server, host).items()
             if entry.get(_PRIMARY) == role or role in entry}
    if role == DEFAULT_ROLE:
        names.update(username for username in accounts
                     if user_role(server, username, host) == role)
    for jid in configured_admins(server, host):
        username, _, domain = jid.rpartition("@")
        if domain == host and role == "prosody:admin":
            names.add(username)
    return sorted(names)


class Role:
    """A role on a host: its name, and what it may do there (modules say that)."""

    __slots__ = ("name", "host", "_server")

    def __init__(self, server, host: str, name: str):
        self.name, self.host, self._server = name, host, server

    @property
    def priority(self) -> int:
        """A number by which roles are compared; more may do more."""
        known = definitions(self._server, self.host).get(self.name)
        return known.priority if known is not None else 0

    def may(self, action: str) -> bool:
        """Whether this role may do `action`, such as "muc:create-room"."""
        return role_may(self._server, self.host, self.name, action)

    may.never_blocks = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Role) and (self.name, self.host) == (other.name, other.host)

    def __hash__(self) -> int:
        return hash((self.name, self.host))

    def __repr__(self) -> str:
        return f"<Role {self.name} on {self.host}>"
