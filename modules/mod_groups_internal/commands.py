"""Commands of administrators for groups (prosody_py.api.commands): `group ...`."""

from __future__ import annotations

from typing import Any

from prosody_py.api import CommandError, Table, command, jid, offer_commands

# What the functions say, as the stanza error that fits (RFC 6120 section 8.3.3) and a text.
_REASONS = {
    "group-not-found": ("item-not-found", "There is no such group"),
    "user-not-found": ("item-not-found", "There is no such account"),
    "conflict": ("conflict", "There is a group of this id already"),
    "group-name-required": ("not-acceptable", "A group needs a name"),
    "resource-constraint": ("resource-constraint", "There are as many as there may be"),
    "service-unavailable": ("service-unavailable", "No room could be made; is there a component "
                            "for rooms, and does the option groups_muc_host name it?"),
}


def done(result: Any) -> Any:
    """Return what a function has returned; raises CommandError for what it could not do."""
    if isinstance(result, tuple) and result[0] is None:
        condition, text = _REASONS.get(result[1], (None, str(result[1])))
        raise CommandError(text, condition)
    return result


@command("group", "list", "host:host", help="Groups of accounts")
def list_groups(module, call, host):
    """List the groups of a host."""
    rows = [(group, info["name"], len(module.exports.get_members(group)))
            for group, info in module.exports.groups()]
    return Table(("group", "name", "members"), sorted(rows, key=lambda row: (row[1], row[0])))


@command("group", "create", "host:host", "name:text",
         flags={"value_params": {"id"}, "switches": {"room"}})
def create(module, call, host, name, given):
    """Make a group, perhaps with a room for its members."""
    group = done(module.exports.create({"name": name}, bool(given.get("room")), given.get("id")))
    return f"The group {group} was made"


@command("group", "delete", "host:host", "group:string")
def delete(module, call, host, group):
    """Remove a group and its rooms; its members are no contacts of each other any more."""
    done(module.exports.delete(group))
    return f"The group {group} was removed"


@command("group", "show", "host:host", "group:string")
def show(module, call, host, group):
    """Show a group: its name, its rooms, its members."""
    info = module.exports.get_info(group)
    if info is None:
        done((None, "group-not-found"))
    rooms = [room for room in (info.get("muc_jid"), *(info.get("mucs") or {})) if room]
    members = sorted(module.exports.get_members(group))
    return Table(("what", "value"), [
        ("group", group), ("name", info["name"]), *(("room", room) for room in rooms),
        *(("member", f"{username}@{module.host}") for username in members)])


@command("group", "rename", "host:host", "group:string", "name:text")
def rename(module, call, host, group, name):
    """Give a group another name."""
    done(module.exports.set_info(group, {"name": name}))
    return f"The group {group} is called {name}"


@command("group", "add", "jid:bare_jid", "group:string")
def add(module, call, address, group):
    """Put an account into a group of its host."""
    done(module.exports.add_member(group, jid.node(address)))
    return f"{address} is in the group {group}"


@command("group", "remove", "jid:bare_jid", "group:string")
def remove(module, call, address, group):
    """Take an account out of a group."""
    done(module.exports.remove_member(group, jid.node(address)))
    return f"{address} is not in the group {group}"


def load(module: Any) -> None:
    """Offer the commands."""
    offer_commands(module, list_groups, create, delete, show, rename, add, remove)
