"""Requests: metrics that belong to no module (core.statsmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api import measures


def metric(border, server, kind: Any, name: Any, unit: Any = None, description: Any = None,
           label_keys: Any = None) -> Any:
    """Return a metric by its full name, made when it is missing."""
    return border.to_lua(measures.measures(server).metric(
        border.to_python(kind), border.to_python(name), border.to_python(unit),
        border.to_python(description), tuple(border.copy_to_python(label_keys) or ())))


def labelled(border, server, found: Any, *values: Any) -> Any:
    return border.to_lua(border.to_python(found).labelled(*map(border.to_python, values)))


def _series(border, raw: Any) -> Any:
    found = border.to_python(raw)
    return found.labelled() if isinstance(found, measures.Metric) else found


def record(border, server, found: Any, value: Any) -> None:
    _series(border, found).record(value)


def add(border, server, found: Any, value: Any) -> None:
    _series(border, found).add(value)


def clear(border, server, found: Any) -> None:
    """Let a metric, or the series of some label values, begin anew."""
    border.to_python(found).clear()


def set_value(border, server, found: Any, value: Any) -> None:
    _series(border, found).value = value


def values(border, server) -> Any:
    """Return {name: value} of all series; labels are part of the name."""
    return border.copy_to_lua({
        "/".join((name, *labels)): series.value
        for name, found in measures.measures(server).metrics.items()
        for labels, series in found.series.items()})


def families(border, server) -> Any:
    """Return a list of all metrics with everything that is in them."""
    return border.copy_to_lua([
        {"name": name, "type_": found.kind, "unit": found.unit or "",
         "description": found.description or "", "label_keys": list(found.label_keys),
         "series": [{"labels": list(labels), "value": series.value, "count": series.count}
                    for labels, series in found.series.items()]}
        for name, found in measures.measures(server).metrics.items()])


def collect(border, server) -> None:
    measures.collect(server)


PLAIN: dict[str, Callable[..., Any]] = {
    "metric": metric, "metric_labelled": labelled, "metric_record": record,
    "metric_add": add, "metric_clear": clear, "metric_set": set_value, "metric_values": values,
    "metric_families": families,
}
REQUESTS: dict[str, Callable[..., Any]] = {"collect_metrics": collect}
