"""Decorators that mark functions of a Python module. Marking does nothing; the loader acts on it.

A marked function stays a plain function and is called as `function(module, event)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MARK = "__prosody_marks__"


class HookMark:
    """`function` handles an event of the host, of the server (`on="global"`)."""

    def __init__(self, event: str, priority: float, on: str):
        self.event, self.priority, self.on = event, priority, on


class IqMark:
    """`function` answers an iq; see `iq`."""

    def __init__(self, type: str, xmlns: str, name: str, to: tuple[str, ...], priority: float):
        self.type, self.xmlns, self.name, self.to = type, xmlns, name, to
        self.priority = priority


def _mark(function: Callable, mark: Any) -> Callable:
    marks = getattr(function, MARK, ())
    setattr(function, MARK, (*marks, mark))
    return function


def hook(event: str, *, priority: float = 0, on: str = "host") -> Callable:
    """Mark `function(module, event)` as a handler of `event`.

    Higher priority runs first (default 0). A result that is not None ends the event. `on` is
    "host" (the module's own host; for a global module the server) or "global".
    """
    return lambda function: _mark(function, HookMark(event, priority, on))


def iq(type: str, xmlns: str, name: str, *, to: tuple[str, ...] | str = ("host",),
       priority: float = 0) -> Callable:
    """Mark `function(module, event)` as what answers an iq.

    `type` is "get" or "set", `xmlns` and `name` are those of the child, `to` names the addresses:
    "host", "bare" (an account's) or "self" (the sender's own account). The function returns the
    payload of the result (a Stanza), a whole iq, None for an empty result, or PASS to leave it to
    others; it raises StanzaError for an error.
    """
    targets = (to,) if isinstance(to, str) else tuple(to)
    return lambda function: _mark(function, IqMark(type, xmlns, name, targets, priority))


class _Pass:
    def __repr__(self) -> str:
        return "PASS"


PASS = _Pass()
"""What an @iq function returns to say that it has not answered."""
