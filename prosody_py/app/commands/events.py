"""`prosody-py events`: the catalogue of events on the terminal."""

from __future__ import annotations

import argparse
import fnmatch

from prosody_py.app.errors import CommandError
from prosody_py.app.event_text import ORDER, describe
from prosody_py.events import catalogue

_DESCRIPTION = """\
Lists the events that modules can hook, or says of one what it means: its fields, who fires it,
what a handler's result means, and which of the bundled modules handle it, with their priorities.

  prosody-py events                      list all
  prosody-py events 'user-*'             list those of a pattern
  prosody-py events message/bare         explain one
  prosody-py events iq-get/host/urn:xmpp:ping:ping

'prosody-py shell events explain NAME' says who handles it on the running server."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    name = parser.add_argument("name", nargs="?", metavar="NAME",
                               help="an event, or a pattern with * to list some")
    name.words = [one.name for one in catalogue.CATALOGUE if "*" not in one.name]


def run(args: argparse.Namespace) -> int:
    """Print the list or the event; return the exit code."""
    if args.name is None or ("*" in args.name and catalogue.find(args.name) is None):
        print(*_listed(args.name or "*"), sep="\n")
        return 0
    print(*_explained(args.name), sep="\n")
    return 0


def _listed(pattern: str) -> list[str]:
    found = [one for one in catalogue.CATALOGUE if fnmatch.fnmatchcase(one.name, pattern)]
    if not found:
        raise CommandError(f"No event is called {pattern}")
    lines = []
    for on, title in (("host", "Events of a host:"), ("global", "Events of the server:"),
                      ("http", "Events of the HTTP server:")):
        some = [one for one in found if one.on == on]
        if some:
            width = max(len(one.name) for one in some)
            lines += [title, *(f"  {one.name:<{width}}  {one.text}" for one in some)]
    return lines


def _explained(name: str) -> list[str]:
    from prosody_py.app.manual.bundled import bundled
    declared = catalogue.find(name)
    pattern = declared.name if declared is not None and name == declared.name else name
    handlers = sorted(((-handler.priority, module.name, handler.event, handler.text)
                       for module in bundled() for handler in module.handlers
                       if fnmatch.fnmatchcase(handler.event, pattern)), key=lambda row: row[:3])
    if declared is None and not handlers:
        guess = catalogue.nearest_name(name)
        raise CommandError(f"Nothing is known of an event {name}"
                           + (f"; did you mean {guess}?" if guess else ""))
    lines = [name + ": not declared, but handled"] if declared is None else describe(declared)
    lines.append("handled by these bundled modules:" if handlers
                 else "no bundled module handles it")
    for priority, module, event, text in handlers:
        own = "" if event == name else f" {event}"
        lines.append(f"  {-priority:>5g}  mod_{module}{own}" + (f": {text}" if text else ""))
    return [*lines, ORDER]
