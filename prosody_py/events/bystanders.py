"""Handlers that have nothing to do with most of what passes them, and say so.

What goes to many passes the same handlers once for each receiver. While all of them but the one
that delivers are *bystanders*, it may be given to the receivers' sessions at once, as text that is
written once. The kinds of such stanzas:

- "presence": from an account of this server to another one's sessions, by way of rosters;
- "room": what a room tells its occupants, messages of type groupchat and presence;
- "headline": what a service for publishing tells its subscribers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from prosody_py.events.bus import Events

Unless = Callable[[Any, str, str], bool]
Meddler = tuple[Unless, Any]
_MARK = "__bystander_of__"


def bystander(*kinds: str, unless: Unless | None = None) -> Callable:
    """Mark a handler `function(module, event)` that would do nothing about stanzas of `kinds`.

    `unless(module, account, peer)` tells whether it would after all, between an account of the
    module's host and an address.
    """
    def mark(function: Callable) -> Callable:
        setattr(function, _MARK, {**getattr(function, _MARK, {}), **dict.fromkeys(kinds, unless)})
        return function
    return mark


def meddlers(events: Events, kind: str, owner: str, *names: str) -> list[Meddler] | None:
    """Return who may do something about a stanza of `kind` on its way through events.

    None means that some handler has to see each one, or that nobody delivers: `owner` is the
    module that does, and each event needs its handler. Otherwise ask `meddles` for each receiver;
    of an empty list there is nobody to ask.
    """
    if events.wrapped or "pre-stanza" in events.index:
        return None
    found: list[Meddler] = []
    for name in names:
        delivered = False
        for handler in events.index.get(name, ()):
            module, function = _parts(handler)
            stands_by = getattr(function, _MARK, {})
            if module is not None and module.name == owner:
                delivered = True
            elif kind not in stands_by:
                return None
            elif (unless := stands_by[kind]) is not None and (unless, module) not in found:
                found.append((unless, module))
        if not delivered:
            return None
    return found


def _parts(handler: Any) -> tuple[Any, Any]:
    """Return the module of a handler and its function, as @hook or `module.hook` put them."""
    if isinstance(handler, partial):
        return handler.args[0] if handler.args else None, handler.func
    return getattr(handler, "module", None), getattr(handler, "function", None)


def meddles(found: list[Meddler], account: str, peer: str) -> bool:
    """Whether one of `meddlers` has to see what passes between these two."""
    for unless, module in found:
        if unless(module, account, peer):
            return True
    return False
