"""Requests: bcrypt, slow on purpose; by the Python package of that name, if it is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gevent

try:
    import bcrypt
except ImportError:  # few modules need it
    bcrypt = None

MAX_COST = 16
"""More rounds (2 to this power) would take seconds; a stored hash may ask for any number."""

_HASH = re.compile(rb"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}\Z")


def _work(function: Callable[..., Any], *args: Any) -> Any:
    return gevent.get_hub().threadpool.apply(function, args)


def bcrypt_digest(border, _server, password: bytes, cost: Any) -> Any:
    """Return the hash of a password; nil and a text for a cost that is out of range."""
    if not 4 <= int(cost) <= MAX_COST:
        return None, border.to_lua(f"the cost must be from 4 to {MAX_COST}")
    return _work(bcrypt.hashpw, password[:72], bcrypt.gensalt(int(cost)))


def bcrypt_verify(_border, _server, password: bytes, hashed: bytes) -> bool:
    """Return whether the hash is that of the password; False for what is no hash."""
    match = _HASH.match(hashed)
    if match is None or int(match[1]) > MAX_COST:
        return False
    return _work(bcrypt.checkpw, password[:72], hashed)


def bcrypt_available(_border, _server) -> bool:
    """Return whether the package is installed."""
    return bcrypt is not None


PLAIN: dict[str, Callable[..., Any]] = {"bcrypt_available": bcrypt_available}
REQUESTS: dict[str, Callable[..., Any]] = {"bcrypt_digest": bcrypt_digest,
                                           "bcrypt_verify": bcrypt_verify}
