"""All rooms of a component: found by address, loaded when they are asked for, kept in bounds.

Data and owner: `Rooms.live` has the rooms in memory, the one that was asked for longest ago
first. Beyond `muc_room_cache_size` rooms go out of memory, with those who are in them written
down; who asks gets them back. What is stored: "persistent" (under no user, the addresses of the
stored rooms), "config" and "state" (by the room's name, see storing.py). A room that is not
persistent is stored when it goes out of memory or the server stops, until it ends; it is among the
`temporary` ones, and without a state when it is in memory. Its state is written first and removed
last, so that whatever is left of it by a crash is found at the next start (restarting.py).

Beside this: lists of rooms (listing.py), limits (counting.py), what a reload keeps
(handing_over.py).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from prosody_py.api import Event, StanzaError, jid

from .counting import CREATOR, ROOM, TOMBSTONE, Counting
from .ending import end_when_empty
from .ghosts import take_out
from .listing import Listing
from .locking import is_locked, lock
from .room import Room
from .storing import affiliations_of, dated, freeze, freeze_state, sessions_of, thaw_state

TEMPORARY = "temporary"  # in the store "persistent", where a persistent room has true
GONE = "Gone while the room was out of memory"


class Rooms(Counting, Listing):
    """The rooms of one component."""

    def __init__(self, module: Any):
        self.module = module
        self.live: OrderedDict[str, Room] = OrderedDict()
        self.persistent = module.open_store("persistent", "map")
        self.config = module.open_store("config")
        self.state = module.open_store("state")
        kept = module.open_store("persistent").get(None) or {}
        self.stored: set[str] = set(kept)
        self.temporary = {address for address, kind in kept.items() if kind == TEMPORARY}
        self.config_map = module.open_store("config", "map")
        self.made = module.open_store("rooms_made")
        self.made_map = module.open_store("rooms_made", "map")
        self._leaving: set[str] = set()  # rooms that are being written to go out of memory
        self._titles: dict[str, str | None] | None = None  # of public rooms that are stored

    # -- finding ---------------------------------------------------------------------------

    def get(self, address: str, leaving: str | None = None) -> Room | None:
        """Return a room, which may have to be loaded; None when there is none.

        Of those who are in a room that is loaded, who has no session any more is taken out, but
        for the one who is just about to leave.
        """
        room = self.live.get(address)
        if room is not None:
            self.live.move_to_end(address)
            return room
        if address not in self.stored:
            return None
        server = self.module.server
        return self.restore(address, lambda one: one == leaving or one in server.full_sessions
                            or jid.host(one) not in server.hosts, GONE)

    def find(self, event: Any, address: str) -> Room | None:
        """Return the room that a stanza is for; without one, or a destroyed one, answer."""
        room = self.get(address)
        if room is not None and not room._data.get("destroyed"):
            return room
        if room is not None and self.is_tombstone(room):
            self.answer_gone(event, room)
        elif event.stanza.attr.get("type") not in ("error", "result"):
            raise StanzaError("item-not-found", "There is no such room")
        return None

    def is_tombstone(self, room: Room) -> bool:
        """Whether a room was destroyed and its name is still taken; clears away an expired one."""
        if not room._data.get("destroyed"):
            return False
        if (room._data.get("locked") or 0) > time.time():
            return True
        self.delete(room)
        return False

    def answer_gone(self, event: Any, room: Room) -> None:
        """Say that a room was destroyed, and where everybody is now."""
        newjid, reason = room._data.get("newjid"), room._data.get("reason")
        if event.stanza.attr.get("type") in ("error", "result"):
            return
        answer = self.module.gone_answer(event.stanza, newjid, reason)
        event.origin.send(answer)

    def restore(self, address: str, is_there: Callable[[str], bool], why: str) -> Room | None:
        """Load a room that is stored.

        Args:
            is_there: says of the full address of a session whether it still is in the room; the
                others there are told of those who are not.
            why: what they are told about them.
        """
        node = jid.node(address)
        stored = self.config.get(node)
        if not isinstance(stored, dict):
            return self._nothing_stored(address)
        state = self.state.get(node)
        if address in self.live:  # somebody was faster
            return self.live[address]
        data = Event(jid=address, data=stored)
        self.module.fire_event("muc-room-pre-restore", data)
        room = Room(self.module, address, *affiliations_of(stored))
        room.kept = freeze(room)
        if not room._data.get("destroyed"):
            thaw_state(room, state)
        self.live[address] = room
        absent = [one for one in sessions_of(room) if not is_there(one)]
        take_out(room, dict.fromkeys(absent, why))
        end_when_empty(self.module, Event(room=room))
        if self.live.get(address) is not room:
            return self.live.get(address)
        if is_locked(room):
            lock(room)  # what has locked it before the server ended has not come back
        if state is not None:
            self.state.set(node, None)
        self.module.fire_event("muc-room-restored", Event(jid=address, room=room))
        self.add(room)
        return self.live.get(address)

    def _nothing_stored(self, address: str) -> Room | None:
        if address not in self.live and address in self.stored:
            self.stored.discard(address)
            self.temporary.discard(address)
            self.module.log("error", "The store has nothing about the room %s", address)
            self.persistent.set(None, address, None)
        return self.live.get(address)

    # -- making and ending -----------------------------------------------------------------

    def new(self, address: str) -> Room:
        """Return a room that is not among the rooms yet."""
        return Room(self.module, address)

    def add(self, room: Room) -> None:
        """Put a room among the rooms; others go out of memory when there are too many."""
        self.live[room.jid] = room
        self.live.move_to_end(room.jid)
        self.make_place(0, room)

    def make_place(self, count: int, newest: Room | None = None) -> None:
        """Let the rooms that were asked for longest ago go out of memory, for so many new ones."""
        most = self.module.options.muc_room_cache_size - count
        for room in list(self.live.values()):
            if len(self.live) - len(self._leaving) <= most:
                return
            if room is newest or room.jid in self._leaving or not self._can_go(room):
                continue
            self._leaving.add(room.jid)
            try:
                gone = self._write_out(room)
            finally:
                self._leaving.discard(room.jid)
            if gone:
                del self.live[room.jid]

    def _can_go(self, room: Room) -> bool:
        """Whether a room may leave memory: it comes back if it is stored or somebody is in it."""
        return room.lock_timer is None and not room.destroying and not room.unborn and (
            room.jid in self.stored or room.has_occupant())

    def _write_out(self, room: Room) -> bool:
        """Store a room and who is in it; return whether it is still as it was stored."""
        state = freeze_state(room)
        self.save(room, savestate=True)
        if self.live.get(room.jid) is not room:
            return False
        if state == freeze_state(room) and room.kept == freeze(room):
            return True
        if state is not None:  # it went on while this was written
            self.state.set(room.node, None)
        return False

    def drop(self, room: Room) -> None:
        """Forget a room that is in memory."""
        room.destroying = True
        if room.lock_timer is not None:
            room.lock_timer.stop()
            room.lock_timer = None
        if self.live.get(room.jid) is room:
            del self.live[room.jid]

    def delete(self, room: Room) -> None:
        """Forget a room, and what is stored of it."""
        self.drop(room)
        self._unstore(room)

    def _unstore(self, room: Room) -> None:
        if room.jid in self.stored:
            self.stored.discard(room.jid)
            self.temporary.discard(room.jid)
            room.kept = None
            self.persistent.set(None, room.jid, None)
            for store in (self.config, self.state):
                if room.jid not in self.stored:  # it could have been stored again meanwhile
                    store.set(room.node, None)
            if room.jid not in self.stored:
                self.note_made(room, None)

    def save(self, room: Room, forced: bool = False, savestate: bool = False) -> bool:
        """Store a room if it is one that is stored; returns after that is durable.

        Args:
            forced: also one that is destroyed.
            savestate: also who is in it, and also one that is not persistent.
        """
        if not self._goes_on(room, forced):
            return False
        if room.get_persistent() or savestate:
            return self._write(room, forced, savestate)
        if room.jid in self.stored:
            self._note_stored(room)
        return True

    def _goes_on(self, room: Room, forced: bool) -> bool:
        """Whether a room is still to be stored: it may have ended while something was written."""
        return self.live.get(room.jid) is room and (forced or not room.destroying)

    def _write(self, room: Room, forced: bool, savestate: bool) -> bool:
        if savestate:
            self.state.set(room.node, dated(freeze_state(room)))
            if not self._goes_on(room, forced):
                if room.jid not in self.stored:
                    self.state.set(room.node, None)
                return False
        if room.jid not in self.stored:
            self.note_made(room, ROOM)
            if not self._goes_on(room, forced):
                return False
        config = freeze(room)
        if config != room.kept or forced:
            self.config.set(room.node, config)
            if not self._goes_on(room, forced):
                return False
            room.kept = config
        self._note_stored(room)
        self._note_title(room.jid, room._data, room.get_hidden())
        return True

    def _note_stored(self, room: Room) -> None:
        """Note of which kind a stored room is."""
        temporary, address = not room.get_persistent(), room.jid
        if address in self.stored and temporary is (address in self.temporary):
            return
        self.stored.add(address)
        (self.temporary.add if temporary else self.temporary.discard)(address)
        self.persistent.set(None, address, TEMPORARY if temporary else True)

    def bury(self, room: Room, newjid: str | None, reason: str | None) -> None:
        """Put a tombstone in the place of a destroyed room, or nothing."""
        options = self.module.options
        stone = (options.muc_tombstones and room.jid in self.stored and room.get_persistent()
                 and not is_locked(room) and self.may_have_tombstone(room))
        self.drop(room)
        if not stone:
            room.destroying = True
            if room.jid in self.stored:
                self.delete(room)
            return
        data = {"destroyed": True, "persistent": True, "hidden": True, "newjid": newjid or None,
                "reason": reason or None, "locked": int(time.time() + options.muc_tombstone_expiry),
                CREATOR: room._data.get(CREATOR)}
        tomb = Room(self.module, room.jid,
                    {key: value for key, value in data.items() if value is not None})
        self.live[room.jid] = tomb
        self.state.set(room.node, None)
        self.note_made(tomb, TOMBSTONE)
        self.save(tomb)
