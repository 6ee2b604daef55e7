"""Who may do what: actions that modules name, allowed to roles.

Which role somebody has is a matter of prosody_py.api.roles; an admin may what a user may, and so
on. An action that begins with ":" belongs to the module that asks. Grants of a module end with it.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api.registrations import Undo
from prosody_py.api.role_definitions import role_may
from prosody_py.api.roles import is_known, role_of

__all__ = ["default_permission", "may", "role_of", "waits"]


def default_permission(module, role: str, action: str) -> None:
    """Allow `action` to `role` on the module's host while the module is in service."""
    extras = (module.host_object if module.host_object is not None else module.server).extras
    entry = (role, _full(module, action))

    def grant() -> None:
        granted = extras.setdefault("permissions", {})
        granted[entry] = granted.get(entry, 0) + 1

    def take_back() -> None:
        granted = extras["permissions"]
        granted[entry] -= 1
        if not granted[entry]:
            del granted[entry]
        if not granted:
            del extras["permissions"]

    module.registrations.add(Undo(grant, take_back))


def _full(module, action: str) -> str:
    return module.name + action if action.startswith(":") else action


def _actor(context: Any) -> Any:
    """Return the session or host that acts: of an event its origin or session."""
    for field in ("origin", "session"):
        found = getattr(context, field, None)
        if found is not None:
            return found
    return context


def _role(module, context: Any) -> str | None:
    """Return the role that a session was given; None when its address decides."""
    if isinstance(context, str):
        return None
    actor = _actor(context)
    if getattr(actor, "host", None) != module.host:
        return None
    return getattr(getattr(actor, "role", None), "name", None)


def _address(context: Any) -> str:
    """Return the JID behind a context; raises ValueError when there is none."""
    if isinstance(context, str):
        return context
    actor = _actor(context)
    for field in ("full_jid", "bare_jid"):
        if isinstance(found := getattr(actor, field, None), str):
            return found
    stanza = getattr(context, "stanza", None)
    sender = stanza.attr.get("from") if stanza is not None else None
    if sender is None and isinstance(found := getattr(actor, "host", None), str):
        username = getattr(actor, "username", None)
        sender = f"{username}@{found}" if username else found
    if sender is None:
        raise ValueError("This context names nobody: it needs to be a JID, a session, or an event "
                         "with an origin, session or stanza")
    return sender


def waits(module, context: Any) -> bool:
    """Whether `may` would have to wait for a store."""
    return _role(module, context) is None and not is_known(module.server, module.host)


def may(module, action: str, context: Any, peek: bool = False) -> bool:
    """Whether the one behind `context` (a JID, a session, an event) may do `action`.

    A refusal is logged for debugging unless `peek`. Raises ValueError when the context names
    nobody.
    """
    who = None
    role = _role(module, context)
    if role is None:
        who = _address(context)
        role = role_of(module.server, module.host, who)
    action = _full(module, action)
    if role_may(module.server, module.host, role, action):
        return True
    if not peek:
        module.log("debug", "%s (%s) may not do %s", who or _address(context), role, action)
    return False
