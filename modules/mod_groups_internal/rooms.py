"""Rooms of groups, made with what mod_muc exports, in whichever language that is."""

from __future__ import annotations

import secrets
from typing import Any

from prosody_py.api import jid


def service(module) -> Any:
    """Return what mod_muc on `groups_muc_host` exports, None when there is none."""
    host = module.options.groups_muc_host
    loaded = module.server.modules.get_module(host, "muc") if host else None
    return None if loaded is None else loaded.exports


def find(module, address: str) -> Any:
    """Return a room, None when there is none."""
    muc = service(module)
    if muc is None or jid.host(address) != module.options.groups_muc_host:
        return None
    return call(muc, "get_room_from_jid", address)


def call(table: Any, name: str, *args: Any) -> Any:
    """Call a function of a module: one of Lua may have a field that hides a method of its table."""
    function = table[name] if hasattr(table, "raw") else getattr(table, name)
    return function(*args)


def method(room: Any, name: str, *args: Any) -> Any:
    """Call a method of a room."""
    if hasattr(room, "raw"):
        return room[name](room, *args)
    return getattr(room, name)(*args)


def make(module, name: str, id: str | None = None) -> str | None:
    """Make a room for the members of a group; return its address, None where none can be made."""
    muc = service(module)
    address = jid.prep(f"{id or secrets.token_hex(8)}@{module.options.groups_muc_host}")
    if muc is None or address is None or find(module, address) is not None:
        return None
    room = call(muc, "create_room", address)
    if not room:
        return None
    for setting, value in (("set_persistent", True), ("set_members_only", True),
                           ("set_public", False), ("set_allow_member_invites", False),
                           ("set_whois", "anyone"), ("set_name", name)):
        method(room, setting, value)
    method(room, "save", True)
    return address


def close(module, address: str) -> None:
    """Destroy a room."""
    room = find(module, address)
    if room is not None:
        method(room, "destroy", None, "The group is gone")


def set_affiliation(module, address: str, who: str, affiliation: str | None) -> None:
    """Let somebody into a room, or take them out of it."""
    room = find(module, address)
    if room is not None:
        method(room, "set_affiliation", True, who, affiliation)


def describe(module, address: str) -> dict[str, Any]:
    """Return {"name": ...} of a room, {"deleted": True} when it is gone."""
    room = find(module, address)
    return {"deleted": True} if room is None else {"name": method(room, "get_name")}
