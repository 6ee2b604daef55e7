"""How many requests are under way at once: in all, and to one origin. The others wait in line."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from prosody_py.api.outgoing import HttpError

_WAITING, _WAITING_EACH = 2000, 500


class Slots:
    """Places for requests; whoever has waited longest is served first, if its origin has room."""

    def __init__(self, total: int, each: int):
        self.total, self.each = total, each
        self._used: Counter[Hashable] = Counter()
        self._line: OrderedDict[AsyncResult, Hashable] = OrderedDict()
        self._waiting: Counter[Hashable] = Counter()

    def acquire(self, origin: Hashable, seconds: float) -> None:
        """Take a place, waiting if need be; raises HttpError when there is none in time."""
        if self._has_room(origin) and not self._waiting[origin]:
            self._used[origin] += 1
            return
        if len(self._line) >= _WAITING or self._waiting[origin] >= _WAITING_EACH:
            raise HttpError("too-many-requests")
        turn = AsyncResult()
        self._line[turn] = origin
        self._waiting[origin] += 1
        taken = False
        try:
            turn.get(timeout=seconds)
            taken = True
        except Timeout:
            raise HttpError("timeout", "too many other requests") from None
        finally:
            if not taken:
                self._give_up(turn, origin)

    def _give_up(self, turn: AsyncResult, origin: Hashable) -> None:
        if turn in self._line:
            del self._line[turn]
            self._leave_line(origin)
        else:  # the place came too late
            self.release(origin)

    def _leave_line(self, origin: Hashable) -> None:
        self._waiting[origin] -= 1
        if not self._waiting[origin]:
            del self._waiting[origin]

    def _has_room(self, origin: Hashable) -> bool:
        return self._used.total() < self.total and self._used[origin] < self.each

    def release(self, origin: Hashable) -> None:
        """Give a place back."""
        self._used[origin] -= 1
        if not self._used[origin]:
            del self._used[origin]
        for turn, wanted in self._line.items():
            if self._has_room(wanted):
                del self._line[turn]
                self._leave_line(wanted)
                self._used[wanted] += 1
                turn.set(None)
                return

    @property
    def used(self) -> int:
        """How many places are taken."""
        return self._used.total()
