"""Requests: services and the ports they have (core.portmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua.net_service import LuaService


def get_service(border, server, raw_name: Any) -> Any:
    """Return what a module has offered as a network service of this name."""
    return border.to_lua(server.ports.services.get(border.to_python(raw_name)))


def service_names(border, server) -> Any:
    return border.copy_to_lua(sorted(server.ports.services))


def open_ports(border, server) -> Any:
    """Return a list of {service, interface, port, server}."""
    return border.copy_to_lua([
        {"service": port.service, "interface": interface, "port": port.port, "server": port}
        for (interface, _number), port in server.ports.open.items()])


def open_service(border, server, raw_name: Any) -> Any:
    """Open the ports of a service as configured; nil and why when it has none afterwards."""
    name = border.to_python(raw_name)
    if name not in server.ports.services:
        return None, b"Unknown service: " + raw_name
    server.ports.update()
    if any(port.service == name for port in server.ports.open.values()):
        return True
    return None, b"no port of it is open; the log says why"


def close_service(border, server, raw_name: Any) -> None:
    server.ports.close_service(border.to_python(raw_name))


def close_port(border, server, raw_interface: Any, number: Any) -> bool:
    """Close one port; connections live on."""
    interface = border.to_python(raw_interface)
    return any(server.ports.close_port(address)
               for address, port in list(server.ports.open.items())
               if port.port == number and interface in (address[0], "*"))


def register_service(border, server, raw_name: Any, raw: Any) -> Any:
    """Add a service that no module's items hold."""
    try:
        service = LuaService(border.to_python(raw))
    except (ValueError, AttributeError) as error:
        return None, border.to_lua(str(error))
    server.ports.add(service)
    return True


def unregister_service(border, server, raw_name: Any, raw: Any) -> Any:
    """Take a service back, whoever offers it."""
    found = server.ports.services.get(border.to_python(raw_name))
    if found is None:
        return None, b"no such service"
    item = border.to_python(raw)
    if item is not None and getattr(found, "item", found) is not item:
        return None, b"that service is offered by somebody else"
    server.ports.remove(found)
    return True


PLAIN: dict[str, Callable[..., Any]] = {
    "get_service": get_service, "service_names": service_names, "open_ports": open_ports,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "open_service": open_service, "close_service": close_service, "close_port": close_port,
    "register_service": register_service, "unregister_service": unregister_service,
}
