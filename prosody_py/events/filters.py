"""Filters: functions that see, change or drop what goes through one session.

Kinds are those of Prosody: "stanzas/in", "stanzas/out" (an element each) and "bytes/in",
"bytes/out". A filter is `function(data, session) -> data | None`; None drops the data. A session
without filters has `session.filters = None` and pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Filter = Callable[[Any, Any], Any]
_session_hooks: list[Callable[[Any], Any]] = []


def initialize(session) -> None:
    """Let the filter hooks look at a new session (the session's maker calls this)."""
    for hook in list(_session_hooks):
        hook(session)


def add_filter_hook(hook: Callable[[Any], Any]) -> None:
    """Call `hook(session)` for every new session, so that it can add filters."""
    if hook not in _session_hooks:
        _session_hooks.append(hook)


def remove_filter_hook(hook: Callable[[Any], Any]) -> None:
    """Take away a hook added before."""
    if hook in _session_hooks:
        _session_hooks.remove(hook)


def add_filter(session, kind: str, function: Filter, priority: float = 0) -> None:
    """Add a filter to one session; higher priority sees the data first."""
    table = session.filters
    if table is None:
        table = session.filters = {}
    chain = [entry for entry in table.get(kind, ()) if entry[1] != function]
    chain.append((priority or 0, function))
    chain.sort(key=lambda entry: -entry[0])
    table[kind] = chain


def remove_filter(session, kind: str, function: Filter) -> None:
    """Take away a filter from one session."""
    table = session.filters
    if not table or kind not in table:
        return
    chain = [entry for entry in table[kind] if entry[1] != function]
    if chain:
        table[kind] = chain
    else:
        del table[kind]
        session.filters = table or None


def run(session, kind: str, data: Any) -> Any:
    """Send `data` through the filters of `kind`; return what is left of it, None if dropped."""
    table = session.filters
    if table:
        for _priority, function in table.get(kind, ()):
            data = function(data, session)
            if data is None:
                return None
    return data
