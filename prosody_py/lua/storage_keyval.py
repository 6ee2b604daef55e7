"""Key-value stores of a storage driver in Lua (interface.Keyval, Map, KeyvalPlus)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prosody_py.lua.storage_table import LuaTable
from prosody_py.storage.interface import REMOVE, Key, StorageError
from prosody_py.storage.values import is_removal
from prosody_py.storage.views import owner


def _user(user: str | None) -> str | None:
    owner(user)  # raises for what is no user
    return user


def as_mapping(value: Any) -> dict[Key, Any]:
    """Return a user's value by key, a new dict; what is no table has no keys."""
    if isinstance(value, list):
        return dict(enumerate(value, 1))
    return dict(value) if isinstance(value, dict) else {}


class LuaKeyval:
    """Kind "keyval"."""

    def __init__(self, table: LuaTable):
        self.table = table

    def get(self, user: str | None) -> Any:
        """Return the user's value, None when there is none."""
        with self.table.lock(_user(user)):
            return self.table.read("get", user)

    def set(self, user: str | None, value: Any) -> None:
        """Replace the user's value; None or an empty dict deletes it."""
        with self.table.lock(_user(user)):
            self.table.write("set", user, value)

    def users(self) -> Iterable[str]:
        """Return the users who have a value."""
        result = self.table.call("users")
        self.table.check("users", result)
        return self.table.names(result)


class LuaMap:
    """Kind "map", of a driver that has it; `suffix` is "_key" for one of the kind "keyval+"."""

    remove = REMOVE

    def __init__(self, table: LuaTable, suffix: str = ""):
        self.table, self._suffix = table, suffix

    def get(self, user: str | None, key: Key) -> Any:
        """Return what is under `key`, None when there is nothing."""
        with self.table.lock(_user(user)):
            return self.table.read("get" + self._suffix, user, key)

    def set(self, user: str | None, key: Key, value: Any) -> None:
        """Replace what is under `key`; None deletes it."""
        with self.table.lock(_user(user)):
            self.table.write("set" + self._suffix, user, key, value)

    def set_keys(self, user: str | None, changes: Mapping[Key, Any]) -> None:
        """Replace or (with REMOVE) delete several keys."""
        if not changes:
            return
        with self.table.lock(_user(user)):
            if self.table.has("set_keys"):
                mark = self.table.table.get("remove")
                self.table.write("set_keys", user, {
                    key: mark if is_removal(value) else value for key, value in changes.items()})
            else:
                for key, value in changes.items():
                    self.set(user, key, None if is_removal(value) else value)

    def get_all(self, key: Key) -> dict[str, Any]:
        """Return {user: what is under `key`} of all users who have it."""
        name = "get_key_from_all" if self._suffix else "get_all"
        return as_mapping(self.table.read(name, key))

    def delete_all(self, key: Key) -> None:
        """Delete `key` of all users."""
        self.table.write("delete_key_from_all" if self._suffix else "delete_all", key)


class KeyvalMap:
    """Kind "map" on the store of a driver that has only whole values."""

    remove = REMOVE

    def __init__(self, keyval: LuaKeyval):
        self._keyval = keyval
        self.table = keyval.table

    def get(self, user: str | None, key: Key) -> Any:
        """Return what is under `key`, None when there is nothing."""
        return as_mapping(self._keyval.get(user)).get(key)

    def set(self, user: str | None, key: Key, value: Any) -> None:
        """Replace what is under `key`; None deletes it."""
        self.set_keys(user, {key: value})

    def set_keys(self, user: str | None, changes: Mapping[Key, Any]) -> None:
        """Replace or (with REMOVE) delete several keys, all or none of them."""
        if not changes:
            return
        with self.table.lock(_user(user)):
            value = as_mapping(self._keyval.get(user))
            for key, item in changes.items():
                if is_removal(item):
                    value.pop(key, None)
                else:
                    value[key] = item
            self._keyval.set(user, value or None)

    def get_all(self, key: Key) -> dict[str, Any]:
        """Return {user: what is under `key`} of all users who have it."""
        found = ((user, self.get(user, key)) for user in list(self._keyval.users()))
        return {user: value for user, value in found if value is not None}

    def delete_all(self, key: Key) -> None:
        """Delete `key` of all users."""
        for user in list(self._keyval.users()):
            self.set_keys(user, {key: REMOVE})


class LuaKeyvalPlus(LuaKeyval):
    """Kind "keyval+": whole values, and their keys through a store of the kind "map"."""

    remove = REMOVE

    def __init__(self, table: LuaTable, keys: LuaMap | KeyvalMap):
        super().__init__(table)
        self.get_key, self.set_key, self.set_keys = keys.get, keys.set, keys.set_keys
        self._keys = keys

    def items(self) -> Iterator[tuple[str, Any]]:
        """Return (user, value) of all users."""
        if self.table.has("items"):
            result = self.table.call("items")
            self.table.check("items", result)
            border = self.table.border
            pairs = self.table.iterate(result, lambda step: (
                border.to_python(step[0]),
                border.copy_to_python(step[1]) if len(step) > 1 else None))
            return (pair for pair in pairs if isinstance(pair[0], str) and pair[0])
        return ((user, self.get(user)) for user in list(self.users()))

    def get_key_from_all(self, key: Key) -> dict[str, Any]:
        """As Map.get_all."""
        return self._from_all("get_all", key)

    def delete_key_from_all(self, key: Key) -> None:
        """As Map.delete_all."""
        self._from_all("delete_all", key)

    def _from_all(self, name: str, key: Key) -> Any:
        try:
            return getattr(self._keys, name)(key)
        except StorageError as error:
            if error.condition != "feature-not-implemented":
                raise
        return getattr(KeyvalMap(LuaKeyval(self.table)), name)(key)
