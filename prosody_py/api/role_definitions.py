"""Roles, what they inherit and what they may: built in, and defined by the configuration.

A role has its own permissions and those of the roles it inherits. For one action the role itself
decides first (the configuration's `deny` before everything that is allowed), then what it inherits
in order; what nobody decides is not allowed. Modules allow actions to roles with
`module.default_permission`; the options below add to that and take from it.
"""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prosody_py.config.options import Options, array, integer, mapping, string

log = logging.getLogger("roles")
MAX_PRIORITY = 100


class RoleOptions(Options):
    """Roles and permissions of a host."""

    custom_roles = array((), of=mapping(fields={
        "name": string(required=True, doc="Name of the role, such as example:moderator."),
        "inherits": array((), of=string(), doc="Roles whose permissions it has, too."),
        "priority": integer(30, min=0, max=MAX_PRIORITY, doc="Rank among the roles: guests have "
                            "15, users 30, administrators 50."),
        "allow": array((), of=string(), doc="Actions that it may do."),
        "deny": array((), of=string(), doc="Actions that it may not do, whatever it inherits."),
    }), doc="Roles beside those that there are, each {name, inherits, priority, allow, deny}.")
    add_permissions = mapping(None, array((), of=string()),
                              doc="Actions to allow to roles: {ROLE: [ACTION, ...]}.")
    remove_permissions = mapping(None, array((), of=string()),
                                 doc="Actions to deny to roles: {ROLE: [ACTION, ...]}.")


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role of a host; `inherits` has names of other roles."""

    name: str
    priority: int
    inherits: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()


BUILT_IN = {role.name: role for role in (
    RoleDefinition("prosody:operator", 75, ("prosody:admin",)),
    RoleDefinition("prosody:admin", 50, ("prosody:member",)),
    RoleDefinition("prosody:member", 35, ("prosody:user",)),
    RoleDefinition("prosody:user", 30, ("prosody:registered",)),
    RoleDefinition("prosody:registered", 25, ("prosody:guest",)),
    RoleDefinition("prosody:guest", 15, ("prosody:restricted",)),
    RoleDefinition("prosody:restricted", 10),
)}
_NAMES = tuple(RoleOptions._options)


def definitions(server, host: str) -> dict[str, RoleDefinition]:
    """Return the roles of a host by name, those of the highest priority first.

    They are made again when the configuration has changed.
    """
    config = server.config
    written = tuple(config.get(host, name) for name in _NAMES)
    if written == (None,) * len(_NAMES):
        return BUILT_IN
    known: dict[str, tuple[tuple, dict[str, RoleDefinition]]] = server.extras.setdefault(
        "role_definitions", {})
    if host not in known or known[host][0] != written:
        known[host] = written, _make(RoleOptions.read(config, host))
    return known[host][1]


def _make(options: Any) -> dict[str, RoleDefinition]:
    made = dict(BUILT_IN)
    for custom in options.custom_roles:
        made[custom["name"]] = RoleDefinition(
            custom["name"], custom["priority"], tuple(custom["inherits"]),
            frozenset(custom["allow"]), frozenset(custom["deny"]))
    for name in {**options.add_permissions, **options.remove_permissions}:
        role = made.get(name)
        if role is None:
            log.warning("add_permissions and remove_permissions name the role %s, which there is "
                        "not; it has no effect", name)
            continue
        made[name] = RoleDefinition(
            name, role.priority, role.inherits,
            role.allow | frozenset(options.add_permissions.get(name, ())),
            role.deny | frozenset(options.remove_permissions.get(name, ())))
    for role in made.values():
        for name in role.inherits:
            if name not in made:
                log.warning("The role %s inherits %s, which there is not", role.name, name)
    return dict(sorted(made.items(), key=lambda item: -item[1].priority))


def roles_below(server, host: str, role: str | None) -> tuple[str, ...] | None:
    """Return a role and those whose permissions it has too; None when there is no such role."""
    roles = definitions(server, host)
    if role not in roles:
        return None
    found = {role: None}
    waiting = [role]
    while waiting:
        for name in roles[waiting.pop(0)].inherits:
            if name in roles and name not in found:
                found[name] = None
                waiting.append(name)
    return tuple(found)


def role_may(server, host: str, role: str | None, action: str,
             default: str | None = None) -> bool:
    """Whether a role may do `action` on a host.

    `default` is a role that may, and those that inherit it, unless the configuration denies it.
    """
    place = server.hosts.get(host) or server
    granted = place.extras.get("permissions", {})
    if default is not None:
        granted = ChainMap({(default, action): 1}, granted)
    roles = definitions(server, host)
    if roles is BUILT_IN:  # where nothing is denied, the order does not matter
        return any((name, action) in granted for name in roles_below(server, host, role) or ())
    return _policy(roles, granted, role, action, set()) is True


def _policy(roles: dict[str, RoleDefinition], granted: Mapping, name: str | None, action: str,
            seen: set[str | None]) -> bool | None:
    """Return what a role says of an action: True, False, or nothing."""
    role = roles.get(name or "")
    if role is None or name in seen:
        return None
    seen.add(name)
    if action in role.deny:
        return False
    if action in role.allow or (name, action) in granted:
        return True
    for parent in role.inherits:
        found = _policy(roles, granted, parent, action, seen)
        if found is not None:
            return found
    return None
