"""`debug ...`: a look inside, for developers."""

from __future__ import annotations

import gc
from collections import Counter

from gevent.util import format_run_info

from prosody_py.api.commands import Section, Table
from prosody_py.concurrency.timer import Timer

SECTION = Section("debug", "A look inside")
_MOST = 200  # timers that are listed


@SECTION.command("greenlets")
def greenlets(call):
    """Show every greenlet and thread and what it waits for."""
    return "\n".join(format_run_info())


@SECTION.command("timers")
def timers(call):
    """Count the timers that run, by whose they are."""
    counted = Counter(repr(found) for found in gc.get_objects()
                      if isinstance(found, Timer) and found.armed)
    return Table(("timer", "number"), counted.most_common(_MOST))


@SECTION.command("objects", "number:integer?")
def objects(call, number):
    """Count the objects in memory by their type, those that there are most of first."""
    counted = Counter(f"{type(found).__module__}.{type(found).__qualname__}"
                      for found in gc.get_objects())
    return Table(("type", "objects"), counted.most_common(max(1, number or 30)))
