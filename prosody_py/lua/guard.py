"""A watch for tests: no greenlet may be switched while a Lua frame is on its C stack.

Switching there corrupts Lua, mostly without a trace at the place where it happens. With the guard
installed, every Python function that Lua calls is counted while it runs, per greenlet, and a
switch out of a greenlet that is inside one is reported.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import greenlet

_under_lua: dict[Any, list[str]] = {}  # greenlet -> functions that Lua has called
_violations: list[str] = []
_installed = False


class SwitchedUnderLua(AssertionError):
    """A greenlet has been switched with a Lua frame below."""


def install() -> None:
    """Begin to watch; runtimes made afterwards are covered. May be called again."""
    global _installed
    _installed = True
    greenlet.settrace(_trace)


def uninstall() -> None:
    """Stop watching."""
    global _installed
    _installed = False
    greenlet.settrace(None)
    _under_lua.clear()
    _violations.clear()


def check() -> None:
    """Raise SwitchedUnderLua for what has been seen since the last check."""
    seen = _violations[:]
    _violations.clear()
    if seen:
        raise SwitchedUnderLua("\n".join(seen))


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which Lua will call, as the guard wants to have it."""
    if not _installed:
        return function

    def call(*args: Any) -> Any:
        me = greenlet.getcurrent()
        calls = _under_lua.setdefault(me, [])
        calls.append(getattr(function, "__qualname__", repr(function)))
        try:
            return function(*args)
        finally:
            calls.pop()
            if not calls:
                _under_lua.pop(me, None)

    return call


def _trace(event: str, args: Any) -> None:
    if event in ("switch", "throw"):
        origin, _target = args
        if calls := _under_lua.get(origin):
            stack = traceback.format_stack(origin.gr_frame, limit=12)
            _violations.append(f"under Lua, in {' / '.join(calls)}:\n{''.join(stack)}")
