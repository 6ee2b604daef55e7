"""Clocks."""

import time
from collections.abc import Callable


def functions() -> dict[str, Callable]:
    """Return `now` (seconds since 1970) and `monotonic` (seconds), both as float."""
    return {"now": time.time, "monotonic": time.monotonic}
