"""Ids of archive items: unique, sortable by time, fit for a URL."""

from __future__ import annotations

import base64
import os
import time

# base64 with digits that sort as their values do, all of them unreserved in URLs (RFC 3986).
_DIGITS = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_TO_SORTABLE = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", _DIGITS)


def new_id() -> str:
    """Return 20 characters: 48 bits of time in milliseconds and 72 random ones."""
    raw = (time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(9)
    return base64.b64encode(raw).translate(_TO_SORTABLE).decode("ascii")
