"""Stores as Lua modules know them: called with a colon, data copied, `nil, error` on failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prosody_py.storage.interface import REMOVE, StorageError

_METHODS = {
    "keyval": ("get", "set", "users"),
    "map": ("get", "set", "set_keys", "get_all", "delete_all", "users"),
    "keyval+": ("get", "set", "users", "items", "get_key", "set_key", "set_keys",
                "get_key_from_all", "delete_key_from_all"),
    "archive": ("append", "find", "get", "set", "delete", "summary", "dates", "users"),
}
_WRITES = frozenset(("set", "set_keys", "set_key", "delete_all", "delete_key_from_all"))


class LuaStore:
    """One open store; its methods are requests."""

    def __init__(self, border, store: Any, kind: str):
        self.border, self.store, self.kind = border, store, kind

    @property
    def methods(self) -> list[str]:
        """The names that the store has in Lua."""
        return [name for name in _METHODS[self.kind] if hasattr(self.store, name)]

    def call(self, raw_name: bytes, *raw: Any) -> Any:
        """Serve a request: run one operation."""
        name = raw_name.decode()
        try:
            result = getattr(self.store, name)(*map(self._argument, raw))
        except StorageError as error:
            return None, self.border.to_lua(error.condition)
        except ValueError as error:  # data that cannot be stored
            return None, self.border.to_lua(str(error))
        if name in _WRITES:
            return True
        if name in ("users", "items"):
            return self._iterator(result)
        if name == "find":
            items, total = result
            return self._iterator(items), total
        if self.kind == "archive" and type(result) is tuple:
            value, when, with_ = result
            return self.border.to_lua(value), when, self.border.to_lua(with_)
        return self.border.copy_to_lua(result)

    def _argument(self, raw: Any) -> Any:
        value = self.border.copy_to_python(raw)
        if isinstance(value, dict):
            return {key: REMOVE if item is self.border.remove_mark else item
                    for key, item in value.items()}
        return value

    def _iterator(self, items: Iterable[Any]) -> Any:
        return self.border.to_lua(_stepper(self.border, iter(items)))


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
