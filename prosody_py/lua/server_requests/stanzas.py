"""Requests: deliver stanzas, and what concerns the server as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.events.bus import Event
from prosody_py.router.deliver import route_remote


def post_stanza(border, server, origin: Any, stanza: Any, preevents: Any = False) -> None:
    server.post_stanza(border.to_python(origin), border.to_python(stanza), bool(preevents))


def process_stanza(border, server, origin: Any, stanza: Any) -> None:
    server.process_stanza(border.to_python(origin), border.to_python(stanza))


def route_stanza(border, server, origin: Any, stanza: Any) -> None:
    """Deliver to another server, or here when the host is one of ours."""
    origin, stanza = border.to_python(origin), border.to_python(stanza)
    to_host = (stanza.attr.get("to") or "").rpartition("@")[2].partition("/")[0]
    if to_host in server.hosts:
        server.post_stanza(origin, stanza)
    else:
        route_remote(server, origin, stanza, to_host)


def shutdown(border, server, reason: Any = None, code: Any = 0) -> None:
    server.events.fire_event("server-stopping-requested",
                             Event(reason=border.to_python(reason), code=code or 0))


def reload_config(border, server) -> None:
    server.events.fire_event("config-reload-requested")


def reopen_logfiles(border, server) -> None:
    server.events.fire_event("reopen-log-files")


REQUESTS: dict[str, Callable[..., Any]] = {
    "post_stanza": post_stanza, "process_stanza": process_stanza, "route_stanza": route_stanza,
    "shutdown": shutdown, "reload_config": reload_config, "reopen_logfiles": reopen_logfiles,
}
