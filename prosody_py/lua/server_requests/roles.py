"""Requests: roles of accounts (core.usermanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api import roles
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
    names = roles.roles_below(role)
    if names is None:
        return None
    place = server.hosts.get(host) or server
    return border.copy_to_lua({action: True for granted, action
                               in place.extras.get("permissions", {}) if granted in names})


def role_priority(border, server, role: Any, host: Any) -> int:
    return roles.Role(server, border.to_python(host), border.to_python(role)).priority


def role_names(border, server) -> Any:
    return border.copy_to_lua(list(roles.ROLES))


def admins(border, server, host: Any) -> Any:
    return border.copy_to_lua(roles.configured_admins(server, border.to_python(host)))


PLAIN: dict[str, Callable[..., Any]] = {
    "known_role_of": known_role_of, "role_permissions": role_permissions,
    "role_priority": role_priority, "role_names": role_names, "admins": admins,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "is_admin": is_admin, "role_of": role_of, "secondary_roles": secondary_roles,
    "set_user_role": set_user_role, "add_secondary_role": add_secondary_role,
    "remove_secondary_role": remove_secondary_role, "users_with_role": users_with_role,
}
