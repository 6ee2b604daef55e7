"""util.poll's sets of file descriptors: epoll, whose waiting blocks nobody but who waits."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import Any

from gevent import select as waiting

from prosody_py.lua.proxies import Face
from prosody_py.lua.values import encode

_ALWAYS = select.EPOLLERR | select.EPOLLHUP | select.EPOLLRDHUP
_AT_ONCE = 64  # descriptors


class Poll:
    """Watched descriptors, and those of the last wait that were not yet told."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.ready: list[tuple[int, int]] = []
        self.extras: dict[str, Any] = {}

    def wait(self, seconds: float) -> tuple[int, int] | None:
        """Return a descriptor and its events, None when there was none in that time."""
        if not self.ready and waiting.select([self.epoll.fileno()], [], [], seconds)[0]:
            self.ready = self.epoll.poll(0, _AT_ONCE)
        return self.ready.pop() if self.ready else None


def _failed(error: OSError) -> tuple[None, bytes, int]:
    number = error.errno or 0
    return None, encode(os.strerror(number)), number


def _number(raw: Any, name: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or raw != int(raw):
        raise ValueError(f"bad argument #1 to '{name}' (a file descriptor expected)")
    return int(raw)


def _changing(name: str) -> Callable[..., Any]:
    """Return what adds or changes a descriptor: true, or nil, why and the system's number."""
    def call(border, poll: Poll, raw: Any = None, read: Any = None, write: Any = None) -> Any:
        events = _ALWAYS
        if read not in (None, False):
            events |= select.EPOLLIN
        if write not in (None, False):
            events |= select.EPOLLOUT
        number = _number(raw, "add" if name == "register" else "set")
        try:
            getattr(poll.epoll, name)(number if number >= 0 else -1, events)
        except (OSError, OverflowError, ValueError) as error:
            return _failed(error if isinstance(error, OSError) else OSError(9, "closed"))
        return True
    return call


def _del(border, poll: Poll, raw: Any = None) -> Any:
    number = _number(raw, "del")
    poll.ready = [found for found in poll.ready if found[0] != number]
    try:
        poll.epoll.unregister(number)
    except (OSError, OverflowError, ValueError) as error:
        return _failed(error if isinstance(error, OSError) else OSError(9, "closed"))
    return True


def _wait(border, poll: Poll, seconds: Any = None) -> Any:
    """Return a descriptor, whether it can be read, whether written; nil and "timeout"."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
        raise ValueError("bad argument #1 to 'wait' (seconds expected, 0 or more)")
    try:
        found = poll.wait(seconds)
    except OSError as error:
        return _failed(error)
    if found is None:
        return None, b"timeout"
    number, events = found
    return number, bool(events & (select.EPOLLIN | _ALWAYS)), bool(events & select.EPOLLOUT)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _changing("register"), "set": _changing("modify"), "del": _del, "wait": _wait,
    "getfd": lambda border, poll: poll.epoll.fileno(),
}


class PollFace(Face):
    """A set of watched descriptors."""

    sealed = True
    functions = _FUNCTIONS
    plain = frozenset(_FUNCTIONS) - {"wait"}


def poll_new(border, server) -> Any:
    """Make a set; nil, why and the system's number when there are no descriptors left."""
    try:
        return border.to_lua(Poll())
    except OSError as error:
        return _failed(error)


FACES: dict[type | str, Face] = {Poll: PollFace()}
