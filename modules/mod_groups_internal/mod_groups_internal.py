"""Groups of accounts that other modules manage: members are contacts of each other, with rooms.

Data and owner: `module.groups` (groups.py) has the groups in memory as they are in the stores
"group_info" (group id -> {name, muc_jid, mucs}) and "groups" (group id -> {username: {}}), which
are those of the community's module. Other modules use the functions below, by its names, and hear
of changes by `group-user-added`, `group-user-removed`, `group-chat-added`, `group-chat-removed`.

Members' contacts are put into their rosters when these are in use, and never stored there
(hosts.shared_contacts). A room is made on `groups_muc_host`, for members only.
"""

from __future__ import annotations

from prosody_py.api import Options, hook, integer, string
from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import forget_roster
from prosody_py.hosts.shared_contacts import Wanted, share

from . import commands
from .functions import NAMES, Functions
from .groups import Groups

OWNER = "groups_internal"


class Config(Options):
    """How many, and where their rooms are."""

    groups_max = integer(10_000, min=1, max=1_000_000, doc="Groups of the host.")
    groups_max_members = integer(1000, min=1, max=100_000, doc="Members that a group may have.")
    groups_muc_host = string(None, doc="The component for the rooms of groups; none without it.")


def load(module):
    """Read the groups, and offer the functions."""
    module.groups = Groups(module.open_store)
    functions = Functions(module, lambda usernames: refresh(module, usernames))
    for name in NAMES:
        setattr(module.exports, name, getattr(functions, name))
    commands.load(module)


def ready(module):
    """Bring the rosters that are in use already to what the groups are."""
    refresh(module, module.groups.usernames())


def unload(module):
    """Take the contacts out of the rosters again, unless the next instance looks after them."""
    for username in module.groups.usernames():
        user = module.host_object.sessions.get(username)
        if user is None:
            forget_roster(module.server, username, module.host)
        elif not module.reloading and user.roster is not None:
            push(module, username, share(user.roster, OWNER, {}))


@hook("roster-load")
def add_contacts(module, event):
    """Put the other members into a roster that was read."""
    share(event.roster, OWNER, contacts(module, event.username))


@hook("user-deleted")
def forget(module, event):
    """Take an account that is gone out of its groups."""
    for group_id in module.groups.of(event.username):
        module.exports.remove_member(group_id, event.username)


def contacts(module, username: str) -> dict[str, Wanted]:
    """Return whom an account has as contacts because of its groups."""
    found: dict[str, Wanted] = {}
    for group_id in module.groups.of(username):
        name = module.groups.name(group_id)
        for member in module.groups.members(group_id):
            address = f"{member}@{module.host}"
            before = found.get(address, Wanted(None, ()))
            found[address] = Wanted(None, (*before.groups, name))
    found.pop(f"{username}@{module.host}", None)
    return found


def refresh(module, usernames) -> None:
    """Bring the rosters of some accounts to what the groups are now."""
    for username in list(usernames):
        user = module.host_object.sessions.get(username)
        if user is None:
            forget_roster(module.server, username, module.host)
        elif user.roster is not None:
            push(module, username, share(user.roster, OWNER, contacts(module, username)))


def push(module, username: str, changed: list[str]) -> None:
    """Tell an account's clients how some contacts are now."""
    for contact in changed:
        rostermanager.roster_push(module.server, username, module.host, contact)
