"""Invitations: tokens with which somebody may make an account here, or becomes a contact.

Data and owner: `module.invites` (invite.py) has all open invitations, in memory and in the store;
other modules make and look for them by Prosody's functions (functions.py), and hear of new ones by
the event `invite-created`, where a module with web pages gives an invitation its `landing_page`.
Taking one up is the work of mod_invites_register, asking for one that of mod_invites_adhoc.

What fails: who asks for too many gets a StanzaError; an invitation that cannot be stored is none.
"""

from __future__ import annotations

from prosody_py.api import Options, hook, integer, period

from .functions import NAMES, Functions
from .invite import OpenInvites
from .shell import (
    delete,
    generate,
    invite_account,
    invite_contact,
    invite_reset,
    list_open,
    show,
)

COMMANDS = (delete, invite_account, invite_contact, invite_reset, list_open, show)


class Config(Options):
    """How long and how many."""

    invite_expiry = period("1 week", min="1 minute", doc="Time in which one can be taken up.")
    invite_reset_expiry = period(
        "1 day", min="1 minute", doc="The same for those that give an account a new password.")
    invites_per_user = integer(
        100, min=1, max=100_000, doc="Open invitations that one account may have.")
    invites_max = integer(10_000, min=1, max=1_000_000, doc="Open invitations of the host.")


def load(module):
    """Read what is open, and offer the functions to others by Prosody's names."""
    if module.host_object is None:  # for the command line, see `command`
        return
    server, host = module.server, module.host
    module.invites = OpenInvites(module.open_store, lambda token: (
        server.modules.get_module(host, "invites").invites.remove(token)))
    functions = Functions(module)
    for name in NAMES:
        setattr(module.exports, name, getattr(functions, name))
    module.exports.reserved_by = module.invites.for_username
    module.daily("Remove expired invitations", lambda _task: module.invites.remove_expired())


def command(module, words):
    """Make an invitation from the command line: `generate HOST [--reset USER] ...`."""
    def functions_on(host: str) -> Functions:
        here = module.context(host)
        module.options = Config.read(module.server.config, host)
        module.invites = OpenInvites(here.open_store, lambda token: False)
        return Functions(here)

    return generate(sorted(module.server.hosts), functions_on, words)


@hook("user-deleted")
def forget(module, event):
    """Take back what an account that is gone has asked for, or was asked to have."""
    account = f"{event.username}@{module.host}"
    for invite in module.invites:
        if invite.creator == account or invite.additional_data.get("allow_reset") == event.username:
            module.invites.remove(invite.token)
