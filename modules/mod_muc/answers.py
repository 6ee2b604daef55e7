"""Errors from a room, with who says so (RFC 6120 section 8.3.1) and what was asked."""

from __future__ import annotations

from typing import Any

from prosody_py.api import Event, StanzaError, stanza

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


def ask(module: Any, name: str, data: Event) -> Any:
    """Fire an event within another one's handling: a StanzaError goes on to who fires it.

    The bus would answer the stanza for it, and the handling of the outer event once more.
    """
    events = module.events
    if events.wrapped:
        return module.fire_event(name, data)
    for handler in events.index.get(name, ()):
        try:
            result = handler(data)
        except (StanzaError, RecursionError):
            raise
        except Exception as error:
            # Without origin and stanza, for it is not the handler's to answer.
            result = events.failed(handler, name, Event(room=data.room), error)
        if result is not None:
            return result
    return None
