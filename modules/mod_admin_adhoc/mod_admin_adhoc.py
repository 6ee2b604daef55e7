"""XEP-0133: Service Administration, and the ad-hoc commands of Prosody's mod_admin_adhoc.

Each is a form of the XEP in front of commands of the registry (prosody_py.api.commands), which do
the work and say who may: administrators of this host for what is about the host, those of the
whole server for the rest. A command whose work a module does (motd, welcome, announce) is offered
while that module is here. With this module administrators may also run the registry's commands as
such (permission "adhoc:administration", see mod_adhoc).

Not offered: get-user-password (retracted, and passwords are not kept), restart (nothing here starts
a server that has ended; `shutdown` under a supervisor that does is a restart), blacklist and
whitelist (nothing here blocks domains).
"""

from __future__ import annotations

from prosody_py.api import Options, adhoc, period
from prosody_py.api.commands import Registry
from prosody_py.api.permissions import default_permission

from . import accounts, lists, prosody, service
from .administration import Runner

DEPENDS = ("adhoc",)
ALL = (*accounts.COMMANDS, *lists.COMMANDS, *service.COMMANDS, *prosody.COMMANDS)


class Config(Options):
    """How the service is stopped."""

    admin_adhoc_max_delay = period("1 day", min="1 second", doc="Longest delay that the command "
                                   "to shut down the service takes.")


def load(module):
    """Offer what can be done here, now and whenever modules come and go."""
    default_permission(module, "prosody:admin", "adhoc:administration")
    module.offered = {}
    for event in ("item-added/command", "item-removed/command"):
        module.hook(event, lambda _event: offer(module))
        module.hook_global(event, lambda _event: offer(module))
    offer(module)


def offer(module) -> None:
    """Add the commands whose work can be done, and take back those whose work cannot."""
    there = Registry.of(module.server).commands
    for declared in ALL:
        possible = all(words in there and (
            "*" in there[words].handlers or module.host in there[words].handlers)
            for words in declared.needs) and applies(module, declared)
        item = module.offered.get(declared.node)
        if possible and item is None:
            item = module.offered[declared.node] = item_of(module, declared)
            module.add_item("adhoc", item)
        elif not possible and item is not None:
            del module.offered[declared.node]
            module.remove_item("adhoc", item)


def applies(module, declared) -> bool:
    """Whether a command makes sense on a host of this kind."""
    return not declared.accounts or module.get_host_type() == "local"


def item_of(module, declared) -> adhoc.AdhocCommand:
    """Return the item for mod_adhoc."""
    permission = "global_admin" if declared.everywhere else "admin"

    def submitted(fields, data):
        return declared.function(Runner(module, data), fields)

    if declared.layout is None:
        return adhoc.simple(declared.name, declared.node, lambda data: submitted({}, data),
                            permission)
    return adhoc.form(declared.name, declared.node,
                      lambda data: declared.layout(Runner(module, data)), submitted, permission)
