"""A watch on the event loop: tells which code has kept everybody waiting.

A handler that sleeps, computes or reads from a slow disk without giving the others their turn stops
the whole server for as long, and nothing else would show it. A timer of the loop notes that it
comes round; a thread sees when it has not for PATIENCE seconds, and keeps where the code then is.
The thread writes nothing itself, since what takes the lines of the log belongs to the loop: the
timer tells what it has found when the loop goes on. One that never does is the watchdog's
(`app/systemd`).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback

from gevent import get_hub

log = logging.getLogger("prosody-py")
PATIENCE = 2.0  # seconds


class StallWatch:
    """Watches the loop of the thread that makes it, until `stop`."""

    def __init__(self, patience: float = PATIENCE):
        self.patience = patience
        self.caught: list[str] | None = None  # the stack of the code that does not give way
        self._watched = threading.get_ident()
        self._round = time.monotonic()
        self._ended = threading.Event()
        self._timer = get_hub().loop.timer(patience / 8, patience / 8)
        self._timer.start(self._come_round)
        threading.Thread(target=self._look, name="stalls", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()
        self._timer.stop()
        self._timer.close()

    def _come_round(self) -> None:
        now = time.monotonic()
        stack, self.caught = self.caught, None
        if stack is not None:
            log.warning("Nobody was served for %s seconds, because this did not give way: %s",
                        f"{now - self._round:.1f}", "\n" + "".join(stack).rstrip())
        self._round = now

    def _look(self) -> None:
        while not self._ended.wait(self.patience / 4):
            if self.caught is None and time.monotonic() - self._round > self.patience:
                frame = sys._current_frames().get(self._watched)
                self.caught = traceback.format_stack(frame, limit=8) if frame else []
