"""Elements as plain data for stores, in the form that Prosody's util.stanza writes.

`{"name": ..., "attr": {...}, 1: child, 2: child, ...}`, a child being a text or such a dict again.
So the same store can be read by modules of both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.stanza import Stanza

MAX_DEPTH = 60  # stores refuse what is nested more deeply


def preserialize(element: Stanza, _depth: int = 1) -> dict[Any, Any]:
    """Return an element as data; raises StanzaError for one that is nested too deeply."""
    if _depth > MAX_DEPTH:
        raise StanzaError("policy-violation", "The element is nested too deeply to be stored")
    stored: dict[Any, Any] = {"name": element.name, "attr": dict(element.attr)}
    for index, child in enumerate(element.children, 1):
        stored[index] = child if isinstance(child, str) else preserialize(child, _depth + 1)
    return stored


def deserialize(stored: Any) -> Stanza | None:
    """Return the element that data stands for; None for None and for what is no element."""
    if not isinstance(stored, Mapping) or not isinstance(stored.get("name"), str):
        return None
    attr = stored.get("attr") or {}
    if not isinstance(attr, Mapping):  # an empty table may have been written as a list
        attr = {}
    # Old data has "|" between namespace and name.
    element = Stanza(stored["name"], {str(key).replace("|", "\x01"): str(value)
                                      for key, value in attr.items()})
    index = 1
    while (child := stored.get(index)) is not None:
        child = child if isinstance(child, str) else deserialize(child)
        if child is not None:
            element.children.append(child)
        index += 1
    return element
