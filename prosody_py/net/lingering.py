"""The end of a connection: our side is closed, the peer's is not yet.

A socket that is closed with input unread is reset, and the peer may then lose the last that was
written to it, such as the error that says why. So what still comes is read and thrown away until
the peer closes too, or its time is up.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from gevent import get_hub

_READ = 1
_READ_SIZE = 64 * 1024


class Lingering:
    """Reads a non-blocking socket to its end, for at most `seconds`, then calls `done()`."""

    __slots__ = ("_sock", "_done", "_watcher", "_timer")

    def __init__(self, sock: socket.socket, seconds: float, done: Callable[[], None]):
        self._sock, self._done = sock, done
        loop = get_hub().loop
        self._watcher = loop.io(sock.fileno(), _READ)
        self._watcher.start(self._discard)
        self._timer = loop.timer(seconds)
        self._timer.start(done)

    def _discard(self) -> None:
        try:
            if self._sock.recv(_READ_SIZE):
                return
        except BlockingIOError:
            return
        except OSError:
            self._done()  # a reset is an end as well
            return
        self._done()

    def stop(self) -> None:
        """End it; `done` is not called any more."""
        for watcher in (self._watcher, self._timer):
            watcher.stop()
            watcher.close()
