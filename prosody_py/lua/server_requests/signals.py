"""What Lua does when a signal arrives (util.signal)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def on_signal(border, _server, number: Any, function: Any = None) -> bool:
    """Call a Lua function for each signal `number`, or no longer; False if that cannot be."""
    return border.waiting.on_signal(int(number), function)


PLAIN: dict[str, Callable[..., Any]] = {"on_signal": on_signal}
