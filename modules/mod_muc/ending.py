"""The end of rooms: with their last occupant, or because an owner wants it (section 10.9)."""

from __future__ import annotations

from .locking import is_locked


def end_when_empty(module, event):
    """End a room that is not persistent, or was never configured, when nobody is in it any more."""
    room = event.room
    if not room.has_occupant() and not room.destroying and (
            not room.get_persistent() or is_locked(room)) and (
            module.rooms.live.get(room.jid) is room):
        room.destroying = True
        room.fire("muc-room-destroyed")


def bury(module, event):
    """Forget a destroyed room, and keep its name from being taken."""
    room = event.room
    if module.rooms.live.get(room.jid) is room:
        module.rooms.bury(room, getattr(event, "newjid", None), getattr(event, "reason", None))


def load(module):
    """Hook the events."""
    module.hook_own("muc-occupant-left", end_when_empty, -1)
    module.hook_own("muc-room-destroyed", bury, -100)
