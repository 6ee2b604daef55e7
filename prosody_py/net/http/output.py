"""What is to be written on one HTTP connection, however much it is.

The connection is given no more than it can hold well; the rest waits here and follows when the
peer has read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from gevent.event import Event

_HIGH = 256 * 1024  # bytes that the connection itself may hold
_PIECE = 64 * 1024


class Output:
    """The queue in front of a connection.

    `emptied()` is called when everything has gone to the connection, `stalls(waiting)` whenever
    it begins or ends that the peer has to read.
    """

    __slots__ = ("_conn", "_pieces", "_emptied", "_stalls", "_room", "_gone")

    def __init__(self, conn: Any, emptied: Callable[[], None], stalls: Callable[[bool], None]):
        self._conn = conn
        self._pieces: deque[memoryview] = deque()
        self._emptied, self._stalls = emptied, stalls
        self._room: Event | None = None
        self._gone = False

    @property
    def busy(self) -> bool:
        """Whether something is left that the connection has not taken yet."""
        return bool(self._pieces)

    @property
    def written(self) -> bool:
        """Whether the socket has taken everything."""
        return not self._pieces and not self._conn.pending

    def write(self, data: bytes) -> None:
        """Queue bytes; never waits."""
        if data and not self._gone:
            self._pieces.append(memoryview(data))
            self._pump()

    def wait(self) -> bool:
        """Wait until there is room for more; False when the connection is gone."""
        if self._pieces and not self._gone:
            if self._room is None:
                self._room = Event()
            self._room.clear()
            self._room.wait()
        return not self._gone

    def drained(self) -> None:
        """The socket has taken everything that the connection had (called by the loop)."""
        had = bool(self._pieces)
        self._stalls(False)  # the peer has read something
        self._pump()
        if had and not self._pieces or not self._conn.pending:
            self._emptied()

    def end(self) -> None:
        """The connection is gone."""
        self._gone = True
        self._pieces.clear()
        if self._room is not None:
            self._room.set()

    def _pump(self) -> None:
        conn, pieces = self._conn, self._pieces
        while pieces and conn.pending < _HIGH:
            piece = pieces[0]
            if not conn.write(bytes(piece[:_PIECE])):
                pieces.clear()
                break
            if len(piece) > _PIECE:
                pieces[0] = piece[_PIECE:]
            else:
                pieces.popleft()
        if not pieces and self._room is not None:
            self._room.set()
        self._stalls(bool(pieces) or conn.pending > 0)
