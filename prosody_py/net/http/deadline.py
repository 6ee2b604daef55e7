"""A point in time that moves: one timer, whatever number of times it is moved."""

from __future__ import annotations

import time
from collections.abc import Callable

from gevent import get_hub


class Deadline:
    """Calls `expired()` in the event loop when the time has come.

    Moving it to later only notes the time; the timer looks at that when it fires.
    """

    __slots__ = ("_expired", "_at", "_due", "_timer")

    def __init__(self, expired: Callable[[], None]):
        self._expired = expired
        self._at: float | None = None
        self._due = 0.0  # when the timer fires
        self._timer = None

    def set(self, seconds: float) -> None:
        """Let it come so many seconds from now."""
        self._at = at = time.monotonic() + seconds
        if self._timer is not None and self._due > at:
            self._stop()
        if self._timer is None:
            self._arm(seconds)

    def clear(self) -> None:
        """Let it never come."""
        self._at = None

    def close(self) -> None:
        """End it for good."""
        self._at = None
        self._stop()

    def _arm(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds
        self._timer = get_hub().loop.timer(max(seconds, 0.001))
        self._timer.start(self._fire)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _fire(self) -> None:
        self._stop()
        if self._at is None:
            return
        left = self._at - time.monotonic()
        if left > 0:
            self._arm(left)
        else:
            self._at = None
            self._expired()
