"""What other modules, in Python and in Lua, and commands call: the rooms of this component."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from prosody_py.api import StanzaError, jid

from .config_form import apply
from .occupant import Each
from .owner import finish
from .room import Room


class Exported:
    """The functions that a module gets by `module.depends("muc")`; they raise StanzaError."""

    def __init__(self, module: Any):
        self.module = module

    def get_room_from_jid(self, address: str) -> Room | None:
        """Return a room by its address, None when there is none."""
        return self.module.rooms.get(address)

    def has_room(self, address: str) -> bool:
        """Whether there is a room of this address."""
        rooms = self.module.rooms
        return address in rooms.live or address in rooms.stored

    def each_room(self, live_only: bool = False) -> Each:
        """Iterate over all rooms, or those in memory."""
        return self.module.rooms.each(live_only)

    def all_rooms(self) -> Each:
        """Iterate over all rooms."""
        return self.module.rooms.each()

    def live_rooms(self) -> Each:
        """Iterate over the rooms in memory."""
        return self.module.rooms.each(True)

    def create_room(self, address: str, config: Any = None) -> Room:
        """Make a room; `config` is a dict of settings: `{"name": "The hall"}` calls set_name."""
        prepared = jid.prep(address)
        if prepared is None or not jid.node(prepared) or jid.resource(prepared) or (
                jid.host(prepared) != self.module.host):
            raise StanzaError("jid-malformed", f"{address} is no address of a room here")
        rooms = self.module.rooms
        if self.has_room(prepared):
            raise StanzaError("conflict", f"There is a room {prepared} already")
        room = rooms.new(prepared)
        for name, value in dict(config.items() if config else ()).items():
            setter = getattr(room, f"set_{name}", None)
            if setter is None:
                raise StanzaError("not-acceptable", f"Rooms have no setting {name}")
            setter(value)
        rooms.add(room)
        room.fire("muc-room-created")
        room.save()
        return room

    def delete_room(self, room: Room) -> None:
        """Forget a room and what is stored of it, without telling anybody."""
        self.module.rooms.delete(room)

    def forget_room(self, room: Room) -> None:
        """Take a room out of memory."""
        self.module.rooms.drop(room)

    def list_rooms(self) -> list[dict[str, Any]]:
        """Return address, title, number of occupants and settings of all rooms."""
        return [{"jid": room.jid, "name": room.get_name(), "occupants": len(room._occupants),
                 "public": room.get_public(), "persistent": room.get_persistent(),
                 "members_only": room.get_members_only()}
                for room in self.module.rooms.all() if not room._data.get("destroyed")]

    def _room(self, address: str) -> Room:
        room = self.get_room_from_jid(jid.prep(address) or "")
        if room is None or room._data.get("destroyed"):
            raise StanzaError("item-not-found", f"There is no room {address}")
        return room

    def destroy_room(self, address: str, reason: str | None = None,
                     newjid: str | None = None) -> None:
        """End a room for good."""
        self._room(address).destroy(newjid, reason)

    def set_room_affiliation(self, address: str, account: str, affiliation: str,
                             reason: str | None = None) -> None:
        """Give an account an affiliation with a room."""
        self._room(address).set_affiliation(True, account, affiliation, reason)

    def configure_room(self, address: str, fields: dict[str, Any]) -> None:
        """Configure a room: `{"muc#roomconfig_roomname": "The hall"}`, as in its form."""
        room = self._room(address)
        event = SimpleNamespace(origin=self.module.host_object, stanza=None)
        codes = apply(self.module, room, event, dict(fields), self.module.host)
        finish(self.module, room, codes)


def publish(module: Any) -> None:
    """Make the functions top-level names of what the module exports."""
    functions = Exported(module)
    for name in dir(functions):
        if not name.startswith("_") and name != "module":
            setattr(module.exports, name, getattr(functions, name))
    module.exports.rooms = module.rooms.live
