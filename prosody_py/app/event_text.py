"""A declared event in words."""

from __future__ import annotations

from prosody_py.events.catalogue import Declared

ORDER = ("Handlers run from the highest priority to the lowest (0 is the default), those of equal "
         "priority in the order of their registration; the first result that is not None (nil) "
         "ends the event.")
_BUSES = {"global": "the server's events", "host": "the host's events",
          "http": "the events of the HTTP server"}


def describe(declared: Declared) -> list[str]:
    """Return what an event means, who fires it, its fields and what a result means, as lines."""
    return [f"{declared.name}: {declared.text}",
            f"fired by {declared.by}, on {_BUSES[declared.on]}",
            f"fields: {fields(declared)}", f"result: {declared.result}"]


def fields(declared: Declared) -> str:
    """Return the names of an event's fields; what stands in parentheses is one text."""
    text = " ".join(declared.fields)
    return text if text.startswith("(") else ", ".join(declared.fields) or "none"
