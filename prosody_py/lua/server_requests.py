"""What Lua's core.* libraries and `prosody` ask of the server, by name.

Functions take the border, the server and raw Lua values. Those in `PLAIN` never block: they are
called below a Lua frame. Those in `REQUESTS` may block. In Lua both are in the table
`require "native.server"`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.events.bus import Event
from prosody_py.router.deliver import route_remote
from prosody_py.storage.interface import REMOVE

# -- stanzas and the server as a whole -----------------------------------------------------


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


def store_call(_border, _server, store: Any, name: bytes, *raw: Any) -> Any:
    return store.call(name, *raw)


# -- modules -------------------------------------------------------------------------------


def _load_result(border, call: Callable[[], Any]) -> Any:
    try:
        module = call()
    except LoadError as error:
        return None, border.to_lua(error.code)
    return True if module is None else border.to_lua(module.exports)


def load_module(border, server, host: bytes, name: bytes) -> Any:
    return _load_result(border, lambda: server.modules.load(
        border.to_python(host), border.to_python(name)))


def unload_module(border, server, host: bytes, name: bytes) -> Any:
    return _load_result(border, lambda: server.modules.unload(
        border.to_python(host), border.to_python(name)))


def reload_module(border, server, host: bytes, name: bytes) -> Any:
    return _load_result(border, lambda: server.modules.reload(
        border.to_python(host), border.to_python(name)))


def get_module(border, server, host: bytes, name: bytes) -> Any:
    module = server.modules.get_module(border.to_python(host), border.to_python(name))
    return None if module is None else border.to_lua(module.exports)


def is_loaded(border, server, host: bytes, name: bytes) -> bool:
    return server.modules.is_loaded(border.to_python(host), border.to_python(name))


def get_modules(border, server, host: bytes) -> Any:
    modules = server.modules.get_modules(border.to_python(host))
    return border.copy_to_lua({name: module.exports for name, module in modules.items()})


def get_items(border, server, key: bytes, host: bytes) -> Any:
    return border.copy_to_lua(
        server.modules.get_items(border.to_python(key), border.to_python(host)))


# -- configuration -------------------------------------------------------------------------


def get_config(border, server, host: bytes, key: bytes) -> Any:
    return border.copy_to_lua(server.config.get(border.to_python(host), border.to_python(key)))


def remove_mark(_border, _server) -> Any:
    return REMOVE


PLAIN: dict[str, Callable[..., Any]] = {
    "get_module": get_module, "is_loaded": is_loaded, "get_modules": get_modules,
    "get_items": get_items, "get_config": get_config, "remove_mark": remove_mark,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "post_stanza": post_stanza, "process_stanza": process_stanza, "route_stanza": route_stanza,
    "shutdown": shutdown, "reload_config": reload_config, "reopen_logfiles": reopen_logfiles,
    "store_call": store_call, "load_module": load_module, "unload_module": unload_module,
    "reload_module": reload_module,
}
