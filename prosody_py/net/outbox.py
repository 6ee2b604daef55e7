"""What is queued for connections in one turn of the loop goes out together at its end."""

from __future__ import annotations

from typing import Protocol

from gevent import get_hub


class Flushable(Protocol):
    """What can wait in the outbox."""

    def flush(self) -> None: ...


class Outbox:
    """The connections that have something to write at the end of this turn of the loop."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: list[Flushable] = []

    def add(self, connection: Flushable) -> None:
        """Have `connection.flush()` called at the end of this turn."""
        if not self.waiting:
            get_hub().loop.run_callback(self.flush)
        self.waiting.append(connection)

    def flush(self) -> None:
        """Let all that wait write."""
        waiting, self.waiting = self.waiting, []
        for connection in waiting:
            connection.flush()
