"""events.md: the events that are declared in the catalogue."""

from __future__ import annotations

import re
from itertools import groupby

from prosody_py.app.manual.bundled import bundled
from prosody_py.app.manual.markdown import code, inline, page, table
from prosody_py.events import catalogue
from prosody_py.events.catalogue import CATALOGUE, Declared

_INTRO = """\
An event is a name and its data. Handlers run from the highest priority to the lowest, those of
equal priority in the order of their registration; the first result that is not `None` (`nil`) ends
the chain and is the event's result. Each host has events of its own, and the server has some;
`module.hook` means those of the module's host, `module.hook_global` those of the server. In a name
`*` stands for a part that varies; a number after a module's name is the priority of its handler,
where that is not 0. Modules may fire further events, which only they know.

`prosody-py shell events explain NAME` says the same of one event, and who handles it on the
running server."""
_BUSES = {"host": "Events of a host", "global": "Events of the server",
          "http": "Events of the HTTP server"}


def render() -> str:
    """Return the page."""
    parts = []
    for bus, title in _BUSES.items():
        parts.append(f"## {title}")
        declared = [event for event in CATALOGUE if event.on == bus]
        for by, group in groupby(declared, key=lambda event: event.by):
            parts += [f"### Fired by {by}",
                      table(("event", "fields", "when", "result", "handled by"),
                            [_row(event) for event in group])]
    return page("Events", _INTRO, *parts)


def _row(event: Declared) -> tuple[str, ...]:
    return (f'<a id="{anchor(event.name)}"></a>{code(event.name)}',
            ", ".join(code(name) if name.isidentifier() else name for name in _fields(event)),
            inline(event.text), inline(event.result), handled_by(event.name))


def _fields(event: Declared) -> tuple[str, ...]:
    """Return the fields; what stands in parentheses is one text."""
    text = " ".join(event.fields)
    return (text.strip("()"),) if text.startswith("(") else event.fields


def handled_by(name: str) -> str:
    """Return links to the bundled modules that hook an event, in the order in which they run."""
    found = {(-handler.priority, module.name) for module in bundled()
             for handler in module.handlers if handler.event == name}
    return ", ".join(f"[`{module}`](modules/mod_{module}.md)"
                     + (f" ({-priority:g})" if priority else "")
                     for priority, module in sorted(found))


def anchor(name: str) -> str:
    """Return the anchor of an event's row."""
    return "event-" + re.sub(r"[^a-z0-9_]+", "-", name.lower().replace("*", "any")).strip("-")


def link(name: str, root: str = "") -> str:
    """Return an event's name, as a link if it is declared; `root` leads to the manual's folder."""
    declared = catalogue.find(name)
    return f"[{code(name)}]({root}events.md#{anchor(declared.name)})" if declared else code(name)
