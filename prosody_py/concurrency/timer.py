"""Timers whose function runs in a worker greenlet and may block."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent import get_hub

from prosody_py.concurrency import workers


class Timer:
    """Calls `function(now, *args)` after `seconds`; a number it returns arms it again.

    `now` is the time as seconds since the epoch. Errors are given to `failed(error)` and end
    the timer. `stop` (also `disarm`, Prosody's other name) may be called at any time.
    """

    def __init__(self, seconds: float, function: Callable[..., Any], *args: Any,
                 failed: Callable[[Exception], None] | None = None):
        self._function, self._args = function, args
        self._failed = failed
        self._watcher = None
        self._delay = seconds
        self.start()

    @property
    def armed(self) -> bool:
        """Whether it is going to fire."""
        return self._watcher is not None

    def __repr__(self) -> str:
        owner = getattr(self._function, "__self__", None)
        known = owner if type(owner).__repr__ is not object.__repr__ else None
        return f"<Timer of {known or getattr(self._function, '__qualname__', self._function)}>"

    def start(self) -> None:
        """Arm the timer with its last delay (making a Timer does it)."""
        self.stop()
        self._watcher = get_hub().loop.timer(max(0.0, float(self._delay)))
        self._watcher.start(workers.run, self._fire)

    def stop(self) -> None:
        """Disarm the timer."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    disarm = stop

    def reschedule(self, seconds: float) -> None:
        """Fire `seconds` from now instead."""
        self._delay = seconds
        self.start()

    def _fire(self) -> None:
        watcher = self._watcher
        if watcher is None:
            return
        try:
            again = self._function(time.time(), *self._args)
        except Exception as error:
            self.stop()
            if self._failed is None:
                raise
            self._failed(error)
            return
        if self._watcher is watcher:  # neither stopped nor rescheduled meanwhile
            if isinstance(again, (int, float)) and not isinstance(again, bool):
                self.reschedule(again)
            else:
                self.stop()
