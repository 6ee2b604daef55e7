"""`debug ...`: a look inside, for developers."""

from __future__ import annotations

from gevent.util import format_run_info

from prosody_py.api.commands import Section

SECTION = Section("debug", "A look inside")


@SECTION.command("greenlets")
def greenlets(call):
    """Show every greenlet and thread and what it waits for."""
    return "\n".join(format_run_info())
