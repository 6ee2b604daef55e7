"""Requests: the modules of the server's hosts (core.modulemanager)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.config.hosts import modules_for


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


def modules_of_host(border, server, raw_host: bytes) -> Any:
    """Return the names of the modules that a host is to have, and that of its component."""
    host = border.to_python(raw_host)
    record = server.config.host(host)
    if record is None:
        return border.copy_to_lua([])
    return (border.copy_to_lua(modules_for(server.config, host)),
            border.to_lua(record.component_module))


def plugin_file(border, server, raw_name: bytes, resource: Any = None) -> Any:
    """Return the path of a module's file, or of another file in its folder; nil and a text."""
    try:
        path = server.modules.find(border.to_python(raw_name)).path
    except LoadError as error:
        return None, border.to_lua(str(error))
    if resource is not None:
        path = os.path.join(os.path.dirname(path), border.to_python(resource))
    return border.to_lua(path)


PLAIN: dict[str, Callable[..., Any]] = {
    "get_module": get_module, "is_loaded": is_loaded, "get_modules": get_modules,
    "get_items": get_items, "modules_of_host": modules_of_host,
    "plugin_file": plugin_file,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "load_module": load_module, "unload_module": unload_module, "reload_module": reload_module,
}
