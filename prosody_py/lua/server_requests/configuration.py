"""Requests: options as they are written in the configuration (core.configmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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


PLAIN: dict[str, Callable[..., Any]] = {
    "get_config": get_config, "get_own_config": get_own_config, "whole_config": whole_config,
}
