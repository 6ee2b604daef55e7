"""Lists of rooms: all of them, and the public ones with their titles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prosody_py.api import jid

from .occupant import Each
from .storing import affiliations_of


class Listing:
    """Ways to go over the rooms; mixed into Rooms."""

    def each(self, live_only: bool = False) -> Each:
        """Iterate over the rooms, those in memory alone or all."""
        return Each(list(self.live.values()) if live_only else self.all())

    def all(self) -> Iterator[Any]:
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
