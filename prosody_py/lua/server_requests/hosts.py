"""Requests: hosts of the server (core.hostmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def deactivate_host(border, server, raw_host: bytes, reason: Any = None) -> Any:
    host = border.to_python(raw_host)
    if host not in server.hosts:
        return None, border.to_lua(f"{host} is not a host of this server")
    reason = border.to_python(reason)
    server.deactivate(host, reason if isinstance(reason, str) else None)
    return True


REQUESTS: dict[str, Callable[..., Any]] = {"deactivate_host": deactivate_host}
