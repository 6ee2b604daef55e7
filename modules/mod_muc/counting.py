"""How many rooms there may be, in all and by one account, and the end of old tombstones.

Who has made a room is in its settings ("creator"), and stays that whoever owns it later, so that
nobody gets around the limit by giving rooms away. Of rooms that are stored the store "rooms_made"
has, by account, {name of the room: "room" or "tombstone"}: what an account has made is one look. An
entry that a crash has left behind counts for nothing, as no such room is stored. Rooms that an
administrator or a module has made count for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from prosody_py.api import jid

CREATOR, ROOM, TOMBSTONE = "creator", "room", "tombstone"


class Counting:
    """What accounts have made, and what they are to rooms; mixed into Rooms."""

    def is_full(self, creator: str) -> bool:
        """Whether an account may make no more rooms."""
        options = self.module.options
        most = options.muc_max_rooms
        if (most and len(self.stored) + len(self.live) >= most  # far below it nothing is counted
                and len(self.stored | self.live.keys()) >= most):
            return True
        most = options.muc_max_rooms_per_owner
        if not most:
            return False
        made = self._made_by(creator, ROOM)
        made.update(room.jid for room in self.live.values()
                    if room._data.get(CREATOR) == creator and not room._data.get("destroyed"))
        return len(made) >= most

    def may_have_tombstone(self, room: Any) -> bool:
        """Whether a destroyed room keeps its name: so do as many as its maker may have rooms."""
        creator, most = room._data.get(CREATOR), self.module.options.muc_max_rooms_per_owner
        return not creator or not most or len(self._made_by(creator, TOMBSTONE)) < most

    def _made_by(self, account: str, what: str) -> set[str]:
        return {address for node, one in (self.made.get(account) or {}).items()
                if one == what and (address := f"{node}@{self.module.host}") in self.stored}

    def note_made(self, room: Any, what: str | None) -> None:
        """Note that a room (or its tombstone) is stored now, None: that it is not any more."""
        creator = room._data.get(CREATOR)
        if creator:
            self.made_map.set(creator, room.node, what)

    def forget_maker(self, account: str) -> None:
        """Forget what an account has made that is gone; the next one of its name begins anew."""
        for room in self.live.values():
            if room._data.get(CREATOR) == account:
                del room._data[CREATOR]
        self.made.set(account, None)

    def of_account(self, account: str) -> Iterator[Any]:
        """Iterate over the rooms that know an account; they are loaded one by one."""
        found = {f"{node}@{self.module.host}" for node in self.config_map.get_all(account)}
        found.update(room.jid for room in self.live.values() if account in room._affiliations)
        for address in found:
            room = self.get(address)
            if room is not None:
                yield room

    def clear_away(self) -> None:
        """Forget the destroyed rooms whose names are free again."""
        for address in list(self.stored):
            data = self.config_map.get(jid.node(address), "_data") or {}
            if data.get("destroyed") and (data.get("locked") or 0) <= time.time():
                room = self.get(address)
                if room is not None:
                    self.is_tombstone(room)


def load(module: Any) -> None:
    """Look for old tombstones every day."""
    module.daily("Forget rooms that were destroyed long ago",
                 lambda _task: module.rooms.clear_away())
