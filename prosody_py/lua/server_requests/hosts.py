"""Requests: hosts of the server (core.hostmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.xmpp import jid


def activate_host(border, server, raw_host: bytes) -> Any:
    """Put a host into service; nil and a text when its name or its modules are no good."""
    host = border.to_python(raw_host)
    if jid.prep(host) != host or "@" in host or "/" in host:
        return None, border.to_lua(f"{host} is not a valid name of a host")
    record = server.config.host(host)
    problems = server.activate_host(host, record.component_module if record else None)
    return (None, border.to_lua("\n".join(problems))) if problems else True


def deactivate_host(border, server, raw_host: bytes, reason: Any = None) -> Any:
    host = border.to_python(raw_host)
    if host not in server.hosts:
        return None, border.to_lua(f"{host} is not a host of this server")
    reason = border.to_python(reason)
    server.deactivate(host, reason if isinstance(reason, str) else None)
    return True


REQUESTS: dict[str, Callable[..., Any]] = {
    "activate_host": activate_host, "deactivate_host": deactivate_host,
}
