"""The three kinds of key-value store, which are three views of the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from prosody_py.storage.interface import REMOVE, Key, StorageError


class Rows(Protocol):
    """The data of one store, as a backend keeps it; a user "" is the host."""

    def whole(self, user: str) -> Any:
        """Return all of a user's data, a new object."""

    def item(self, user: str, key: Key) -> Any:
        """Return what is under one key."""

    def replace(self, user: str, value: Any) -> None:
        """Replace all of a user's data."""

    def change(self, user: str, changes: Mapping[Key, Any]) -> None:
        """Replace or (REMOVE, None) delete single keys."""

    def users(self) -> Iterator[str]:
        """Iterate over the users that have data, without the host."""

    def items(self) -> Iterator[tuple[str, Any]]:
        """Iterate over (user, all data)."""

    def items_of(self, key: Key) -> Iterator[tuple[str, Any]]:
        """Iterate over (user, what is under the key)."""

    def remove_from_all(self, key: Key) -> None:
        """Delete one key of all users."""

    def counted(self, user: str) -> int:
        """Return the bytes that are counted for a user, 0 if none are."""


def owner(user: str | None) -> str:
    """Return how a user is kept; raises StorageError "bad-request"."""
    if user is None:
        return ""
    if not isinstance(user, str):
        raise StorageError("bad-request", f"a user in a store is text, not {type(user).__name__}")
    return user


class KeyvalView:
    """Kind "keyval" (interface.Keyval)."""

    def __init__(self, rows: Rows):
        self._rows = rows

    def get(self, user: str | None) -> Any:
        """Return the user's value, None when there is none."""
        return self._rows.whole(owner(user))

    def set(self, user: str | None, value: Any) -> None:
        """Replace the user's value; None or an empty dict deletes it."""
        self._rows.replace(owner(user), value)

    def users(self) -> Iterable[str]:
        """Return the users who have a value."""
        return self._rows.users()

    def counted(self, user: str | None) -> int:
        """Return the bytes that are counted for a user (interface.Storage.open_counted)."""
        return self._rows.counted(owner(user))


class MapView:
    """Kind "map" (interface.Map)."""

    remove = REMOVE

    def __init__(self, rows: Rows):
        self._rows = rows

    def get(self, user: str | None, key: Key) -> Any:
        """Return what is under `key`, None when there is nothing."""
        return self._rows.item(owner(user), key)

    def set(self, user: str | None, key: Key, value: Any) -> None:
        """Replace what is under `key`; None deletes it."""
        self._rows.change(owner(user), {key: value})

    def set_keys(self, user: str | None, changes: Mapping[Key, Any]) -> None:
        """Replace or (with REMOVE) delete several keys, all or none of them."""
        if changes:
            self._rows.change(owner(user), changes)

    def get_all(self, key: Key) -> dict[str, Any]:
        """Return {user: what is under `key`} of all users who have it."""
        return dict(self._rows.items_of(key))

    def delete_all(self, key: Key) -> None:
        """Delete `key` of all users."""
        self._rows.remove_from_all(key)

    def counted(self, user: str | None) -> int:
        """Return the bytes that are counted for a user (interface.Storage.open_counted)."""
        return self._rows.counted(owner(user))


class KeyvalPlusView(KeyvalView):
    """Kind "keyval+" (interface.KeyvalPlus)."""

    remove = REMOVE

    def __init__(self, rows: Rows):
        super().__init__(rows)
        view = MapView(rows)
        self.get_key = view.get
        self.set_key = view.set
        self.set_keys = view.set_keys
        self.get_key_from_all = view.get_all
        self.delete_key_from_all = view.delete_all

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return (user, value) of all users."""
        return self._rows.items()


VIEWS = {"keyval": KeyvalView, "map": MapView, "keyval+": KeyvalPlusView}
