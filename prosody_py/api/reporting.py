"""The part of the module API about numbers and permissions: `measure`, `metric`, `may`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from prosody_py.api import permissions
from prosody_py.api.measures import Metric, measures
from prosody_py.events.bus import Events


class Reporting:
    """`module.measure`, `metric`, `may` and their kin; mixed into Module."""

    def metric(self, kind: str, name: str, unit: str | None = None,
               description: str | None = None, label_keys: Iterable[str] = ()) -> Metric:
        """Return a metric of this module: kind counter, gauge, summary or histogram.

        `metric.labelled(value, ...).record(number)` counts up, sets, or takes a sample; in Lua
        `metric:with_labels(value, ...)` has `set`, `add`, `inc` and `sample`. The numbers
        outlive a reload.
        """
        return measures(self.server).metric(
            kind, f"prosody_mod_{self.name}/{name}", unit, description, tuple(label_keys))

    def measure(self, name: str, kind: str) -> Callable[..., Any]:
        """Return a function that reports a number of this module.

        Kind "amount" sets, "counter" and "rate" count up (by 1 unless said), "sizes" and
        "distribution" take samples. For "times" the function starts a watch and returns one
        that stops it.
        """
        record = self.metric(kind, name).labelled().record
        if kind == "times":
            def start() -> Callable[[], None]:
                begun = time.perf_counter()
                return lambda: record(time.perf_counter() - begun)
            return start
        if kind in ("rate", "counter"):
            return lambda value=1: record(value)
        return record

    def measure_object_event(self, events: Events, event: str, name: str | None = None) -> None:
        """Report how long the handlers of an event take, all together."""
        start = self.measure(name or event, "times")

        def measured(fire: Callable[..., Any], fired: str, data: Any) -> Any:
            stop = start()
            result = fire(fired, data)
            stop()
            return result

        self.wrap_object_event(events, event, measured)

    def measure_event(self, event: str, name: str | None = None) -> None:
        """Report how long the handlers of an event of the host take."""
        self.measure_object_event(self.events, event, name)

    def measure_global_event(self, event: str, name: str | None = None) -> None:
        """Report how long the handlers of an event of the server take."""
        self.measure_object_event(self.server.events, event, name)

    def default_permission(self, role: str, action: str) -> None:
        """Allow `action` to `role` (such as "prosody:user"); ":x" is this module's own action."""
        permissions.default_permission(self, role, action)

    def default_permissions(self, role: str, actions: Iterable[str]) -> None:
        """Allow several actions to `role`."""
        for action in actions:
            permissions.default_permission(self, role, action)

    def may(self, action: str, context: Any, peek: bool = False) -> bool:
        """Whether the one behind `context` (a JID, a session or an event) may do `action`.

        A refusal is logged for debugging unless `peek`. Raises ValueError when the context names
        nobody.
        """
        return permissions.may(self, action, context, peek)

    def could(self, action: str, context: Any) -> bool:
        """As `may`, for showing what is possible rather than for doing it."""
        return permissions.may(self, action, context, True)
