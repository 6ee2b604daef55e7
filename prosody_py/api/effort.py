"""What modules cost: calls, time and errors of each loaded instance.

Data and owner: each `Module` has one `Effort`, which begins at zero when the instance comes into
service and ends with it. The server's metrics (`prosody_modules/...`) go on over reloads: `report`
adds to them what has come since the last time.

The time is that from a call to its return. What code in Lua has waited for (stores, other
modules' handlers, answers) is not in it; for functions of Python, it is.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from time import perf_counter
from typing import Any

from prosody_py.api.measures import measures

_LABELS = ("host", "module")


class Effort:
    """What one instance of a module has cost.

    `calls` counts the entries into its code, `seconds` is the time they took in all and `worst`
    that of the longest; `errors` counts those that failed, `last_error` says in what.
    """

    __slots__ = ("calls", "seconds", "worst", "errors", "last_error", "_module", "_reported",
                 "__weakref__")

    def __init__(self, module: Any = None):
        self._module = (lambda: None) if module is None else weakref.ref(module)
        self.errors = 0
        self.last_error: str | None = None
        self.begin()

    def begin(self) -> None:
        """Forget the calls up to now, which were those of loading."""
        self.calls, self.seconds, self.worst = 0, 0.0, 0.0
        self._reported = (0, 0.0, self.errors)

    def note(self, seconds: float) -> None:
        """Count one call that took `seconds`."""
        self.calls += 1
        self.seconds += seconds
        if seconds > self.worst:
            self.worst = seconds

    def timed(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function of Python and count it."""
        start = perf_counter()
        try:
            return function(*args)
        finally:
            self.note(perf_counter() - start)

    def failed(self, where: str) -> None:
        """Count an error in the module's code, see `Module.count_error`."""
        module = self._module()
        if module is not None:
            module.count_error(where)

    @property
    def mean(self) -> float:
        """The mean time of a call in seconds."""
        return self.seconds / self.calls if self.calls else 0.0

    def take(self) -> tuple[int, float, int]:
        """Return calls, seconds and errors since the last time this was asked."""
        now = (self.calls, self.seconds, self.errors)
        new = tuple(one - other for one, other in zip(now, self._reported, strict=True))
        self._reported = now
        return new


class Account:
    """Whose code runs: `effort` is that module's, None when it is nobody's."""

    __slots__ = ("effort",)

    def __init__(self) -> None:
        self.effort: Effort | None = None


def report(module: Any) -> None:
    """Bring the server's metrics up to date with one instance of a module."""
    effort: Effort = module.effort
    calls, seconds, errors = effort.take()
    metric = measures(module.server).metric
    for kind, name, unit, text, value in (
            ("counter", "calls", None, "Entries into the code of a module", calls),
            ("counter", "seconds", "seconds", "Time spent in the code of a module", seconds),
            ("counter", "errors", None, "Errors in the code of a module", errors)):
        series = metric(kind, f"prosody_modules/{name}", unit, text, _LABELS)
        series.labelled(module.host, module.name).record(value)
    metric("gauge", "prosody_modules/worst", "seconds", "Longest call of a module since it was "
           "loaded", _LABELS).labelled(module.host, module.name).record(effort.worst)


def report_all(server: Any) -> None:
    """Bring the server's metrics up to date with all loaded modules."""
    for host in ("*", *server.hosts):
        for module in list(server.modules.get_modules(host).values()):
            report(module)
