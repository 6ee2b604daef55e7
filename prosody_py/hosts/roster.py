"""Read and write rosters. All who deal with a user's roster get the same object.

A change is written first and then made in memory, under the roster's lock; so what can be seen
in memory is what is stored, and a push or a result that follows promises nothing that may be
lost. Only what has changed is written.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from weakref import WeakValueDictionary

from prosody_py.config.options import integer, size
from prosody_py.events.bus import Event
from prosody_py.hosts.roster_items import Roster, RosterItem
from prosody_py.storage.interface import REMOVE
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.stanza import Stanza

__all__ = ["MAX_ITEMS", "Roster", "RosterItem", "commit", "forget_roster", "load_roster",
           "save_roster"]

MAX_ITEMS = integer(10000, min=1, max=1_000_000, doc="Contacts that a user may have.")
"""The option `max_roster_items`; mod_roster declares it."""
MAX_SIZE = size("10 MB", min="1 KB", doc="Bytes that a stored roster may have, with the names and "
                "groups of contacts and the requests that wait.")
"""The option `max_roster_size`; mod_roster declares it."""

_RECENT = 256  # rosters of users who are not connected, kept for the next probe or request


class _LoadedRosters:
    """The rosters of one host that are in use, and those that were a moment ago."""

    def __init__(self) -> None:
        self._live: WeakValueDictionary[str, Roster] = WeakValueDictionary()
        self._recent: OrderedDict[str, Roster] = OrderedDict()

    def get(self, username: str, host: str) -> Roster:
        roster = self._live.get(username)
        if roster is None:
            roster = self._live[username] = Roster(username, host)
        self._recent[username] = roster
        self._recent.move_to_end(username)
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return roster

    def forget(self, username: str) -> None:
        self._live.pop(username, None)
        self._recent.pop(username, None)


def _loaded(server, host: str) -> _LoadedRosters:
    return server.hosts[host].extras.setdefault("loaded_rosters", _LoadedRosters())


def load_roster(server, username: str, host: str) -> Roster:
    """Return a user's roster, empty for who has none; raises StorageError.

    Fires `roster-load` (username, host, roster) once it has been read, so that modules can add
    to it.
    """
    rosters = _loaded(server, host)
    roster = rosters.get(username, host)
    if roster.loaded:
        return roster
    with roster.lock:
        if not roster.filled:
            try:
                roster.fill(server.storage.open(host, "roster", "keyval").get(username))
            except BaseException:
                rosters.forget(username)
                raise
            server.hosts[host].events.fire_event(
                "roster-load", Event(username=username, host=host, roster=roster))
            roster.loaded = True
    return roster


def forget_roster(server, username: str, host: str) -> None:
    """Read a user's roster anew when it is next wanted (the account is gone)."""
    _loaded(server, host).forget(username)


def commit(server, roster: Roster, jid: str, item: RosterItem | None,
           pending: dict[str, Stanza | bool] | None = None) -> None:
    """Store a change and then make it; the caller holds the roster's lock.

    Args:
        jid: the bare JID of the contact that changes.
        item: what is to be there; None for nothing. Must not be an item of the roster.
        pending: the requests that wait from now on; None leaves them as they are.

    Raises StorageError, and then nothing has changed (CountedTooMuch for too many bytes);
    StanzaError when the roster is full.
    """
    if item is not None and jid not in roster:
        limit = MAX_ITEMS.parse(server.config.get(roster.host, "max_roster_items")
                                or MAX_ITEMS.default)
        if len(roster) >= limit:
            raise StanzaError("policy-violation", f"A roster has at most {limit} contacts")
    counter = roster.next_counter()
    pending = dict(roster.pending) if pending is None else pending
    changes = {False: roster.metadata_to_stored(counter, pending)}
    if item is None or item.persist:
        changes[jid] = REMOVE if item is None else item.to_stored()
    store = server.storage.open_counted(roster.host, "roster", "map", "roster",
                                        partial(_max_size, server, roster.host))
    store.set_keys(roster.username, changes)
    roster.take_over(counter, jid, item, pending)


def _max_size(server, host: str) -> int:
    return MAX_SIZE.parse(server.config.get(host, "max_roster_size") or MAX_SIZE.default)


def save_roster(server, username: str, host: str, roster: Roster | None = None,
                jid: str | None = None) -> bool:
    """Store what somebody has changed in memory: one contact, or the whole without `jid`.

    For code that follows Prosody's ways; `commit` is safer. Raises StorageError.
    """
    roster = load_roster(server, username, host) if roster is None else roster
    with roster.lock:
        roster.counter = roster.next_counter()
        if roster.version is not True:
            roster.version = roster.counter
        if jid is None:
            server.storage.open(host, "roster", "keyval").set(username, roster.to_stored())
            return True
        item = roster.get(jid)
        changes = {False: roster.metadata_to_stored()}
        if item is None or item.persist:
            changes[jid] = REMOVE if item is None else item.to_stored()
        server.storage.open(host, "roster", "map").set_keys(username, changes)
    return True
