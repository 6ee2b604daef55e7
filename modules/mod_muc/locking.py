"""New rooms: who may make them, and that they are locked before they are configured (10.1)."""

from __future__ import annotations

import time

from prosody_py.api import jid
from prosody_py.hosts.users import is_admin

from .answers import refuse
from .counting import CREATOR


def is_locked(room) -> bool:
    """Whether a room waits for its first configuration."""
    return bool(room._data.get("locked")) and not room._data.get("destroyed")


def lock(room) -> None:
    """Let nobody in until the owner has configured the room; it ends when that takes too long."""
    room._data.setdefault("locked", int(time.time()))
    room.fire("muc-room-locked")
    timeout = room.module.options.muc_room_lock_timeout
    if timeout and timeout != float("inf"):
        room.lock_timer = room.module.add_timer(timeout, _expire, room)


def unlock(room) -> bool:
    """Open a room; return whether it was locked."""
    if room.lock_timer is not None:
        room.lock_timer.stop()
        room.lock_timer = None
    if room._data.pop("locked", None) is None:
        return False
    room.fire("muc-room-unlocked")
    return True


def _expire(now, room) -> None:
    if is_locked(room) and not room.destroying:
        room.module.log("debug", "%s was not configured in time", room.jid)
        room.destroy(None, "This room was not configured in time")


def is_local(module, account: str) -> bool:
    """Whether an account belongs to the domain above, or to any here if that is not ours."""
    hosts, parent, own = module.server.hosts, module.host.partition(".")[2], jid.host(account)
    return own == parent if parent in hosts else own in hosts


def may_create(module, event):
    """Refuse those who may not make rooms here, and rooms beyond what there may be."""
    options, room = module.options, event.room
    creator = jid.bare(event.stanza.attr["from"])
    admin = is_admin(module.server, creator, module.host)
    restricted = options.restrict_room_creation
    if restricted and not admin and (restricted != "local" or not is_local(module, creator)):
        return refuse(event, room, "not-allowed", "You may not create rooms here")
    if admin:
        return None
    if module.rooms.is_full(creator):
        return refuse(event, room, "resource-constraint", "There are too many rooms already")
    room._data[CREATOR] = creator
    return None


def lock_new(module, event):
    """Lock a room that is made by entering."""
    if module.options.muc_room_locking:
        lock(event.room)


def only_owners(module, event):
    """Refuse all but owners as long as a room is locked (section 7.2.10)."""
    room = event.room
    if is_locked(room) and room.get_affiliation(event.occupant.bare_jid) != "owner":
        return refuse(event, room, "item-not-found", "This room is not configured yet")
    return None


def load(module):
    """Hook the events."""
    module.hook_own("muc-room-pre-create", may_create, 0)
    module.hook_own("muc-room-pre-create", lock_new, -1000)
    module.hook_own("muc-occupant-pre-join", only_owners, -30)
