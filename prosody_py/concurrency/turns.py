"""Long work in one piece: letting the others have their turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

import gevent
from gevent import get_hub

AT_ONCE = 0.01  # seconds of work before the others have their turn
_PAUSE = 0.001  # not 0: the loop looks for input only when it waits

Item = TypeVar("Item")


def in_turns(items: Iterable[Item]) -> Iterator[Item]:
    """Iterate over what may be many, with pauses in which the others have their turn.

    There is none where the work itself has waited. Everything may have changed after each item.
    """
    loop = get_hub().loop
    turn, due = loop.iteration, monotonic() + AT_ONCE
    for item in items:
        yield item
        if monotonic() > due:
            if loop.iteration == turn:
                gevent.sleep(_PAUSE)
            turn, due = loop.iteration, monotonic() + AT_ONCE
