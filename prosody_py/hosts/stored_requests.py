"""Subscription requests as a roster keeps them.

A stanza is written as Prosody writes it: `{name, attr, 1: child, 2: child, ...}`, a child being a
text or such a dict again. True stands for a request whose stanza was not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.xmpp.stanza import Stanza

_MAX_SIZE = 2048  # characters
_MAX_DEPTH = 32


def is_small(request: Stanza) -> bool:
    """Whether a request is small enough to be kept as it is."""
    return _depth(request) <= _MAX_DEPTH and len(str(request)) <= _MAX_SIZE


def _depth(element: Stanza) -> int:
    return 1 + max([_depth(child) for child in element.tags], default=0)


def request_to_stored(request: Stanza | bool) -> Any:
    """Return a kept request as it is stored."""
    if not isinstance(request, Stanza):
        return True
    stored: dict[Any, Any] = {"name": request.name, "attr": dict(request.attr)}
    for index, child in enumerate(request.children, 1):
        stored[index] = child if isinstance(child, str) else request_to_stored(child)
    return stored


def request_from_stored(stored: Any) -> Stanza | bool:
    """Return a kept request; True for what is not a stanza."""
    try:
        return _element(stored, 0)
    except (TypeError, ValueError, AttributeError):
        return True


def _element(stored: Mapping[Any, Any], depth: int) -> Stanza:
    name, attr = stored.get("name"), stored.get("attr") or {}
    if not isinstance(name, str) or depth > _MAX_DEPTH:
        raise ValueError("not a stored element")
    if not all(isinstance(part, str) for pair in attr.items() for part in pair):
        raise ValueError("not stored attributes")
    # Old data has "|" between namespace and name.
    element = Stanza(name, {key.replace("|", "\x01"): value for key, value in attr.items()})
    index = 1
    while (child := stored.get(index)) is not None:
        element.children.append(child if isinstance(child, str) else _element(child, depth + 1))
        index += 1
    return element
