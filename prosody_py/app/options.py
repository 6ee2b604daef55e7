"""Options that the code around the modules reads, beside those of `prosody_py.config.schema`."""

from __future__ import annotations

from typing import Any

from prosody_py.config import values
from prosody_py.config.options import Option, Options, boolean, enum


def _interval(value: Any) -> int | float:
    return values.NEVER if value == "manual" else values.period(value)


class RunOptions(Options):
    """What the process that serves reads."""

    run_as_root = boolean(False, where="global", doc="Start even when the user is root.")
    c2s_client_certificates = boolean(False, where="global", doc="Ask clients for a certificate, "
                                      "with which they may log in (SASL EXTERNAL).")
    conflict_resolve = enum("kick_old", "kick_new", "random", doc="What happens when a client "
                            "wants a resource that another one has.")
    statistics_interval = Option(
        "period", 'a period such as 300 or "5 minutes", or "manual"', _interval, where="global",
        default="1 minute", min="1 second",
        doc="How often modules are asked for the numbers that they report only now and then; "
            "`manual` or `never` leaves it to those who collect.")
    measure_modules = boolean(False, where="global", doc="Measure the time that the handlers and "
                              "timers of Python modules take, too; that of Lua is always measured.")
    force_module_reload = boolean(False, doc="Reload a module also when its `save` fails; what "
                                  "it would have kept is lost.")
