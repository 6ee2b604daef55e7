"""Stores as Lua modules know them: called with a colon, data copied, `nil, error` on failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import time
from typing import Any

from prosody_py.storage.interface import REMOVE, StorageError

_METHODS = {
    "keyval": ("get", "set", "users"),
    "map": ("get", "set", "set_keys", "get_all", "delete_all", "users"),
    "keyval+": ("get", "set", "users", "items", "get_key", "set_key", "set_keys",
                "get_key_from_all", "delete_key_from_all"),
    "archive": ("append", "find", "get", "set", "delete", "summary", "dates", "users"),
}
KINDS = tuple(_METHODS)
# How many arguments an operation has at least: those that Lua leaves out at the end are nil.
_LEAST = {
    "keyval": {"get": 1, "set": 2},
    "map": {"get": 2, "set": 3, "get_all": 1, "delete_all": 1},
    "keyval+": {"get": 1, "set": 2, "get_key": 2, "set_key": 3},
    "archive": {"find": 1, "get": 2, "delete": 1, "summary": 1, "dates": 1},
}
_WRITES = frozenset(("set", "set_keys", "set_key", "delete_all", "delete_key_from_all"))


class NoDataStorage(StorageError):
    """There is no store behind a store."""

    reason = "no data storage active"

    def __init__(self) -> None:
        super().__init__("service-unavailable", self.reason)


class NoStore:
    """What a Lua module gets for a kind of store that the driver does not have: it refuses."""

    caps: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._refuse

    @staticmethod
    def _refuse(*_args: Any) -> Any:
        raise NoDataStorage


class LuaStore:
    """One open store; its methods are requests."""

    def __init__(self, border, store: Any, kind: str):
        self.border, self.store, self.kind = border, store, kind

    @property
    def methods(self) -> list[str]:
        """The names that the store has in Lua."""
        return [name for name in _METHODS[self.kind] if hasattr(self.store, name)]

    def caps(self) -> Any:
        """Return the table of what an archive supports, None for other stores."""
        return self.border.copy_to_lua(self.store.caps) if self.kind == "archive" else None

    def call(self, raw_name: bytes, *raw: Any) -> Any:
        """Serve a request: run one operation."""
        name = raw_name.decode()
        try:
            left_out = _LEAST[self.kind].get(name, 0) - len(raw)
            arguments = [*map(self._argument, raw), *([None] * left_out)]
            if name == "append":
                arguments = _item(*arguments)
            result = getattr(self.store, name)(*arguments)
        except StorageError as error:
            return None, self.border.to_lua(getattr(error, "reason", error.condition))
        except ValueError as error:  # data that cannot be stored
            return None, self.border.to_lua(str(error))
        if name in _WRITES:
            return True
        if name in ("users", "items"):
            return self._iterator(result)
        if name == "find":
            items, total = result
            return self._iterator((*item[:3], item[3] or None) for item in items), total
        if self.kind == "archive" and name == "get":
            if result is None:
                return None, b"item-not-found"
            value, when, with_ = result
            return self.border.to_lua(value), when, self.border.to_lua(with_ or None)
        return self.border.copy_to_lua(result)

    def _argument(self, raw: Any) -> Any:
        value = self.border.copy_to_python(raw)
        if isinstance(value, dict):
            return {key: REMOVE if item is self.border.remove_mark else item
                    for key, item in value.items()}
        return value

    def _iterator(self, items: Iterable[Any]) -> Any:
        return self.border.to_lua(_stepper(self.border, iter(items)))


def _item(user: Any, key: Any, value: Any, when: float | None = None,
          with_: str | None = None) -> tuple:
    """Return the arguments of `append`: no time means now, and nobody is kept as ""."""
    return user, key, value, time() if when is None else when, with_ or ""


def _stepper(border, items: Iterator[Any]) -> Callable[[], Any]:
    """Return a function that gives the next item; as a request, for it may read on."""

    def step(*_state: Any) -> Any:
        for item in items:
            if type(item) is tuple:
                return tuple(Ready(border.copy_to_lua(part)) for part in item)
            return Ready(border.copy_to_lua(item))
        return None

    return step


class Ready:
    """A value that is in its Lua form already."""

    __slots__ = ("raw",)

    def __init__(self, raw: Any):
        self.raw = raw

    def lua_face(self, _border) -> Any:
        """Return the value."""
        return self.raw
