"""Requests: places for the log that Lua modules provide (core.loggingmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua import sinks as log_sinks


def register_sink_type(border, server, raw_name: Any, maker: Any = None) -> None:
    """Let `maker(config)` make the functions of sinks of a name; without a maker end them."""
    name = border.to_python(raw_name)
    makers = server.extras.setdefault("log_sink_makers", {})
    log_sinks.close(server, name)
    makers.pop(name, None)
    if maker is not None:
        makers[name] = border.to_python(maker)
        log_sinks.open_all(server, border, name)


def reload_logging(border, server) -> None:
    """Make the sinks anew and say so: `reopen-log-files` and `logging-reloaded`."""
    for name in list(server.extras.get("log_sink_makers", ())):
        log_sinks.close(server, name)
        log_sinks.open_all(server, border, name)
    server.events.fire_event("reopen-log-files")
    server.events.fire_event("logging-reloaded")


PLAIN: dict[str, Callable[..., Any]] = {}
REQUESTS: dict[str, Callable[..., Any]] = {
    "register_sink_type": register_sink_type, "reload_logging": reload_logging,
}
