"""Requests: roles of accounts (core.usermanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api import roles
from prosody_py.api.role_definitions import definitions, role_may, roles_below
from prosody_py.hosts import users
from prosody_py.hosts.users import AccountError


def is_admin(border, server, jid: Any, host: Any) -> bool:
    return bool(users.is_admin(server, border.to_python(jid), border.to_python(host)))


def role_of(border, server, jid: Any, host: Any) -> Any:
    """Return the name of the role that a JID has on a host."""
    return border.to_lua(roles.role_of(server, border.to_python(host), border.to_python(jid)))


def known_role_of(border, server, jid: Any, raw_host: Any) -> Any:
    """As `role_of`; None when that would have to wait for a store."""
    host = border.to_python(raw_host)
    if not roles.is_known(server, host):
        return None
    return border.to_lua(roles.role_of(server, host, border.to_python(jid)))


def secondary_roles(border, server, username: Any, host: Any) -> Any:
    return border.copy_to_lua(roles.secondary_roles(
        server, border.to_python(username), border.to_python(host)))


def _changed(border, server, change: Callable[..., None], raw: tuple[Any, ...]) -> Any:
    try:
        change(server, *map(border.to_python, raw))
    except roles.RoleError as error:
        return None, border.to_lua(error.condition), border.to_lua(str(error))
    return True


def set_user_role(border, server, *raw: Any) -> Any:
    return _changed(border, server, roles.set_user_role, raw)


def add_secondary_role(border, server, *raw: Any) -> Any:
    return _changed(border, server, roles.add_secondary_role, raw)


def remove_secondary_role(border, server, *raw: Any) -> Any:
    return _changed(border, server, roles.remove_secondary_role, raw)


def users_with_role(border, server, raw_host: Any, raw_role: Any) -> Any:
    host, role = border.to_python(raw_host), border.to_python(raw_role)
    try:
        accounts = users.provider(server, host).users() if role == roles.DEFAULT_ROLE else ()
    except AccountError:
        accounts = ()
    return border.copy_to_lua(roles.users_with_role(server, host, role, accounts))


def role_permissions(border, server, raw_role: Any, raw_host: Any) -> Any:
    """Return {action: true} of what a role may do on a host; None for an unknown role."""
    role, host = border.to_python(raw_role), border.to_python(raw_host)
    names = roles_below(server, host, role)
    if names is None:
        return None
    known = definitions(server, host)
    place = server.hosts.get(host) or server
    actions = {action for granted, action in place.extras.get("permissions", {})
               if granted in names}.union(*(known[name].allow for name in names))
    return border.copy_to_lua({action: True for action in actions
                               if role_may(server, host, role, action)})


def names_below(border, server, role: Any, raw_host: Any) -> Any:
    """Return a role and those whose permissions it has, none for an unknown role."""
    host = border.to_python(raw_host)
    return border.copy_to_lua(list(roles_below(server, host, border.to_python(role)) or ()))


def role_priority(border, server, role: Any, host: Any) -> int:
    return roles.Role(server, border.to_python(host), border.to_python(role)).priority


def role_names(border, server, host: Any = None) -> Any:
    """Return the names of a host's roles, those that may most first."""
    return border.copy_to_lua(list(definitions(server, border.to_python(host) or "*")))


def admins(border, server, host: Any) -> Any:
    return border.copy_to_lua(roles.configured_admins(server, border.to_python(host)))


PLAIN: dict[str, Callable[..., Any]] = {
    "known_role_of": known_role_of, "roles_below": names_below,
    "role_permissions": role_permissions, "role_priority": role_priority,
    "role_names": role_names, "admins": admins,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "is_admin": is_admin, "role_of": role_of, "secondary_roles": secondary_roles,
    "set_user_role": set_user_role, "add_secondary_role": add_secondary_role,
    "remove_secondary_role": remove_secondary_role, "users_with_role": users_with_role,
}
