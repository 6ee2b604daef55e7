"""Ids of archive items: unique, sortable by time, fit for a URL."""

from __future__ import annotations

import base64
import os
import time

# base64 with digits that sort as their values do, all of them unreserved in URLs (RFC 3986).
_DIGITS = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_TO_SORTABLE = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", _DIGITS)


# Asking the system lets other threads have the interpreter, which costs more than the bytes.
_pool: list[bytes] = []
os.register_at_fork(after_in_child=_pool.clear)


def _random() -> bytes:
    """Return nine random bytes."""
    try:
        return _pool.pop()
    except IndexError:
        more = os.urandom(9 * 256)
        _pool.extend(more[start:start + 9] for start in range(9, len(more), 9))
        return more[:9]


def new_id() -> str:
    """Return 20 characters: 48 bits of time in milliseconds and 72 random ones."""
    raw = (time.time_ns() // 1_000_000).to_bytes(6, "big") + _random()
    return base64.b64encode(raw).translate(_TO_SORTABLE).decode("ascii")
