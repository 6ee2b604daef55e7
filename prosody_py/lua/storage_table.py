"""Calls of what a storage driver in Lua has made: one user at a time, errors by name.

Such a driver expects that nothing else happens between two steps of its own: it reads a file,
changes what it has read, writes it. Here it may wait in between. So what concerns one user runs
one call at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

from gevent.lock import RLock

from prosody_py.lua.driver import ScriptError
from prosody_py.lua.references import LuaCallable, LuaData
from prosody_py.storage.interface import StorageError

log = logging.getLogger("lua")

_CONDITIONS = frozenset((
    "bad-request", "conflict", "feature-not-implemented", "forbidden", "internal-server-error",
    "item-not-found", "jid-malformed", "not-acceptable", "not-allowed", "not-authorized",
    "policy-violation", "quota-limit", "recipient-unavailable", "redirect",
    "registration-required", "remote-server-not-found", "remote-server-timeout",
    "resource-constraint", "service-unavailable", "subscription-required",
    "undefined-condition", "unexpected-request"))


class DriverError(StorageError):
    """A driver has answered nil and a reason; `reason` is that, as the driver has worded it."""

    def __init__(self, reason: str, text: str):
        known = reason if reason in _CONDITIONS else "internal-server-error"
        super().__init__(known, text)
        self.reason = reason


class LuaTable:
    """A table of functions that a driver has made, with the lock of each of its users."""

    def __init__(self, table: LuaData, title: str, locks: WeakValueDictionary[Any, RLock]):
        self.table, self.title, self._locks = table, title, locks
        self.border = table.border

    def has(self, name: str) -> bool:
        """Whether the driver has written this method."""
        return isinstance(self.table.get(name), LuaCallable)

    def lock(self, user: Any) -> RLock:
        """Return the lock of what concerns one user (None: the host)."""
        found = self._locks.get(user)
        if found is None:
            found = self._locks[user] = RLock()
        return found

    def call(self, name: str, *args: Any) -> tuple[Any, ...]:
        """Call a method; return its results as lupa has them, or raises StorageError."""
        function = self.table.get(name)
        if not isinstance(function, LuaCallable):
            raise StorageError("feature-not-implemented", f"{self.title} has no {name}")
        copy = self.border.copy_to_lua
        return self.run(function, self.table.raw, *map(copy, args))

    def run(self, function: LuaCallable, *raw: Any) -> tuple[Any, ...]:
        """Call a function with Lua values; an error in it is a StorageError."""
        try:
            result = self.border.driver.call(function.raw, *raw)
        except ScriptError as error:
            log.error("Error in %s: %s", self.title, error.lua_traceback or error)
            raise StorageError("internal-server-error", f"{self.title} has failed") from error
        return result if type(result) is tuple else (result,)

    def read(self, name: str, *args: Any) -> Any:
        """Call a method for its first result, copied; nil without a reason is None."""
        result = self.call(name, *args)
        self.check(name, result, nil_is_an_answer=True)
        return self.border.copy_to_python(result[0])

    def write(self, name: str, *args: Any) -> Any:
        """Call a method that answers true or something else that is not nil; return that."""
        result = self.call(name, *args)
        self.check(name, result)
        return self.border.to_python(result[0])

    def check(self, name: str, result: tuple[Any, ...], nil_is_an_answer: bool = False) -> None:
        """Raise DriverError for nil or false with a reason, or without where that says no."""
        if result[0] is not None and result[0] is not False:
            return
        reason = result[1] if len(result) > 1 else None
        if reason is None:
            if nil_is_an_answer:
                return
            reason = b"internal-server-error"
        text = self.border.describe_error(self.border.to_python(reason))
        raise DriverError(text, f"{self.title} has refused {name}: {text}")

    def iterate(self, result: tuple[Any, ...], convert: Callable[[Any], Any]) -> Iterator[Any]:
        """Go through what an iterator of Lua's gives: (function, state, first); or a list.

        `convert` takes the tuple of raw values of one step.
        """
        border = self.border
        step = border.to_python(result[0])
        if isinstance(step, LuaData):
            return iter([convert((border.to_lua(item),)) for item in step.copy()])
        if not isinstance(step, LuaCallable):
            return iter(())
        kept = [border.to_python(value) for value in result[1:3]] + [None, None]
        return self._steps(step, kept[0], kept[1], convert)

    def names(self, result: tuple[Any, ...]) -> Iterator[str]:
        """Go through the names that an iterator of Lua's gives; those of hosts are passed over.

        A driver may list the host's own data under an empty name, or under none that is text.
        """
        steps = self.iterate(result, lambda step: step[0])
        return (self.border.to_python(raw) for raw in steps if type(raw) is bytes and raw)

    def _steps(self, step: LuaCallable, state: Any, last: Any,
               convert: Callable[[Any], Any]) -> Iterator[Any]:
        border = self.border
        while True:
            result = self.run(step, border.to_lua(state), border.to_lua(last))
            if result[0] is None:
                return
            last = border.to_python(result[0])
            yield convert(result)
