"""Connecting to the first of several addresses that answers (RFC 8305)."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence

import gevent
from gevent import queue, socket

from prosody_py.api.outgoing import HttpError

_STAGGER = 0.25  # seconds that an address has before the next one is tried as well
_MAX_ADDRESSES = 20


def connect(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """Return a connected socket; raises HttpError with the reason of the last address.

    The attempts begin one after the other in the order given, the next when one has failed or
    after a quarter of a second, and go on side by side; all share `seconds`.
    """
    deadline = time.monotonic() + seconds
    results: queue.Queue = queue.Queue()
    waiting = list(addresses[:_MAX_ADDRESSES])
    attempts: list[gevent.Greenlet] = []
    running, reason = 0, "connection timeout"
    sock = None
    try:
        while sock is None and (waiting or running):
            if waiting:
                attempts.append(gevent.spawn(_attempt, results, waiting.pop(0), port, deadline))
                running += 1
            left = deadline - time.monotonic()
            try:
                found = results.get(timeout=max(0.0, min(_STAGGER, left) if waiting else left))
            except queue.Empty:
                if left <= 0:
                    break
                continue
            running -= 1
            if isinstance(found, str):
                reason = found
            else:
                sock = found
    finally:
        _abandon(attempts, results, sock)
    if sock is None:
        raise HttpError(reason)
    return sock


def _attempt(results: queue.Queue, address: str, port: int, deadline: float) -> None:
    """Put a connected socket into `results`, or the reason why there is none."""
    sock = None
    try:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                             socket.SOCK_STREAM)
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        results.put(sock)
        sock = None
    except TimeoutError:
        results.put("connection timeout")
    except OSError as error:
        results.put(_reason(error))
    finally:
        if sock is not None:
            sock.close()


def _reason(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "connection refused"
    return os.strerror(error.errno).lower() if error.errno else "connection failed"


def _abandon(attempts: list[gevent.Greenlet], results: queue.Queue,
             chosen: socket.socket | None) -> None:
    """End the other attempts, and close what they have connected."""
    gevent.killall(attempts, block=False)
    while True:
        try:
            found = results.get_nowait()
        except queue.Empty:
            return
        if not isinstance(found, str) and found is not chosen:
            found.close()
