"""A room: who is in it, what is sent to all of them, and its end.

Data and owner: a `Room` owns its occupants, affiliations, settings and history; `Rooms` (rooms.py)
owns the rooms, `storing.py` what is kept of them. Fields that Lua modules know have Prosody's
names: `jid`, `_data`, `_occupants` (address in the room -> Occupant), `_jid_nick` (full address
of a session -> address in the room), `_affiliations`, `_affiliation_data`, `_history`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from greenlet import getcurrent

from prosody_py.api import Event, Stanza, StanzaError, jid, stanza
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.router.to_many import send_many_to_one, send_to_many, to_attribute

from .affiliations import Affiliations
from .identity import Identity
from .occupant import USER, Each, Occupant
from .roles import Roles
from .settings import Settings
from .status import Status
from .storing import VERSIONS, freeze, freeze_state
from .subject import Subject
from .versions import Versions


class RoomData(dict):
    """The settings of a room as they are stored; what Lua puts in is copied."""


class Room(Settings, Affiliations, Roles, Status, Identity, Subject):
    """One room; see the module's text."""

    def __init__(self, module: Any, address: str, data: Any = None, affiliations: Any = None,
                 affiliation_data: Any = None):
        self.module = module
        self.jid = address
        self._data = RoomData(data or {})
        self._affiliations: dict[str, str] = RoomData(affiliations or {})
        self._affiliation_data: dict[str, dict] = RoomData(affiliation_data or {})
        self._reserved_nicks: dict[str, str] | None = None
        self._size: int | None = None  # of the affiliations, once it matters
        self._occupants: dict[str, Occupant] = {}
        self._jid_nick: dict[str, str] = {}
        self._history: list[dict] = []
        self.addresses: dict[str, bytes] = {}  # of each session, as it stands in what it gets
        self.ghosts: dict[str, str] = {}  # sessions that are gone, and why, see ghosts.py
        self.kept: dict[str, Any] | None = None  # the configuration as it is stored
        self.versions = Versions.thaw(self._data.pop(VERSIONS, None))  # of the affiliations
        self.unborn = False  # who makes it is about to enter
        self.destroying = False
        self._saving_later: Any = None  # the greenlet that saves at the end of what it does
        self.lock_timer: Any = None

    # -- events ----------------------------------------------------------------------------

    def hears(self, event: str) -> bool:
        """Whether anybody has hooked an event."""
        events = self.module.events
        return event in events.index or events.wrapped

    def fire(self, event: str, **fields: Any) -> Any:
        """Fire an event about this room; return the result."""
        if not self.hears(event):
            return None
        return self.module.fire_event(event, Event(room=self, **fields))

    def save(self, forced: bool = False, savestate: bool = False) -> bool:
        """Store the room if it is one that is stored; see Rooms.save."""
        if self._saving_later is getcurrent() and not forced and not savestate:
            return True
        return self.module.rooms.save(self, forced, savestate)

    @contextmanager
    def one_save(self) -> Iterator[None]:
        """Within it, save once at the end: a room that knows many is costly to write.

        That holds for this greenlet; what others have to save meanwhile, they save.
        """
        before, self._saving_later = self._saving_later, getcurrent()
        try:
            yield
        finally:
            self._saving_later = before
            self.save()

    def freeze(self, live: bool = False) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the room as it is stored; with `live` also who is in it."""
        return freeze(self), freeze_state(self) if live else None

    # -- occupants -------------------------------------------------------------------------

    def has_occupant(self) -> bool:
        """Whether anybody is in the room."""
        return bool(self._occupants)

    def each_occupant(self) -> Each:
        """Iterate over (address in the room, Occupant)."""
        return Each(list(self._occupants.items()))

    def new_occupant(self, bare_jid: str, nick: str) -> Occupant:
        """Return an occupant that is not in the room yet; `nick` is its address there."""
        occupant = Occupant(bare_jid, nick)
        occupant.role = self.role_on_entering(bare_jid)
        return occupant

    def get_occupant_by_nick(self, nick: str) -> Occupant | None:
        """Return an occupant by its address in the room."""
        return self._occupants.get(nick)

    def get_occupant_by_real_jid(self, address: str) -> Occupant | None:
        """Return an occupant by the full address of one of its sessions."""
        return self._occupants.get(self._jid_nick.get(address))

    def get_occupant_jid(self, address: str) -> str | None:
        """Return the address in the room of a session."""
        return self._jid_nick.get(address)

    def save_occupant(self, occupant: Occupant) -> bool:
        """Take an occupant in as it is now; sessions that have become unavailable go."""
        nick = occupant.nick
        before = self._occupants.get(nick)
        if before is not None and before is not occupant:
            for address in before.sessions:
                self._drop_session(address, nick)
        for address, presence in list(occupant.sessions.items()):
            if presence.attr.get("type") is None and occupant.role is not None:
                self._jid_nick[address] = nick
                self.address_text(address, keep=True)
            else:
                self._drop_session(address, nick)
                if occupant.role is not None:
                    occupant.remove_session(address)
        occupant._shown = None
        if occupant.role is None or not occupant.sessions:
            self._occupants.pop(nick, None)
            return False
        self._occupants[nick] = occupant
        return True

    def _drop_session(self, address: str, nick: str) -> None:
        if self._jid_nick.get(address) == nick:
            del self._jid_nick[address]
            self.addresses.pop(address, None)

    def take_out(self, occupant: Occupant) -> None:
        """Remove an occupant from the room; it still knows its sessions."""
        occupant.role = None
        for address in occupant.sessions:
            self._drop_session(address, occupant.nick)
        if self._occupants.get(occupant.nick) is occupant:
            del self._occupants[occupant.nick]

    def address_text(self, address: str, keep: bool = False) -> bytes:
        """Return the `to` of a session as it stands in what it gets."""
        text = self.addresses.get(address)
        if text is None:
            text = to_attribute(address)
            if keep:
                self.addresses[address] = text
        return text

    # -- sending ---------------------------------------------------------------------------

    def route_stanza(self, element: Stanza) -> None:
        """Deliver a stanza of the room."""
        self.module.server.post_stanza(self.module.host_object, element)

    def route_to_occupant(self, occupant: Occupant, element: Stanza) -> None:
        """Deliver a stanza to all sessions of an occupant."""
        send_to_many(self.module.server, self.module.host_object, element,
                     [(address, self.address_text(address)) for address in occupant.sessions])

    def send_all(self, stanzas: Iterable[OneToMany], address: str) -> None:
        """Deliver many stanzas of one name to one session."""
        send_many_to_one(self.module.server, self.module.host_object, stanzas, address,
                         self.address_text(address))

    def broadcast(self, element: Stanza, condition: Any = None) -> None:
        """Deliver a stanza to everybody, or to those for whom `condition(nick, occupant)` holds."""
        if condition is None:
            receivers = list(self.addresses.items())
        else:
            receivers = [(address, self.address_text(address))
                         for nick, occupant in list(self._occupants.items())
                         if condition(nick, occupant) for address in list(occupant.sessions)]
        send_to_many(self.module.server, self.module.host_object, element, receivers)

    def broadcast_message(self, element: Stanza) -> bool:
        """Deliver a message to everybody, by way of `muc-broadcast-message`."""
        event = Event(room=self, stanza=element)
        if self.module.fire_event("muc-broadcast-message", event):
            return True
        self.broadcast(event.stanza)
        return True

    def announce(self, codes: Iterable[str]) -> None:
        """Tell everybody in a message what has changed, by status codes (section 10.2.1)."""
        message = stanza.message({"from": self.jid, "type": "groupchat"})
        message.tag("x", xmlns=USER)
        for code in sorted(codes):
            message.tag("status", code=str(code)).up()
        self.broadcast(message.reset())

    # -- the end ---------------------------------------------------------------------------

    def build_unavailable_presence(self, nick: str, reason: str | None = None) -> Stanza:
        """Return the presence of an occupant who is not there."""
        presence = stanza.presence({"from": nick, "type": "unavailable"})
        presence.tag("x", xmlns=USER).tag("item", affiliation="none", role="none")
        return (presence.text_tag("reason", reason) if reason else presence).reset()

    def clear(self, x: Stanza | None = None) -> None:
        """Put everybody out, each told only that, with what is in `x`."""
        leaving = list(self._occupants.values())
        for occupant in leaving:
            prior = occupant.role
            self.take_out(occupant)
            description, _own = self.describe(occupant, x, unavailable=True)
            self._send(description.form(True, []), self._sessions_of(occupant))
            occupant.prior_role = prior
        for occupant in leaving:
            self.fire("muc-occupant-left", nick=occupant.nick, occupant=occupant)

    def destroy(self, newjid: str | None = None, reason: str | None = None,
                password: str | None = None) -> bool:
        """End the room for good (section 10.9); raises StanzaError when somebody forbids it."""
        x = stanza.stanza("x", xmlns=USER)
        x.tag("destroy", jid=newjid).text_tag("reason", reason) if reason else x.tag(
            "destroy", jid=newjid)
        if password:
            x.text_tag("password", password)
        event = Event(room=self, newjid=newjid, reason=reason, password=password, x=x.reset(),
                      allowed=True)
        if self.module.fire_event("muc-pre-room-destroy", event) is False or not event.allowed:
            error = getattr(event, "error", None)
            raise error if isinstance(error, StanzaError) else StanzaError("not-allowed")
        self.destroying = True
        self.clear(x)
        self.fire("muc-room-destroyed", reason=reason, newjid=newjid, password=password)
        return True

    @property
    def node(self) -> str:
        """The name of the room in its address."""
        return jid.node(self.jid)

    def __repr__(self) -> str:
        return f"<Room {self.jid} {len(self._occupants)} occupants>"
