"""A roster: a user's contacts, the requests that wait for the user's answer, and a version.

Pure data, in memory as a mapping of bare JID to `RosterItem`. The stored form is Prosody's:
`{jid: {subscription, ask, name, groups: {group: true}, approved}, False: {version, pending:
{jid: true | stanza}}}`; see xmpp/preserialize for the stanzas.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from gevent.lock import RLock

from prosody_py.hosts.subscriptions import State, normalize
from prosody_py.xmpp import jid as addresses
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.preserialize import deserialize, preserialize
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr

SUBSCRIPTIONS = ("none", "to", "from", "both")
MAX_PENDING = 1000         # requests that wait for one user
MAX_KEPT_STANZAS = 100     # so many of them are kept with what they say
MAX_KEPT_SIZE = 2048       # characters that such a one may have
_FIELDS = frozenset(("subscription", "ask", "name", "groups", "approved"))


class Contact(NamedTuple):
    """A contact to whom presence goes: its address, and that as a finished attribute."""

    jid: str
    host: str
    to: bytes  # b" to='juliet@example.com'"


class RosterItem:
    """One contact; `groups` has the group names as keys. Unknown stored fields are in `more`."""

    __slots__ = ("_subscription", "ask", "name", "groups", "approved", "more", "roster")

    def __init__(self, subscription: str = "none", ask: str | None = None, name: str | None = None,
                 groups: Iterable[str] = (), approved: bool = False,
                 more: dict[str, Any] | None = None):
        self.roster: Roster | None = None
        self._subscription = subscription
        self.ask = ask
        self.name = name
        self.groups: dict[str, bool] = dict.fromkeys(groups, True)
        self.approved = approved
        self.more = more

    @property
    def subscription(self) -> str:
        """One of "none", "to", "from" and "both"."""
        return self._subscription

    @subscription.setter
    def subscription(self, value: str) -> None:
        self._subscription = value
        if self.roster is not None:
            self.roster.forget_lists()

    @property
    def persist(self) -> bool:
        """Whether the item is stored; a module that adds items of its own says no."""
        return not self.more or self.more.get("persist") is not False

    @persist.setter
    def persist(self, value: bool) -> None:
        self.more = {**(self.more or {}), "persist": value}

    def copy(self) -> RosterItem:
        """Return an equal item that belongs to no roster."""
        return RosterItem(self._subscription, self.ask, self.name, self.groups, self.approved,
                          dict(self.more) if self.more else None)

    def to_stored(self) -> dict[str, Any]:
        """Return the item as it is stored."""
        stored: dict[str, Any] = {"subscription": self._subscription}
        if self.ask:
            stored["ask"] = self.ask
        if self.name:
            stored["name"] = self.name
        stored["groups"] = {group: True for group, wanted in self.groups.items() if wanted}
        if self.approved:
            stored["approved"] = True
        if self.more:
            stored.update({key: value for key, value in self.more.items() if key != "persist"})
        return stored

    @classmethod
    def from_stored(cls, stored: Mapping[Any, Any]) -> RosterItem:
        """Return the item that stored data means; what makes no sense is left out."""
        get = stored.get
        subscription, name, groups = get("subscription"), get("name"), get("groups")
        if isinstance(groups, Mapping):
            groups = [group for group, wanted in groups.items() if wanted and type(group) is str]
        more = {key: value for key, value in stored.items()
                if isinstance(key, str) and key not in _FIELDS}
        return cls(subscription if subscription in SUBSCRIPTIONS else "none",
                   "subscribe" if get("ask") == "subscribe" else None,
                   name if isinstance(name, str) and name else None,
                   groups if isinstance(groups, list) else (),
                   bool(get("approved")), more or None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RosterItem) and self.to_stored() == other.to_stored()

    __hash__ = None

    def __repr__(self) -> str:
        return f"<RosterItem {self.to_stored()}>"


class Roster(MutableMapping):
    """All contacts of one user, shared by the user's sessions.

    `version` is a number that grows with each change, or True for a roster that has no versions
    because modules add to it.
    `pending` maps the bare JIDs of those who wait for the user's approval to the request, or to
    True. `lock` is held by who changes the roster, while the change is written.
    """

    def __init__(self, username: str, host: str):
        self.username = username
        self.host = host
        self.jid = f"{username}@{host}"
        self.version: int | bool = 0
        self.pending: dict[str, Stanza | bool] = {}
        self.metadata: dict[str, Any] = {}  # further stored fields of the key False
        self.counter = 0    # the version as it is stored, also while `version` is True
        self.lock = RLock()
        self.filled = False  # stored data has been read
        self.loaded = False  # and those who add to it have done so
        self._items: dict[str, RosterItem] = {}
        self._subscribers: tuple[Contact, ...] | None = None
        self._subscribed_to: tuple[Contact, ...] | None = None

    # -- the mapping -----------------------------------------------------------------------

    def __getitem__(self, jid: str) -> RosterItem:
        return self._items[jid]

    def __setitem__(self, jid: str, item: RosterItem | Mapping[str, Any]) -> None:
        if not isinstance(item, RosterItem):
            item = RosterItem.from_stored(item)
        item.roster = self
        self._items[jid] = item
        self.forget_lists()

    def __delitem__(self, jid: str) -> None:
        del self._items[jid]
        self.forget_lists()

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, jid: object) -> bool:
        return jid in self._items

    __eq__ = object.__eq__  # a roster is one thing that changes, not a value
    __hash__ = object.__hash__

    def get(self, jid: str, default: Any = None) -> Any:
        """Return a contact's item, None for who is no contact."""
        return self._items.get(jid, default)

    # -- subscriptions ---------------------------------------------------------------------

    def state(self, jid: str) -> State:
        """Return the state of the subscriptions between the user and a bare JID."""
        item = self._items.get(jid)
        pending_in = jid in self.pending
        if item is None:
            return State("none", False, pending_in)
        return normalize(State(item.subscription, bool(item.ask), pending_in))

    def is_contact_subscribed(self, jid: str) -> bool:
        """Whether a bare JID gets the user's presence; the user's own always does."""
        item = self._items.get(jid)
        return jid == self.jid if item is None else item.subscription in ("from", "both")

    def is_user_subscribed(self, jid: str) -> bool:
        """Whether the user gets the presence of a bare JID; of the own one always."""
        item = self._items.get(jid)
        return jid == self.jid if item is None else item.subscription in ("to", "both")

    @property
    def subscribers(self) -> tuple[Contact, ...]:
        """Those who get the user's presence."""
        if self._subscribers is None:
            self._subscribers = self._contacts(("from", "both"))
        return self._subscribers

    @property
    def subscribed_to(self) -> tuple[Contact, ...]:
        """Those whose presence the user gets."""
        if self._subscribed_to is None:
            self._subscribed_to = self._contacts(("to", "both"))
        return self._subscribed_to

    def _contacts(self, subscriptions: tuple[str, str]) -> tuple[Contact, ...]:
        return tuple([
            Contact(jid, addresses.host(jid) or "", f" to='{escape_attr(jid)}'".encode())
            for jid, item in self._items.items() if item.subscription in subscriptions])

    def forget_lists(self) -> None:
        """Make `subscribers` and `subscribed_to` anew when they are next wanted."""
        self._subscribers = self._subscribed_to = None

    def keep_request(self, jid: str, request: Stanza | None) -> Stanza | bool:
        """Return what is kept of a request: the stanza if there is room, else True."""
        if (request is None or len(self.pending) >= MAX_KEPT_STANZAS
                or len(str(request)) > MAX_KEPT_SIZE):
            return True
        try:
            preserialize(request)
        except StanzaError:  # nested too deeply for a store
            return True
        return request

    # -- stored form -----------------------------------------------------------------------

    def fill(self, stored: Any) -> None:
        """Take over stored data; what makes no sense is left out."""
        stored = stored if isinstance(stored, Mapping) else {}
        metadata = stored.get(False)
        metadata = dict(metadata) if isinstance(metadata, Mapping) else {}
        version, pending = metadata.pop("version", 0), metadata.pop("pending", None)
        if isinstance(version, bool):
            version = 0
        if isinstance(version, int | float) and 0 <= version < 2**53:
            self.version = self.counter = int(version)
        self.metadata = metadata
        legacy = stored.get("pending")
        legacy = legacy if isinstance(legacy, Mapping) and "subscription" not in legacy else None
        for requests in (legacy, pending):
            if isinstance(requests, Mapping):
                self.pending.update({jid: deserialize(value) or True for jid, value
                                     in requests.items() if isinstance(jid, str) and value})
        for jid, item in stored.items():
            if (isinstance(jid, str) and isinstance(item, Mapping) and item is not legacy
                    and jid != self.jid):
                self[jid] = RosterItem.from_stored(item)
        self.filled = True

    def metadata_to_stored(self, counter: int | None = None,
                           pending: Mapping[str, Stanza | bool] | None = None) -> dict[str, Any]:
        """Return what is stored under the key False, by default as things are."""
        stored = {**self.metadata, "version": self.counter if counter is None else counter}
        pending = self.pending if pending is None else pending
        # Also when it is empty: who else reads the roster goes through it unasked.
        stored["pending"] = {
            jid: preserialize(request) if isinstance(request, Stanza) else True
            for jid, request in pending.items()}
        return stored

    def next_counter(self) -> int:
        """Return the number of the next version.

        The first one is the time: an account that is removed and made again must not come to a
        version that a client has kept of the old roster.
        """
        return self.counter + 1 if self.counter else int(time.time())

    def take_over(self, counter: int, jid: str, item: RosterItem | None,
                  pending: dict[str, Stanza | bool]) -> None:
        """Make a change that has been stored."""
        self.counter = counter
        if self.version is not True:
            self.version = counter
        self.pending = pending
        if item is not None:
            self[jid] = item
        elif jid in self._items:
            del self[jid]

    def to_stored(self) -> dict[Any, Any]:
        """Return the whole roster as it is stored."""
        stored: dict[Any, Any] = {jid: item.to_stored() for jid, item in self._items.items()
                                  if item.persist}
        stored[False] = self.metadata_to_stored()
        return stored

    def __repr__(self) -> str:
        return f"<Roster of {self.jid}: {len(self._items)} items>"
