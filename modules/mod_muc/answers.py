"""Errors from a room, with who says so (RFC 6120 section 8.3.1) and what was asked."""

from __future__ import annotations

from typing import Any

from prosody_py.api import stanza

from .occupant import MUC


def refuse(event: Any, room: Any, condition: str, text: str | None = None,
           type: str | None = None) -> bool:
    """Answer the stanza of an event with an error of the room; return True: it is handled."""
    element = event.stanza
    if element.attr.get("type") in ("error", "result"):
        return True
    answer = stanza.error_reply(element, type, condition, text, room.jid).reset()
    if element.name == "presence":
        answer.children.insert(0, stanza.stanza("x", xmlns=MUC))
    event.origin.send(answer)
    return True
