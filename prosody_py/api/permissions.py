"""Who may do what: actions that modules name, allowed to roles.

Roles are `prosody:user` and `prosody:admin` (those whom the option `admins` names), `prosody:guest`
for strangers; an admin may what a user may. An action that begins with ":" belongs to the module
that asks. Grants of a module end with it.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api.registrations import Undo
from prosody_py.xmpp.jid import prepped_split

_BELOW = {
    "prosody:operator": ("prosody:operator", "prosody:admin", "prosody:user", "prosody:registered",
                         "prosody:guest"),
    "prosody:admin": ("prosody:admin", "prosody:user", "prosody:registered", "prosody:guest"),
    "prosody:user": ("prosody:user", "prosody:registered", "prosody:guest"),
    "prosody:registered": ("prosody:registered", "prosody:guest"),
    "prosody:guest": ("prosody:guest",),
}


ROLES = tuple(_BELOW)
"""All roles, those that may most first."""


def roles_below(role: str) -> tuple[str, ...] | None:
    """Return a role and those whose permissions it has too; None when there is no such role."""
    return _BELOW.get(role)


def default_permission(module, role: str, action: str) -> None:
    """Allow `action` to `role` on the module's host while the module is in service."""
    granted = module.host_object.extras.setdefault("permissions", {}) \
        if module.host_object is not None else module.server.extras.setdefault("permissions", {})
    entry = (role, _full(module, action))

    def grant() -> None:
        granted[entry] = granted.get(entry, 0) + 1

    def take_back() -> None:
        granted[entry] -= 1
        if not granted[entry]:
            del granted[entry]

    module.registrations.add(Undo(grant, take_back))


def _full(module, action: str) -> str:
    return module.name + action if action.startswith(":") else action


def role_of(module, who: str | None) -> str:
    """Return the role of a JID on the module's host."""
    node, host, _resource = prepped_split(who or "")
    if host is None:
        return "prosody:guest"
    bare = f"{node}@{host}" if node else host
    if bare in (module.server.config.get(module.host, "admins") or ()):
        return "prosody:admin"
    if host == module.host:
        return "prosody:user" if node else "prosody:operator"
    return "prosody:guest"


def may(module, action: str, context: Any) -> bool:
    """Whether the one behind `context` (a JID, a session, an event) may do `action`."""
    who = context
    if not isinstance(who, str):
        origin = getattr(context, "origin", None) or context
        who = getattr(origin, "full_jid", None) or getattr(origin, "bare_jid", None)
        stanza = getattr(context, "stanza", None)
        if who is None and stanza is not None:
            who = stanza.attr.get("from")
    extras = (module.host_object or module.server).extras
    granted = extras.get("permissions", {})
    action = _full(module, action)
    return any((role, action) in granted for role in _BELOW[role_of(module, who)])
