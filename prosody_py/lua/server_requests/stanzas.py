"""Requests: deliver stanzas, and what concerns the server as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from prosody_py.config.problems import ConfigError
from prosody_py.lua.references import LuaData
from prosody_py.lua.table_sessions import LuaSession
from prosody_py.router.deliver import route_remote
from prosody_py.xmpp.jid import prepped_split


def origin_of(border, raw: Any) -> Any:
    """Return the origin of a stanza: any table will do for one, also of a module's own making."""
    origin = border.to_python(raw)
    return LuaSession(border, origin.raw) if type(origin) is LuaData else origin


def post_stanza(border, server, origin: Any, stanza: Any, preevents: Any = False) -> None:
    server.post_stanza(origin_of(border, origin), border.to_python(stanza), bool(preevents))


def process_stanza(border, server, origin: Any, stanza: Any) -> None:
    server.process_stanza(origin_of(border, origin), border.to_python(stanza))


def route_stanza(border, server, origin: Any, stanza: Any) -> None:
    """Deliver to another server, or here when the host is one of ours.

    Without an origin it is the host that the stanza is from.
    """
    origin, stanza = origin_of(border, origin), border.to_python(stanza)
    to_host = prepped_split(stanza.attr.get("to") or "")[1]
    if origin is None:
        origin = server.hosts[prepped_split(stanza.attr.get("from") or "")[1]]
    if to_host in server.hosts:
        server.post_stanza(origin, stanza)
    else:
        route_remote(server, origin, stanza, to_host)


def shutdown(border, server, reason: Any = None, code: Any = 0) -> None:
    """Stop the server once the caller is done."""
    gevent.spawn(server.shutdown, border.to_python(reason), int(code or 0))


def reload_config(border, server) -> Any:
    """Read the configuration anew; nil and a text when it has mistakes."""
    try:
        server.reload_config()
    except ConfigError as error:
        return None, border.to_lua(str(error))
    return True


def reopen_logfiles(_border, server) -> None:
    server.events.fire_event("reopen-log-files")


REQUESTS: dict[str, Callable[..., Any]] = {
    "post_stanza": post_stanza, "process_stanza": process_stanza, "route_stanza": route_stanza,
    "shutdown": shutdown, "reload_config": reload_config, "reopen_logfiles": reopen_logfiles,
}
