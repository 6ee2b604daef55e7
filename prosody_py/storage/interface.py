"""What a store can do. The kinds and their semantics are those of Prosody's storage API.

A call looks blocking: it returns when the answer is there, and other greenlets run meanwhile.
A write returns after it is durable. What a read returns belongs to the caller, who may change
it freely. A `user` of None means data of the host itself; it is never among `users()`.

Values of key-value stores are None, bool, int, float, str (also with lone surrogates, so bytes
decoded with "surrogateescape" are safe), lists of these and dicts whose keys are str, bool, int
or float. A None on the top level of a dict is the same as a missing key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from prosody_py.xmpp.stanza import Stanza

Kind = Literal["keyval", "map", "keyval+", "archive"]
Key = str | bool | int | float
ArchiveItem = tuple[str, Stanza, float, str]  # id, value, when (seconds since 1970, UTC), with


class StorageError(Exception):
    """A store could not do what it was asked.

    Args:
        condition: a defined condition as in stanza errors ("item-not-found", "quota-limit",
            "bad-request", "policy-violation", "resource-constraint", "internal-server-error").
        text: for the log and the administrator; never holds stored data.
    """

    def __init__(self, condition: str, text: str = ""):
        super().__init__(text or condition)
        self.condition = condition


class CountedTooMuch(StorageError):
    """A write would make what is counted for a user more than it may be; nothing has changed.

    As the error of a stanza's handler it is an answer, not a failure.
    """

    def __init__(self, text: str = ""):
        super().__init__("resource-constraint", text)


class UnsupportedStore(StorageError):
    """The driver has no store of this kind; another driver may have."""

    def __init__(self, text: str):
        super().__init__("unsupported-store", text)


class _Remove:
    """The type of `REMOVE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "REMOVE"


#: As a value in `set_keys`: take this key away.
REMOVE = _Remove()


class Keyval(Protocol):
    """One value for each user."""

    def get(self, user: str | None) -> Any:
        """Return the user's value, None when there is none."""

    def set(self, user: str | None, value: Any) -> None:
        """Replace the user's value; None or an empty dict deletes it."""

    def users(self) -> Iterable[str]:
        """Return the users who have a value, in no particular order."""


class Map(Protocol):
    """The same data as Keyval, seen as a dict for each user, of which one key is touched."""

    remove: _Remove

    def get(self, user: str | None, key: Key) -> Any:
        """Return what is under `key`, None when there is nothing."""

    def set(self, user: str | None, key: Key, value: Any) -> None:
        """Replace what is under `key`; None deletes it."""

    def set_keys(self, user: str | None, changes: Mapping[Key, Any]) -> None:
        """Replace or (with REMOVE) delete several keys, all or none of them."""

    def get_all(self, key: Key) -> dict[str, Any]:
        """Return {user: what is under `key`} of all users who have it."""

    def delete_all(self, key: Key) -> None:
        """Delete `key` of all users."""


class KeyvalPlus(Keyval, Protocol):
    """Keyval and Map in one object ("keyval+")."""

    remove: _Remove

    def get_key(self, user: str | None, key: Key) -> Any:
        """As Map.get."""

    def set_key(self, user: str | None, key: Key, value: Any) -> None:
        """As Map.set."""

    def set_keys(self, user: str | None, changes: Mapping[Key, Any]) -> None:
        """As Map.set_keys."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return (user, value) of all users."""

    def get_key_from_all(self, key: Key) -> dict[str, Any]:
        """As Map.get_all."""

    def delete_key_from_all(self, key: Key) -> None:
        """As Map.delete_all."""


class Archive(Protocol):
    """Stanzas of a user in order of time; equal times in order of arrival.

    A query is a dict (or None for everything) with any of: `start`, `end` (seconds, inclusive),
    `with`, `key` (one id), `ids` (several), `before`, `after` (an id each, or a list of ids that
    all count; exclusive, both allowed together), `limit`, `reverse` (newest first), `total` (count
    what matches, whatever `before`, `after` and `limit` say), and for `delete` also `truncate`
    (keep so many of the newest). `find` also takes `fulltext` where `caps` says so, see
    `index_words`.
    Times are kept to a microsecond.
    """

    #: What is supported: total, quota (items a user may have, or False), truncate,
    #: full_id_range, ids, wildcard_delete, fulltext.
    caps: dict[str, Any]

    def append(self, user: str | None, key: str | None, value: Stanza, when: float,
               with_: str) -> str:
        """Add an item and return its id, which is `key` or else a new one.

        An item with the same key is replaced. Raises StorageError "quota-limit" when the user
        has as many items as allowed.
        """

    def begin_append(self, user: str | None, key: str | None, value: Stanza, when: float,
                     with_: str) -> tuple[str, Callable[[], None]]:
        """Begin to add an item; return its id, and a function that waits until it is durable.

        That function is called at most once, and raises what `append` would. An append that is
        called (or begun) later is not done earlier. Drivers in Lua do not have this.
        """

    def append_all(self, user: str | None,
                   items: Sequence[tuple[str, Stanza, float, str]]) -> None:
        """Add (key, value, when, with) items, all or none of them, each as `append`.

        Raises StorageError "quota-limit" when they are more than the user may still have. Drivers
        in Lua do not have this.
        """

    def index_words(self, wanted: bool) -> bool:
        """Keep an index of the texts of messages, or none; return whether there is one.

        With it `find` takes `fulltext` (prosody_py.storage.words says what it means). What is
        in the store already is indexed in the background. Drivers in Lua do not have this.
        """

    def index_ids(self) -> None:
        """Keep an index of the ids that messages are sent with, so that `said` finds them.

        What is in the store already is not indexed. Drivers in Lua do not have this.
        """

    def said(self, user: str | None, with_: str, id: str) -> list[ArchiveItem]:
        """Return messages with somebody that were sent with an id, the newest few first.

        Other messages are not read for that. A driver may look at so many messages with somebody
        only as nobody ever exchanges (100,000). Drivers in Lua do not have this.
        """

    def limit_items(self, limit: int | None) -> None:
        """Let each user have so many items in this store, None for no limit.

        A new item then takes the place of the oldest. Drivers in Lua do not have this.
        """

    def find(self, user: str | None, query: Mapping[str, Any] | None = None,
             ) -> tuple[Iterator[ArchiveItem], int | None]:
        """Return the matching items, and their number if the query asks for `total`.

        Items are fetched in pages while the iterator moves. Raises StorageError
        "item-not-found" when `before` or `after` is not an id of this archive.
        """

    def get(self, user: str | None, key: str) -> tuple[Stanza, float, str] | None:
        """Return (value, when, with) of one item, None when there is none."""

    def set(self, user: str | None, key: str, value: Stanza, when: float | None = None,
            with_: str | None = None) -> None:
        """Replace an item; `when` and `with_` stay as they are if None.

        Raises StorageError "item-not-found".
        """

    def delete(self, user: str | Literal[True] | None,
               query: Mapping[str, Any] | None = None) -> int:
        """Delete what matches and return how many it was; a `user` of True means everybody."""

    def summary(self, user: str | None,
                query: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
        """Return {"counts", "earliest", "latest", "body"}, each a dict by `with`.

        `body` is the text of the newest message that has one.
        """

    def dates(self, user: str | None) -> list[str]:
        """Return the days (UTC, "YYYY-MM-DD") on which there are items."""

    def users(self) -> Iterable[str]:
        """Return the users who have items."""


class Storage(Protocol):
    """What a driver wraps: one place where stores are kept."""

    def open(self, host: str, store: str, kind: str) -> Any:
        """Return a Keyval, Map, KeyvalPlus or Archive; raises UnsupportedStore."""

    def open_counted(self, host: str, store: str, kind: str, counter: str,
                     limit: Callable[[], int | None], made_up: bool = False) -> Any:
        """Return a store whose bytes are counted for each user, with others of this counter.

        A write through it that makes more than `limit()` of them raises CountedTooMuch.
        `counted(user)` of the store is how many there are. A name that users have `made_up`
        leaves nothing when the store is empty. Drivers in Lua do not have this.
        """

    def stores(self, host: str, user: str | None | Literal[True] = True) -> list[str]:
        """Return the names of the stores in which the user (True: anybody) has data."""

    def purge(self, host: str, user: str) -> None:
        """Delete what a user has in all stores of the host."""

    def close(self) -> None:
        """Finish what was begun and let go of the place; more calls raise StorageError."""
