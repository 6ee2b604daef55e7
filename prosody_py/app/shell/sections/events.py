"""`events ...`: the events on the bus and who handles them."""

from __future__ import annotations

import fnmatch

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.app.event_text import describe
from prosody_py.events import catalogue

SECTION = Section("events", "Events")


@SECTION.command("list", "pattern:string?")
def list_events(call, pattern):
    """List the events that are handled; a pattern such as "iq*" picks some."""
    rows = [(where, name, len(chain)) for where, name, chain in _chains(call.server)
            if pattern is None or fnmatch.fnmatchcase(name, pattern)]
    return Table(("on", "event", "handlers"), sorted(rows))


@SECTION.command("explain", "name:string")
def explain(call, name):
    """Say what an event means and who handles it, in the order in which they run."""
    declared = catalogue.find(name)
    lines = [] if declared is None else describe(declared)
    handlers = [f"  {where}: {_shown(handler)}, priority {priority:g}"
                for where, event, chain in _chains(call.server) if event == name
                for priority, handler in chain]
    if not lines and not handlers:
        guess = catalogue.nearest_name(name)
        raise CommandError(f"Nothing is known of an event {name}"
                         + (f"; did you mean {guess}?" if guess else ""))
    return "\n".join([*lines, "handlers:" if handlers else "no handlers", *handlers])


def _chains(server):
    """Yield (where, event, chain) of the server and its hosts."""
    for where, events in (("server", server.events),
                          *((host.host, host.events) for host in server.hosts.values())):
        for name, chain in events.describe().items():
            yield where, name, chain


def _shown(handler) -> str:
    args = getattr(handler, "args", ())  # functools.partial(function, module)
    if args and hasattr(handler, "func"):
        return f"{getattr(handler.func, '__name__', handler.func)} of {args[0]}"
    module = getattr(handler, "module", None)
    if module is not None:
        function = getattr(handler, "function", handler)
        return f"{getattr(function, '__name__', 'a function')} of {module}"
    return getattr(handler, "__qualname__", repr(handler))
