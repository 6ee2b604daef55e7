"""Answers that are kept: at most so many, each no longer than its time to live."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Key = tuple[str, str]


class Cache:
    """A bounded map of (name, type) to answers or failures; what was used last stays longest."""

    def __init__(self, size: int = 1000, clock: Callable[[], float] = time.monotonic):
        self._size, self._clock = size, clock
        self._entries: OrderedDict[Key, tuple[float, Any]] = OrderedDict()

    def get(self, key: Key) -> Any:
        """Return what is kept, None when there is nothing or its time is over."""
        found = self._entries.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return found[1]

    def put(self, key: Key, value: Any, seconds: float) -> None:
        """Keep a value for `seconds`; not at all when that is nothing."""
        if seconds <= 0:
            return
        self._entries[key] = (self._clock() + seconds, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
