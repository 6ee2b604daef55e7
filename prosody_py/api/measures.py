"""Numbers that modules report: counters, gauges and distributions, by name and labels.

Data and owner: one `Measures` per server, at `server.extras["measures"]`. A metric stays when the
module that made it is reloaded, so its numbers go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prosody_py.events.bus import Event

MAX_LABELLED = 1000
"""Series of one metric; more are counted together under the last."""

_KINDS = {"amount": "gauge", "counter": "counter", "rate": "counter", "distribution": "summary",
          "sizes": "summary", "times": "summary", "duration": "summary", "gauge": "gauge",
          "histogram": "summary", "summary": "summary"}


@dataclass(slots=True)
class Series:
    """The numbers of one metric with one set of label values.

    `value` is the sum of a counter or the last value of a gauge; of a summary the sum, with the
    number of samples in `count` and the extremes in `lowest` and `highest`.
    """

    kind: str
    value: float = 0
    count: int = 0
    lowest: float | None = None
    highest: float | None = None

    def record(self, value: float) -> None:
        """Count up by `value`, or take it as one sample."""
        self.count += 1
        if self.kind == "gauge":
            self.value = value if value is not None else 0
            return
        self.value += value
        if self.kind == "summary":
            self.lowest = value if self.lowest is None else min(self.lowest, value)
            self.highest = value if self.highest is None else max(self.highest, value)

    def add(self, value: float) -> None:
        """Count up by `value`, also what a gauge shows; in a summary this is a sample."""
        if self.kind == "gauge":
            self.count += 1
            self.value += value
        else:
            self.record(value)

    def clear(self) -> None:
        """Begin anew, at 0 and without samples."""
        self.value = self.count = 0
        self.lowest = self.highest = None


@dataclass(slots=True)
class Metric:
    """A metric: what it is called, what it means, and its series by label values."""

    name: str
    kind: str
    unit: str | None = None
    description: str | None = None
    label_keys: tuple[str, ...] = ()
    series: dict[tuple[str, ...], Series] = field(default_factory=dict)

    def labelled(self, *values: Any) -> Series:
        """Return the series of these label values."""
        key = tuple(str(value) for value in values)
        found = self.series.get(key)
        if found is None:
            if len(self.series) >= MAX_LABELLED:
                key = ("",) * len(self.label_keys)
            found = self.series.setdefault(key, Series(self.kind))
        return found

    def clear(self) -> None:
        """Let all series begin anew, as before they are all counted."""
        for series in self.series.values():
            series.clear()


class Measures:
    """All metrics of a server by name."""

    def __init__(self) -> None:
        self.metrics: dict[str, Metric] = {}

    def metric(self, kind: str, name: str, unit: str | None = None,
               description: str | None = None, label_keys: tuple[str, ...] = ()) -> Metric:
        """Return the metric `name`, made when it is missing; raises ValueError for the kind."""
        if kind not in _KINDS:
            raise ValueError(f"{kind!r} is not a kind of metric; there are {', '.join(_KINDS)}")
        found = self.metrics.get(name)
        if found is None or found.kind != _KINDS[kind]:
            found = self.metrics[name] = Metric(name, _KINDS[kind], unit, description, label_keys)
        return found


def collect(server) -> None:
    """Let those who report a number only now and then do it now.

    Fires `stats-update`, and then `openmetrics-updated` for those who pass the numbers on.
    """
    server.events.fire_event("stats-update")
    server.events.fire_event("openmetrics-updated", Event(metric_registry=measures(server)))


def measures(server) -> Measures:
    """Return the server's metrics."""
    return server.extras.setdefault("measures", Measures())
