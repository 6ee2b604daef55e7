"""Requests: options as they are written in the configuration (core.configmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.config.config import Setting
from prosody_py.config.problems import Location
from prosody_py.config.yaml_tree import Node


def get_config(border, server, host: bytes, key: bytes) -> Any:
    return border.copy_to_lua(server.config.get(border.to_python(host), border.to_python(key)))


def get_own_config(border, server, raw_host: bytes, raw_key: bytes) -> Any:
    """Return an option that the host's own section sets, nothing that it inherits."""
    host, key = border.to_python(raw_host), border.to_python(raw_key)
    if not server.config.is_set(host, key):
        return None
    return border.copy_to_lua(server.config.get(host, key))


def whole_config(border, server) -> Any:
    """Return {section: {option: value}} of everything that is written."""
    return border.copy_to_lua({
        section: {name: setting.value for name, setting in settings.items()}
        for section, settings in server.config.sections.items()})


def set_config(border, server, raw_host: Any, raw_key: Any, raw: Any) -> bool:
    """Set an option until the configuration is read anew; None takes it away."""
    host, key = border.to_python(raw_host), border.to_python(raw_key)
    config, value = server.config, border.copy_to_python(raw)
    section = config.sections.setdefault(host, {})
    if value is None:
        section.pop(key, None)
    else:
        place = Location("(set by a module)")
        simple = None if isinstance(value, (dict, list)) else value
        section[key] = Setting(value, place, Node(simple, place))
    return True


def config_files(border, server) -> Any:
    return border.copy_to_lua(list(server.config.files))


PLAIN: dict[str, Callable[..., Any]] = {
    "get_config": get_config, "get_own_config": get_own_config, "whole_config": whole_config,
    "set_config": set_config, "config_files": config_files,
}
