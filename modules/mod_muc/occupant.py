"""An occupant: somebody under a nickname, with one or more sessions of one account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from prosody_py.api import Stanza, jid

MUC = "http://jabber.org/protocol/muc"
USER = MUC + "#user"
OCCUPANT_ID = "urn:xmpp:occupant-id:0"
HATS, OLD_HATS = "urn:xmpp:hats:0", "xmpp:prosody.im/protocol/hats:1"
STANZA_ID = "urn:xmpp:sid:0"
_ROOMS_OWN = frozenset((("x", MUC), ("x", USER), ("occupant-id", OCCUPANT_ID), ("hats", HATS),
                        ("hats", OLD_HATS)))


class Each:
    """What Python iterates over, and Lua calls until it gets nil.

    So `for nick, occupant in room:each_occupant() do` works in Lua, and without "do" in Python.
    """

    never_blocks = True
    __slots__ = ("_items", "__weakref__")

    def __init__(self, items: Iterable[Any]):
        self._items = iter(items)

    def __iter__(self) -> Iterator[Any]:
        return self._items

    def __call__(self, *_state: Any) -> Any:
        return next(self._items, None)


def without_the_rooms_own(stanza: Stanza, room: str) -> list[Stanza | str]:
    """Return the children of a stanza without those that only a room (an address) may add."""
    return [child for child in stanza.children if type(child) is str
            or (child.name, child.attr.get("xmlns")) not in _ROOMS_OWN
            and (child.name != "stanza-id" or child.attr.get("by") != room)
            and (child.name != "delay" or not _is_room(child.attr.get("from"), room))]


def _is_room(address: str | None, room: str) -> bool:
    """Whether an address, as somebody has written it, is that of a room or somebody in it."""
    return jid.bare(jid.prep(address or "")) == room


class Occupant:
    """Somebody in a room.

    `nick` is the occupant's address (room@host/nickname), `bare_jid` the account, `jid` the full
    address of the session that speaks for it, `role` None for who has left. `sessions` maps full
    addresses to the presence that the session has sent, with `from` as the room shows it.
    """

    def __init__(self, bare_jid: str, nick: str):
        self.bare_jid = bare_jid
        self.nick = nick
        self.jid: str | None = None
        self.role: str | None = None
        self.sessions: dict[str, Stanza] = {}
        self.stable_id: str | None = None
        self._shown: Any = None  # what newcomers are shown, see status.py

    @property
    def nickname(self) -> str:
        """The nickname alone."""
        return self.nick.partition("/")[2]

    def get_presence(self, real_jid: str | None = None) -> Stanza | None:
        """Return the presence of one session, by default of the one that speaks for all."""
        return self.sessions.get(real_jid or self.jid)

    def set_session(self, real_jid: str, presence: Stanza, replace_primary: bool = False) -> None:
        """Take a presence of a session, which may be new; the first one speaks for all."""
        kept = Stanza("presence", {**presence.attr, "from": self.nick})
        kept.attr.pop("to", None)
        kept.children = without_the_rooms_own(presence, self.nick.partition("/")[0])
        self.sessions[real_jid] = kept
        self._shown = None
        if replace_primary or self.jid is None:
            self.jid = real_jid

    def remove_session(self, real_jid: str) -> None:
        """Forget a session; another one speaks for the occupant if it did."""
        self.sessions.pop(real_jid, None)
        self._shown = None
        if self.jid == real_jid:
            self.choose_new_primary()

    def choose_new_primary(self) -> None:
        """Let an available session speak for the occupant, if there is one."""
        self.jid = next((jid for jid, presence in self.sessions.items()
                         if presence.attr.get("type") is None), None)

    def each_session(self) -> Each:
        """Iterate over (full address, presence) of the sessions."""
        return Each(list(self.sessions.items()))

    def renamed(self, nick: str) -> Occupant:
        """Return the same one without sessions under another nickname."""
        other = Occupant(self.bare_jid, nick)
        own = ("nick", "sessions", "jid", "_shown")
        other.__dict__.update((name, value) for name, value in self.__dict__.items()
                              if name not in own)
        return other

    def __repr__(self) -> str:
        return f"<Occupant {self.nick} {self.role}>"
