"""Time and waiting for Lua code: timers, sleeping, being woken, and the log.

These are the functions of `native.driver`, on which util.timer, util.async, util.promise and
util.logger stand.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

from prosody_py.concurrency.timer import Timer


class Waiting:
    """The timers and waiting entries of one runtime."""

    def __init__(self, border):
        self._border = border
        self._timers: dict[int, Timer] = {}
        self._next_id = 0
        self._waiting: dict[int, Event] = {}
        self._signals: dict[int, Any] = {}

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return what border/border.lua calls; `wait` and `sleep` are requests."""
        return {"log": self.log, "add_timer": self.add_timer, "cancel_timer": self.cancel_timer,
                "wake": self.wake, "wait": self.wait, "sleep": gevent.sleep}

    def log(self, source: bytes, level: bytes, text: bytes) -> None:
        """Write a line to the log named `source`."""
        border = self._border
        logger = logging.getLogger(str(border.to_python(source) or "lua"))
        logger.log(border.log_level(level), "%s", border.to_python(text))

    def add_timer(self, seconds: float, function: Any) -> int:
        """Call a Lua function without arguments in `seconds`; return an id for `cancel_timer`."""
        self._next_id += 1
        number = self._next_id
        timers, call = self._timers, self._border.to_python(function)

        def fire(_now: float) -> None:
            if timers.pop(number, None) is not None:
                call()

        timers[number] = Timer(max(0.0, float(seconds)), fire,
                               failed=lambda error: self._failed(error, call))
        return number

    def cancel_timer(self, number: int) -> None:
        """Disarm a timer; nothing happens when it has fired."""
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.stop()

    def _failed(self, error: Exception, function: Any) -> None:
        if getattr(function, "effort", None) is not None:
            function.effort.failed("a timer or a signal")
        self._border.log.error("Error in a timer or for a signal: %s", error)
        if where := getattr(error, "lua_traceback", None):
            self._border.log.debug("%s", where)

    def wait(self, number: int) -> None:
        """Block until `wake(number)`."""
        event = self._waiting.setdefault(number, Event())
        try:
            event.wait()
        finally:
            self._waiting.pop(number, None)

    def wake(self, number: int) -> None:
        """Let who waits for `number` go on, also if the waiting has yet to begin."""
        self._waiting.setdefault(number, Event()).set()

    def on_signal(self, number: int, function: Any) -> bool:
        """Call a Lua function for each signal `number`, without one no longer.

        Returns False for a signal that nobody can have.
        """
        if number not in signal.valid_signals() or number in (signal.SIGKILL, signal.SIGSTOP):
            return False
        watcher = self._signals.pop(number, None)
        if watcher is not None:
            watcher.cancel()
        if function is not None:
            self._signals[number] = gevent.signal_handler(
                number, self._signalled, self._border.to_python(function))
        return True

    def _signalled(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:
            self._failed(error, call)

    def close(self) -> None:
        """Disarm all timers and leave the signals alone."""
        for watcher in self._signals.values():
            watcher.cancel()
        self._signals.clear()
        for timer in self._timers.values():
            timer.stop()
        self._timers.clear()
