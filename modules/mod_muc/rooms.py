"""All rooms of a component: found by address, loaded when they are asked for, kept in bounds.

Data and owner: `Rooms.live` has the rooms in memory, the one that was asked for longest ago
first. Rooms that are stored beyond `muc_room_cache_size` go out of memory, with those who are in
them written down; who asks gets them back. What is stored: "persistent" (under no user, the
addresses of the stored rooms), "config" and "state" (by the room's name, see storing.py).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from prosody_py.api import Event, StanzaError, jid

from .locking import is_locked, lock
from .occupant import Each, Occupant
from .room import Room
from .storing import affiliations_of, freeze, freeze_state, thaw_state
from .versions import Versions


class Rooms:
    """The rooms of one component."""

    def __init__(self, module: Any):
        self.module = module
        self.live: OrderedDict[str, Room] = OrderedDict()
        self.persistent = module.open_store("persistent", "map")
        self.config = module.open_store("config")
        self.state = module.open_store("state")
        self.stored: set[str] = set(module.open_store("persistent").get(None) or {})
        self.config_map = module.open_store("config", "map")
        self._titles: dict[str, str | None] | None = None  # of public rooms that are stored

    # -- finding ---------------------------------------------------------------------------

    def get(self, address: str) -> Room | None:
        """Return a room, which may have to be loaded; None when there is none."""
        room = self.live.get(address)
        if room is not None:
            self.live.move_to_end(address)
            return room
        return self._restore(address) if address in self.stored else None

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

    def _restore(self, address: str) -> Room | None:
        node = jid.node(address)
        stored = self.config.get(node)
        if not isinstance(stored, dict):
            if address not in self.live:
                self.stored.discard(address)
                self.module.log("error", "The store has nothing about the room %s", address)
            return self.live.get(address)
        state = self.state.get(node)
        if address in self.live:  # somebody was faster
            return self.live[address]
        data = Event(jid=address, data=stored)
        self.module.fire_event("muc-room-pre-restore", data)
        room = Room(self.module, address, *affiliations_of(stored))
        room.kept = freeze(room)
        server = self.module.server
        thaw_state(room, state, lambda one: jid.host(one) not in server.hosts
                   or one in server.full_sessions)
        self.add(room)
        if is_locked(room):
            lock(room)  # what has locked it before the server ended has not come back
        if state is not None:
            self.state.set(node, None)
        self.module.fire_event("muc-room-restored", Event(jid=address, room=room))
        return room

    def all(self) -> Iterator[Room]:
        """Iterate over all rooms; those that are not in memory are loaded one by one."""
        for address in [*self.live, *(self.stored - self.live.keys())]:
            room = self.live.get(address) or self.get(address)
            if room is not None:
                yield room

    def public(self) -> dict[str, str | None]:
        """Return the public rooms that have been configured: their addresses and titles.

        What is stored is read at the first time, and then kept up to date.
        """
        if self._titles is None:
            self._titles = {}
            for address in sorted(self.stored):
                stored = self.config.get(jid.node(address))
                if isinstance(stored, dict) and address not in self._titles:
                    data = affiliations_of(stored)[0]
                    hidden = data.get("hidden", not self.module.options.muc_room_default_public)
                    self._note_title(address, data, hidden)
        found = {address: title for address, title in self._titles.items()
                 if address in self.stored and address not in self.live}
        found.update((room.jid, room.get_name()) for room in self.live.values()
                     if room.get_public() and not room._data.get("locked"))
        return found

    def _note_title(self, address: str, data: Any, hidden: Any) -> None:
        if self._titles is None:
            return
        if hidden or data.get("destroyed"):
            self._titles.pop(address, None)
        else:
            self._titles[address] = data.get("name")

    # -- making and ending -----------------------------------------------------------------

    def new(self, address: str) -> Room:
        """Return a room that is not among the rooms yet."""
        return Room(self.module, address)

    def is_full(self, creator: str) -> bool:
        """Whether the limits of how many rooms there may be are reached."""
        options = self.module.options
        if options.muc_max_rooms and len(self.stored | self.live.keys()) >= options.muc_max_rooms:
            return True
        most = options.muc_max_rooms_per_owner
        if not most:
            return False
        return sum(affiliation == "owner" for affiliation
                   in self._affiliations_of(creator).values()) >= most

    def _affiliations_of(self, account: str) -> dict[str, str]:
        """Return what an account is to the rooms that know it, by their addresses."""
        found = {f"{node}@{self.module.host}": affiliation for node, affiliation
                 in self.config_map.get_all(account).items()}
        found.update((room.jid, room._affiliations[account]) for room in self.live.values()
                     if account in room._affiliations)
        return found

    def of_account(self, account: str) -> Iterator[Room]:
        """Iterate over the rooms that know an account; they are loaded one by one."""
        for address in self._affiliations_of(account):
            room = self.get(address)
            if room is not None:
                yield room

    def add(self, room: Room) -> None:
        """Put a room among the rooms; others go out of memory when there are too many."""
        self.live[room.jid] = room
        self.live.move_to_end(room.jid)
        if len(self.live) > self.module.options.muc_room_cache_size:
            self._evict(room)

    def _evict(self, newest: Room) -> None:
        excess = len(self.live) - self.module.options.muc_room_cache_size
        for room in list(self.live.values()):
            if excess <= 0:
                return
            if room is not newest and room.jid in self.stored and room.lock_timer is None:
                state = freeze_state(room)
                self.save(room)
                if state is not None:
                    self.state.set(room.node, state)
                if self.live.get(room.jid) is not room:
                    continue
                if state != freeze_state(room) or room.kept != freeze(room):
                    if state is not None:  # it went on while this was written
                        self.state.set(room.node, None)
                    continue
                del self.live[room.jid]
                excess -= 1

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
        if room.jid in self.stored:
            self.stored.discard(room.jid)
            self.persistent.set(None, room.jid, None)
            self.config.set(room.node, None)
            self.state.set(room.node, None)

    def save(self, room: Room, forced: bool = False, savestate: bool = False) -> bool:
        """Store a room if it is one that is stored; returns after that is durable.

        Args:
            forced: also one that is destroyed.
            savestate: also who is in it.
        """
        if self.live.get(room.jid) is not room or room.destroying and not forced:
            return False
        node = room.node
        if room.get_persistent():
            config = freeze(room)
            if config != room.kept or forced:
                self.config.set(node, config)
                room.kept = config
            if room.jid not in self.stored:
                self.stored.add(room.jid)
                self.persistent.set(None, room.jid, True)
            self._note_title(room.jid, room._data, room.get_hidden())
            if savestate:
                self.state.set(node, freeze_state(room))
        elif room.jid in self.stored:
            self.stored.discard(room.jid)
            self.persistent.set(None, room.jid, None)
            self.config.set(node, None)
            room.kept = None
        return True

    def save_states(self) -> None:
        """Store who is in the rooms that are stored, for the time after a restart."""
        for room in list(self.live.values()):
            state = freeze_state(room) if room.jid in self.stored else None
            if state is not None:
                self.state.set(room.node, state)

    def bury(self, room: Room, newjid: str | None, reason: str | None) -> None:
        """Put a tombstone in the place of a destroyed room, or nothing."""
        options = self.module.options
        stone = options.muc_tombstones and room.jid in self.stored and not is_locked(room)
        self.drop(room)
        if not stone:
            room.destroying = True
            if room.jid in self.stored:
                self.delete(room)
            return
        data = {"destroyed": True, "persistent": True, "hidden": True, "newjid": newjid or None,
                "reason": reason or None, "locked": int(time.time() + options.muc_tombstone_expiry)}
        tomb = Room(self.module, room.jid,
                    {key: value for key, value in data.items() if value is not None})
        self.live[room.jid] = tomb
        self.save(tomb)
        self.state.set(room.node, None)

    # -- what others call ------------------------------------------------------------------

    def each(self, live_only: bool = False) -> Each:
        """Iterate over the rooms, those in memory alone or all."""
        return Each(list(self.live.values()) if live_only else self.all())

    # -- a reload of the module ------------------------------------------------------------

    def keep(self) -> list[dict[str, Any]]:
        """Return all rooms in memory as plain data, for the next instance of the module.

        One that is about to end is not among them: this instance brings that to its end.
        """
        return [{"jid": room.jid, "data": dict(room._data),
                 "affiliations": dict(room._affiliations),
                 "affiliation_data": dict(room._affiliation_data),
                 "history": list(room._history), "versions": room.versions.keep(),
                 "occupants": [(one.bare_jid, one.nick, one.jid, one.role, dict(one.sessions))
                               for one in room._occupants.values()]}
                for room in self.live.values() if not room.destroying]

    def take_over(self, kept: list[dict[str, Any]]) -> None:
        """Put the rooms of the instance before in place; nobody in them notices."""
        for one in kept:
            room = Room(self.module, one["jid"], one["data"], one["affiliations"],
                        one["affiliation_data"])
            room._history = one["history"]
            room.versions = Versions(one.get("versions"))
            self.live[room.jid] = room
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
