"""Measure what modules cost: the option `measure_modules`, and the server's metrics.

Code in Lua is measured where it is entered. Handlers in Python are measured only with the option:
then each stands in its chain in a `TimedHandler`.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from prosody_py.api import effort
from prosody_py.app.options import RunOptions
from prosody_py.config.config import GLOBAL
from prosody_py.events.bus import Handler
from prosody_py.router.unanswered import module_of


class TimedHandler:
    """A handler of a Python module whose calls count for the module."""

    __slots__ = ("handler", "module", "_effort")

    def __init__(self, handler: Handler, module: Any):
        self.handler, self.module, self._effort = handler, module, module.effort

    def __call__(self, event: Any) -> Any:
        start = perf_counter()
        try:
            return self.handler(event)
        finally:
            self._effort.note(perf_counter() - start)

    def __repr__(self) -> str:
        return repr(self.handler)


def timed(handler: Handler) -> Handler:
    """Return a handler with a watch around it, if it belongs to a Python module."""
    module = module_of(handler)
    if module is None or getattr(module.code, "language", None) != "python":
        return handler
    return TimedHandler(handler, module)


def install(server: Any) -> None:
    """Obey the option from now on, also when it or the hosts change."""
    for name in ("host-activated", "config-reloaded"):
        server.events.add_handler(name, lambda _event: obey(server), 1000)
    server.events.add_handler("stats-update", lambda _event: effort.report_all(server))
    obey(server)


def obey(server: Any) -> None:
    """Measure Python modules if the configuration says so."""
    server.measuring = bool(RunOptions.read(server.config, GLOBAL).measure_modules)
    dress = timed if server.measuring else None
    for bus in (server.events, server.http.events,
                *(host.events for host in server.hosts.values())):
        bus.dress_handlers(dress)
