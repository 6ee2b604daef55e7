"""Entries into Lua. What may block runs here, with no Lua frame below it.

A greenlet must not be switched while Lua is on its C stack. So each entry is a Lua coroutine of a
pool (border/scheduler.lua); a Python function that may block is a *request*: Lua yields it, the
driver calls it and resumes Lua with what it has returned or raised.
"""

from __future__ import annotations

import re
from time import perf_counter
from typing import Any

REQUEST, FAILED = 1, 2
_PLACE = re.compile(r"\S+:\d+: ")
_FRAME = re.compile(r"^\t((?:/|\.\.\.).+?:\d+):", re.MULTILINE)  # a file, not one of ours
_NEARLY_FULL = 0.95
_NO_MEMORY = "not enough memory"
_TOO_DEEP = "maximum recursion depth exceeded"  # Python's words, when they come through Lua


class ScriptError(Exception):
    """An error in Lua code.

    `raw` is the error value as lupa has it; `lua_traceback` the text of Lua's own traceback.
    """

    def __init__(self, text: str, raw: Any, lua_traceback: str):
        super().__init__(text)
        self.raw = raw
        self.lua_traceback = lua_traceback


class Driver:
    """Runs Lua functions for one border; `call` may block, `plain_call` never does."""

    def __init__(self, border, scheduler: Any):
        self.border = border
        self.enter = self.guarded(scheduler[b"enter"])
        self._resume = self.guarded(scheduler[b"resume"])
        self._abandon, self._recover = scheduler[b"abandon"], scheduler[b"recover"]
        self._collect = scheduler[b"collect"]

    def guarded(self, function: Any) -> Any:
        """Return an entry function that respects the limit of memory, if there is one.

        The limit holds only while Lua code runs: lupa itself cannot bear to run out of memory.
        """
        border = self.border
        limit, set_limit = border.memory_limit, border.lua.set_max_memory
        if not limit:
            return function

        def call(*args: Any) -> Any:
            if border.lua.get_memory_used(total=True) > limit * _NEARLY_FULL:
                self._make_room(limit)
            set_limit(limit, total=True)
            try:
                return function(*args)
            except border.lua_error as error:
                set_limit(0)
                self._recover()
                text = str(error) or _NO_MEMORY
                raise ScriptError(text, text.encode(), "") from None
            finally:
                set_limit(0)

        return call

    def _make_room(self, limit: int) -> None:
        """Collect garbage; raise ScriptError when what is left is still nearly the limit.

        At the limit each allocation would collect everything first, which takes for ever.
        """
        border = self.border
        self._collect()
        used = border.lua.get_memory_used(total=True)
        if used > limit * _NEARLY_FULL:
            text = (f"Lua modules hold {used / 1e6:.1f} MB of the {limit / 1e6:.1f} MB of "
                    "lua_memory_limit; unload the module that keeps so much, or raise the limit")
            raise ScriptError(text, text.encode(), "")

    def call(self, function: Any, *args: Any) -> Any:
        """Call a Lua function with Lua values; return its value, or a tuple of several.

        Raises ScriptError. May switch greenlets, so never call it below a Lua frame unless the
        function makes no requests (then a request is an error inside Lua).
        """
        self.border.epoch += 1
        result = self.enter(function, *args)
        return self.work(result) if type(result) is tuple else result

    def measured(self, effort: Any, function: Any, *args: Any) -> Any:
        """As `call`, for code of a module: its time goes to the module's Effort, if not None."""
        border = self.border
        border.epoch += 1
        account = border.account
        below, account.effort = account.effort, effort
        start = perf_counter()
        try:
            result = self.enter(function, *args)
        except BaseException:
            account.effort = below
            raise
        if type(result) is tuple:
            return self.work(result, effort, start, below)
        account.effort = below
        if effort is not None:
            effort.note(perf_counter() - start)
        return result

    def plain_call(self, function: Any, *args: Any) -> Any:
        """Call a function of the border itself; an error in it is a ValueError."""
        try:
            return function(*args)
        except self.border.lua_error as error:
            raise ValueError(str(error).partition("\nstack traceback:")[0]) from None

    def work(self, result: tuple, effort: Any = None, start: float = 0.0,
             below: Any = None) -> Any:
        """Serve requests until the entry has ended; take what `enter` has returned.

        `effort` gets the time since `start` (of `perf_counter`) without that of the requests.
        `below` is the Effort of the entry around this one; who makes requests has none around it.
        """
        border, account = self.border, self.border.account
        seconds = perf_counter() - start
        try:
            while result[0] == REQUEST:
                below = answer = None
                slot = result[1]
                try:
                    answer = result[2](*result[3:])
                except RecursionError:
                    self._abandon(slot)
                    raise
                except Exception as error:
                    values = (False, border.error_to_lua(error))
                except BaseException:  # the greenlet is being killed
                    self._abandon(slot)
                    raise
                else:
                    values = (True, *answer) if type(answer) is tuple else (True, answer)
                answer = None
                border.epoch += 1
                account.effort = effort
                start = perf_counter()
                result = self._resume(slot, *values)
                seconds += perf_counter() - start
                if type(result) is not tuple:
                    return result
        finally:
            if effort is not None:
                account.effort = below
                effort.note(seconds)
        if result[0] == FAILED:
            raise self._error(result[1], result[2])
        return result[1:]

    def _error(self, raw: Any, traceback: Any) -> Exception:
        border = self.border
        traceback = traceback.decode("utf-8", "replace") if type(traceback) is bytes else ""
        value = border.to_python(raw)
        if isinstance(value, border.carried_errors):
            return value
        text = border.describe_error(value)
        if _TOO_DEEP in text:
            return RecursionError(text)
        text = _located(text, traceback)
        if text == _NO_MEMORY:
            text += f": the limit is lua_memory_limit, {border.memory_limit / 1e6:.1f} MB"
        return ScriptError(text, raw, traceback if text in traceback else f"{text}\n{traceback}")


def _located(text: str, traceback: str) -> str:
    """Return a text that begins with file and line: those of the module, if it has none."""
    if _PLACE.match(text):
        return text
    place = _FRAME.search(traceback)
    return f"{place[1]}: {text}" if place else text
