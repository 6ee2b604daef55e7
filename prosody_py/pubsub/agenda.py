"""What a service has to do at a certain time: one timer, for what comes first.

Entries are keys; what is due is handed over and forgotten. Whoever makes the service may drop it
while something is noted here (an account's service comes back from its store with its leases),
unless some of it would be lost: that is `hold`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any
from weakref import ref

Key = tuple[str, ...]
LONGEST = 3_600.0  # seconds that a timer sleeps at most: clocks are set, and owners dropped


class Agenda:
    """Times by key.

    Args:
        add_timer: `add_timer(seconds, function, *args)` calls `function(now, *args)` and returns
            something that can `stop()`.
        act: is called with the keys that are due; a bound method.
        hold: the first words of keys for whose sake the owner of `act` has to live.
    """

    def __init__(self, add_timer: Callable[..., Any], act: Callable[[list[Key]], None],
                 hold: tuple[str, ...] = ()):
        self._add_timer, self._hold = add_timer, hold
        self._owner, self._act = ref(act.__self__), act.__func__  # type: ignore[attr-defined]
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._timer: tuple[float, bool, Any] | None = None  # when, whether it holds, the timer
        self._held = 0

    def put(self, key: Key, when: float) -> None:
        """Note a key for a time (seconds since 1970), instead of the time it had."""
        if key not in self._due and key[0] in self._hold:
            self._held += 1
        self._due[key] = when
        heappush(self._heap, (when, key))
        if len(self._heap) > 2 * len(self._due) + 16:  # mostly what has been put off
            self._heap = [(when, key) for key, when in self._due.items()]
            heapify(self._heap)
        self._arm()

    def drop(self, key: Key) -> None:
        """Forget a key."""
        if self._due.pop(key, None) is not None and key[0] in self._hold:
            self._held -= 1

    def keys(self) -> Iterator[Key]:
        """Iterate over what is noted."""
        return iter(list(self._due))

    def __contains__(self, key: Key) -> bool:
        return key in self._due

    def _arm(self) -> None:
        heap, due = self._heap, self._due
        while heap and due.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        if not heap:
            return
        first, held = heap[0][0], self._held > 0
        if self._timer is not None:
            when, holds, timer = self._timer
            if when <= first and holds >= held:
                return
            timer.stop()
        owner = self._owner()
        if owner is not None:
            seconds = min(max(0.0, first - time.time()), LONGEST)
            self._timer = first, held, self._add_timer(
                seconds, _ring, ref(self), owner if held else None)

    def ring(self) -> None:
        """Hand over what is due; called by the timer."""
        self._timer, now, found = None, time.time(), []
        while self._heap and self._heap[0][0] <= now:
            when, key = heappop(self._heap)
            if self._due.get(key) == when:
                found.append(key)
                self.drop(key)
        owner = self._owner()
        try:
            if found and owner is not None:
                self._act(owner, found)
        finally:
            if self._timer is None:
                self._arm()


def _ring(_now: float, agenda: Callable[[], Agenda | None], _owner: Any) -> None:
    alive = agenda()
    if alive is not None:
        alive.ring()
