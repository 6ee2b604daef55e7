"""The part of the module API that deals with time: timers, periodic work, deferred start-up."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from prosody_py.api.registrations import Undo
from prosody_py.concurrency.timer import Timer

log = logging.getLogger("modules")


class ModuleTimer:
    """A timer of a module: it starts when the module is in service and ends with it."""

    def __init__(self, module, seconds: float, function: Callable[..., Any], args: tuple):
        self._module, self._seconds = module, seconds
        self._function, self._args = function, args
        self._timer: Timer | None = None

    def attach(self) -> None:
        self._timer = Timer(self._seconds, self._call, failed=self._failed)

    def detach(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _call(self, now: float) -> Any:
        module = self._module
        if module.server.measuring and module.code.language == "python":
            again = module.effort.timed(self._function, now, *self._args)
        else:
            again = self._function(now, *self._args)
        if again is None and self._timer is not None:
            module.registrations.forget(self)
        return again

    def _failed(self, error: Exception) -> None:
        self._module.registrations.forget(self)
        self._module.count_error("timer")
        where = getattr(error, "lua_traceback", None)
        self._module.log("error", "Error in a timer: %s", error, exc_info=None if where else error)
        if where:
            self._module.log("debug", "%s", where)

    def __repr__(self) -> str:
        return f"{self._module}: {getattr(self._function, '__qualname__', self._function)}"

    def stop(self) -> None:
        """Disarm the timer."""
        self._module.registrations.remove(self)

    disarm = stop

    def reschedule(self, seconds: float) -> None:
        """Fire `seconds` from now instead."""
        self._seconds = seconds
        if self._timer is not None:
            self._timer.reschedule(seconds)
        elif self not in self._module.registrations.entries:
            self._module.registrations.add(self)


def stop_timers(modules) -> None:
    """Let the timers of modules call nothing any more: the server stops."""
    for module in modules:
        for entry in list(module.registrations.entries):
            if isinstance(entry, ModuleTimer):
                entry.detach()


class Timing:
    """`module.add_timer`, `once`, `on_ready` and their kin; mixed into Module."""

    _when_ready: deque[Callable[[], Any]] | None = None

    def add_timer(self, seconds: float, function: Callable[..., Any], *args: Any) -> ModuleTimer:
        """Call `function(now, *args)` in `seconds`; a number it returns calls it again then.

        Never after the module is unloaded. The result has `stop`, `reschedule(seconds)`.
        """
        if not callable(function):
            raise TypeError(f"a timer calls a function after some seconds, not {function!r}")
        return self.registrations.add(ModuleTimer(self, seconds, function, args))

    def cron(self, task: dict[str, Any]) -> dict[str, Any]:
        """Run a task regularly: `run(task, now)` every `when`: "hourly", "daily" or "weekly".

        Its `name` tells it from the module's others: under it mod_cron keeps when the task ran
        last, also over restarts. A task that was missed runs as soon as the server is up. Returns
        the task, which `remove_item("task", task)` takes back.
        """
        self.depends("cron")
        self.add_item("task", task)
        return task

    def hourly(self, *name_and_function: Any) -> dict[str, Any]:
        """Call `function(task)` each hour, see `cron`; a name may stand before it."""
        return self._periodic("hourly", *name_and_function)

    def daily(self, *name_and_function: Any) -> dict[str, Any]:
        """Call `function(task)` each day, see `cron`; a name may stand before it."""
        return self._periodic("daily", *name_and_function)

    def weekly(self, *name_and_function: Any) -> dict[str, Any]:
        """Call `function(task)` each week, see `cron`; a name may stand before it."""
        return self._periodic("weekly", *name_and_function)

    def _periodic(self, when: str, *name_and_function: Any) -> dict[str, Any]:
        *names, function = name_and_function
        task = {"when": when, "run": lambda task, _now: function(task)}
        if names and names[0]:
            task["name"] = names[0]
        return self.cron(task)

    def on_ready(self, function: Callable[[], Any]) -> None:
        """Call `function()` once everything that is going to be loaded is loaded.

        On a server that has started already, that is as soon as this module is in service. It
        is never called for a module that is unloaded before.
        """
        called = False

        def call(_event: Any = None) -> None:
            nonlocal called
            if not called:
                called = True
                function()

        if not self.server.started:
            self.hook_global("server-started", call, -1000)
            return
        if self._when_ready is None:
            self._when_ready = deque()
        self._when_ready.append(call)
        if len(self._when_ready) == 1:
            self.add_timer(0, self._call_ready)

    once = on_ready

    def _call_ready(self, _now: float) -> None:
        """Call what comes next: timers of the same time come in any order."""
        call = self._when_ready.popleft()
        if self._when_ready:
            self.add_timer(0, self._call_ready)
        call()


class Undoing:
    """`module.on_unload`: what a Python module wants undone whatever happens."""

    def on_unload(self, function: Callable[[], Any]) -> None:
        """Call `function()` when the module goes out of service, after its own `unload`."""
        self.registrations.add(Undo(lambda: None, function))
