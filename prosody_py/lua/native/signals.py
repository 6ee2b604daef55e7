"""The numbers of signals, and sending one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def kill(pid: int, number: int) -> bool | tuple[None, bytes]:
    """Send a signal to a process; return True or (None, reason)."""
    try:
        os.kill(int(pid), int(number))
    except OSError as error:
        return None, (error.strerror or "failed").encode()
    return True


def functions() -> dict[str, Callable | int]:
    """Return `kill` and the numbers, by names such as SIGTERM."""
    numbers = {name: int(value) for name, value in vars(signal).items()
               if name.startswith("SIG") and not name.startswith("SIG_")
               and isinstance(value, signal.Signals)}
    return {"kill": kill, **numbers}
