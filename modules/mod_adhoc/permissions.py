"""Who may run an ad-hoc command."""

from __future__ import annotations

from prosody_py.api import StanzaError, jid
from prosody_py.api.commands.access import administers


def is_admin(module, host, event) -> bool:
    """Whether the sender administers a host, or the whole server ("*")."""
    return administers(module.server, host, event.stanza.attr.get("from") or "", event.origin)


def is_local(module, event) -> bool:
    """Whether the sender has an account on this host."""
    sender = event.stanza.attr.get("from") or ""
    return jid.host(sender) == module.host and jid.node(sender) is not None


# Modules of older Prosody give no permission, or "user". There that let everybody in, also from
# other servers; commands that were written for users of the host trust their address. So it
# means those.
PERMISSIONS = {
    "any": lambda module, command, event: True,
    "local_user": lambda module, command, event: is_local(module, event),
    "user": lambda module, command, event: is_local(module, event),
    "admin": lambda module, command, event: is_admin(module, module.host, event),
    "global_admin": lambda module, command, event: is_admin(module, "*", event),
    "check": lambda module, command, event: module.may("adhoc:" + command.node, event),
    "registry": lambda module, command, event: command.may_run(),
}


def may_run(module, command, event) -> bool:
    """Whether the sender may run a command; a permission that does not exist is nobody's."""
    test = PERMISSIONS.get(command.permission)
    return bool(test and test(module, command, event))


def refuse() -> StanzaError:
    """Return the error for a command that is not for the sender."""
    return StanzaError("forbidden", "This command is not for you")
