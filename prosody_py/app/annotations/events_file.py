"""The annotations of events: their names, and the data of each."""

from __future__ import annotations

from prosody_py.app.annotations import text
from prosody_py.app.annotations.types import MODULE, SESSION, STANZA
from prosody_py.events.catalogue import CATALOGUE, Declared

_TYPES = {"stanza": STANZA, "reply": STANZA, "features": STANZA, "origin": SESSION,
          "session": SESSION, "from_session": SESSION, "username": "string", "host": "string",
          "reason": "string", "resource": "string", "jid": "string", "ip": "string?",
          "to_self": "boolean?", "module": "string", "name": "string"}
"""What fields with these names have in every event."""


def render() -> str:
    """Return the file."""
    names = "\n".join(["---The events that this server and its modules fire.",
                       "---@alias prosody.event",
                       *(f'---| "{one.name}" # {one.text}' for one in CATALOGUE
                         if "*" not in one.name)])
    classes = {data_class(one): one for one in CATALOGUE if _has_fields(one)}
    return text.meta("prosody.events", names, *(
        text.of_class(name, [(field, _TYPES.get(field, "any"), "") for field in one.fields])
        for name, one in sorted(classes.items())))


def _has_fields(event: Declared) -> bool:
    return bool(event.fields) and all(field.isidentifier() for field in event.fields)


def data_class(event: Declared) -> str:
    """Return the class of an event's data: one for all events with the same fields."""
    return "prosody.data." + "_".join(event.fields)


def overloads(on: str) -> list[str]:
    """Return how `hook` is called for each event of the "host" or the server ("global").

    Without the parentheses `priority` would be a second result of the handler.
    """
    return [f'fun(self: {MODULE}, event: "{one.name}", '
            f"handler: (fun(event: {data_class(one)}): any), priority?: number)"
            for one in CATALOGUE
            if one.on == on and "*" not in one.name and _has_fields(one)]
