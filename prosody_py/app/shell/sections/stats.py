"""`stats ...`: the numbers that modules report."""

from __future__ import annotations

import fnmatch

from prosody_py.api import measures
from prosody_py.api.commands import Section, Table

SECTION = Section("stats", "Numbers that modules report")


@SECTION.command("show", "pattern:string?")
def show(call, pattern):
    """Show the numbers, all or those whose name has a pattern such as "c2s*" in it."""
    server = call.server
    measures.collect(server)
    rows = []
    for name, metric in sorted(measures.measures(server).metrics.items()):
        if pattern is not None and not fnmatch.fnmatchcase(name, f"*{pattern}*"):
            continue
        for values, series in sorted(metric.series.items()):
            labels = ", ".join(f"{key}={value}" for key, value
                               in zip(metric.label_keys, values, strict=False))
            rows.append((name, labels, metric.kind, _number(series.value), series.count,
                         _number(series.lowest), _number(series.highest)))
    return Table(("name", "of", "kind", "value", "samples", "lowest", "highest"), rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
