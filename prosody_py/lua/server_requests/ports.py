"""Requests: services and the ports they have (core.portmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def get_service(border, server, raw_name: Any) -> Any:
    """Return what a module has offered as a network service of this name."""
    return border.to_lua(server.ports.services.get(border.to_python(raw_name)))


def service_names(border, server) -> Any:
    return border.copy_to_lua(sorted(server.ports.services))


def open_ports(border, server) -> Any:
    """Return a list of {service, interface, port}."""
    return border.copy_to_lua([
        {"service": port.service, "interface": interface, "port": port.port}
        for (interface, _number), port in server.ports.open.items()])


PLAIN: dict[str, Callable[..., Any]] = {
    "get_service": get_service, "service_names": service_names, "open_ports": open_ports,
}
