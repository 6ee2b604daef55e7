"""Rooms over a reload of the module: the next instance goes on, and nobody in them notices."""

from __future__ import annotations

from typing import Any

from .locking import is_locked, lock
from .occupant import Occupant
from .room import Room
from .versions import Versions


def keep(rooms: Any) -> list[dict[str, Any]]:
    """Return all rooms in memory as plain data, for the next instance of the module.

    One that is about to end is not among them: this instance brings that to its end. Neither is one
    that somebody is about to make: the next instance is asked for it again.
    """
    return [{"jid": room.jid, "data": dict(room._data),
             "affiliations": dict(room._affiliations),
             "affiliation_data": dict(room._affiliation_data),
             "history": list(room._history), "versions": room.versions.keep(),
             "occupants": [(one.bare_jid, one.nick, one.jid, one.role, dict(one.sessions))
                           for one in room._occupants.values()]}
            for room in rooms.live.values() if not room.destroying and not room.unborn]


def take_over(rooms: Any, kept: list[dict[str, Any]]) -> None:
    """Put the rooms of the instance before in place."""
    for one in kept:
        room = Room(rooms.module, one["jid"], one["data"], one["affiliations"],
                    one["affiliation_data"])
        room._history = one["history"]
        room.versions = Versions(one.get("versions"))
        rooms.live[room.jid] = room
        if is_locked(room):
            lock(room)
        for bare_jid, nick, address, role, sessions in one["occupants"]:
            occupant = Occupant(bare_jid, nick)
            occupant.role = role
            for session, presence in sessions.items():
                occupant.set_session(session, presence)
            occupant.jid = address
            room.get_occupant_id(occupant)
            room.save_occupant(occupant)
