"""Worker greenlets: where everything runs that may block.

The event loop's callbacks run in the hub, which must not block. So a callback hands its work to
`run`, which switches into an idle worker greenlet at once, without going through the loop. If
the work never blocks, that is all: two switches, about half a microsecond. If it blocks, the
worker stays behind with it and the loop goes on; another worker takes the next piece.

That is why a connection has no greenlet of its own: an idle one costs no stack, and the number
of greenlets is that of the pieces of work under way.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from time import monotonic
from typing import Any

import gevent
from gevent import get_hub
from greenlet import getcurrent, greenlet

_MAX_IDLE = 32


class _Pool:
    """The idle workers of one hub."""

    def __init__(self) -> None:
        self.hub = get_hub()
        self.idle: list[greenlet] = []
        self.all: set[greenlet] = set()

    def loop(self) -> None:
        # A greenlet holds what it was started with as long as it lives, so its first piece of
        # work comes as all others do.
        hub, idle = self.hub, self.idle
        me = getcurrent()
        self.all.add(me)
        try:
            self.work(me, hub, idle)
        finally:
            self.all.discard(me)

    @staticmethod
    def work(me: greenlet, hub: Any, idle: list[greenlet]) -> None:
        """Do one piece of work after the other, as long as this worker is needed."""
        function, args = hub.switch()
        while True:
            try:
                function(*args)
            except gevent.GreenletExit:
                return
            except Exception as error:
                hub.handle_error(function, type(error), error, error.__traceback__)
            function = args = None
            if len(idle) >= _MAX_IDLE:
                return
            idle.append(me)
            function, args = hub.switch()


_pool: _Pool | None = None
_LOOK_EVERY = 0.01


def run(function: Callable[..., Any], *args: Any) -> None:
    """Run `function(*args)` in a worker greenlet until it ends or blocks.

    To be called from a callback of the event loop. Errors go to the hub's error handler.
    """
    global _pool
    pool = _pool
    if pool is None or pool.hub is not get_hub():
        pool = _pool = _Pool()
    if getcurrent() is not pool.hub:
        gevent.spawn(function, *args)
    elif pool.idle:
        pool.idle.pop().switch(function, args)
    else:
        worker = greenlet(pool.loop, pool.hub)
        worker.switch()
        worker.switch(function, args)


def under_way() -> set[greenlet]:
    """Return the workers that have work in hand, without the one that asks."""
    pool = _pool
    if pool is None or pool.hub is not get_hub():
        return set()
    return pool.all.difference(pool.idle, (getcurrent(),))


def settle(seconds: float, beside: Container[greenlet] = ()) -> int:
    """Wait until no worker `beside` these has work in hand, at most so long; return how many do."""
    end = monotonic() + seconds
    while (left := sum(worker not in beside for worker in under_way())) and monotonic() < end:
        gevent.sleep(_LOOK_EVERY)
    return left
