"""Ports: which addresses the services of the modules listen on.

A module offers a service as a "net-provider" item: a dict with `name`, `listener`, and as far as
they matter `default_port` (or `default_ports`), `encryption` ("ssl" for direct TLS), `private`
(loopback only by default), `admit`, `alpn`, `ssl_options`, `max_send_buffer`, `read_timeout`,
`config_prefix`, `default_interfaces`. The options `<name>_ports` and `<name>_interfaces` say
where; without `_interfaces`, those of the service, `interfaces` or, for a private service,
`local_interfaces`. A `config_prefix` stands for the name in them; an empty one makes them `ports`
and `interfaces`.

A service that is taken back and offered again in the same turn of the loop, as in a reload, keeps
its sockets: nobody who connects meanwhile is refused.
"""

from __future__ import annotations

import logging
from typing import Any

from gevent import get_hub

from prosody_py.events.bus import Event
from prosody_py.net.listener import Port

log = logging.getLogger("ports")
DEFAULT_INTERFACES = ("*", "::")
LOCAL_INTERFACES = ("127.0.0.1", "::1")


class FreePort(int):
    """Port 0 of one service: the system chooses, so two services do not want the same port."""

    service: str

    def __new__(cls, service: str) -> FreePort:
        number = super().__new__(cls, 0)
        number.service = service
        return number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FreePort) and other.service == self.service

    def __hash__(self) -> int:
        return hash(self.service)


class Ports:
    """The listening sockets of one server."""

    def __init__(self, server):
        self.server = server
        self.services: dict[str, dict[str, Any]] = {}
        self.open: dict[tuple[str, int], Port] = {}
        self._scheduled = self._started = False
        server.ports = self
        server.events.add_handler("item-added/net-provider", self._added)
        server.events.add_handler("item-removed/net-provider", self._removed)

    def _added(self, event) -> None:
        self.add(event.item)

    def _removed(self, event) -> None:
        self.remove(event.item)

    def add(self, service: Any) -> None:
        """Offer a service, and open its ports if the server has started."""
        self.services[service["name"]] = service
        self._say("service-added", service)
        for port in self.open.values():
            if port.service == service["name"]:
                self._serve(port, service)
        self.update()

    def remove(self, service: Any) -> None:
        """Take a service back; its ports are closed at the end of this turn of the loop."""
        if self.services.get(service["name"]) is service:
            del self.services[service["name"]]
        self._say("service-removed", service)
        if not self._scheduled:
            self._scheduled = True
            get_hub().loop.run_callback(self.update)

    def _say(self, name: str, service: Any) -> None:
        self.server.events.fire_event(name, Event(name=service["name"], service=service))

    def close_service(self, name: str) -> None:
        """Close the ports of a service until `update` opens them again; connections live on."""
        for address, port in list(self.open.items()):
            if port.service == name:
                self.close_port(address)

    def close_port(self, address: tuple[str, int]) -> bool:
        """Close the port at (interface, number as configured); False when there is none."""
        port = self.open.pop(address, None)
        if port is None:
            return False
        port.close()
        log.info("Closed port %s of %s", address[1], port.service)
        return True

    @staticmethod
    def _serve(port: Port, service: dict[str, Any]) -> None:
        port.listener = service["listener"]
        port.admit = service.get("admit")

    def wanted(self) -> dict[tuple[str, int], str]:
        """Return (interface, port) -> service of everything that should be open."""
        result: dict[tuple[str, int], str] = {}
        for name, service in self.services.items():
            for interface in self._interfaces(name, service):
                for number in self._numbers(name, service):
                    result.setdefault((interface, number or FreePort(name)), name)
        return result

    def _numbers(self, name: str, service: dict[str, Any]) -> list[int]:
        numbers = self._option(name, service, "ports")
        for default in ("default_ports", "default_port"):
            if numbers is None:
                numbers = service.get(default)
        numbers = numbers if isinstance(numbers, (list, tuple, set)) else [numbers]
        return [int(number) for number in numbers if number is not None]

    def _option(self, name: str, service: dict[str, Any], what: str) -> Any:
        prefix = service.get("config_prefix")
        prefix = name if prefix is None else prefix
        return self.server.config.get("*", f"{prefix}_{what}" if prefix else what)

    def _interfaces(self, name: str, service: dict[str, Any]) -> list[str]:
        config = self.server.config
        private = service.get("private")
        own = service.get("default_interfaces") or service.get("default_interface")
        chosen = (self._option(name, service, "interfaces") or own
                  or (config.get("*", "local_interfaces") or LOCAL_INTERFACES if private
                      else config.get("*", "interfaces") or DEFAULT_INTERFACES))
        chosen = [chosen] if isinstance(chosen, str) else list(chosen)
        if config.get("*", "use_ipv6") is False:
            chosen = [interface for interface in chosen if ":" not in interface]
        return ["0.0.0.0" if interface == "*" else interface for interface in chosen]

    def start(self) -> None:
        """Begin to listen; before that, services are only noted."""
        self._started = True
        self.update()

    def update(self) -> None:
        """Open what is wanted and close what is not (also after the configuration changed)."""
        self._scheduled = False
        if not self._started:
            return
        wanted = self.wanted()
        for address, port in list(self.open.items()):
            if wanted.get(address) != port.service:
                self.close_port(address)
        for address, name in wanted.items():
            if address not in self.open:
                self._open(address, name)

    def _open(self, address: tuple[str, int], name: str) -> None:
        interface, number = address
        service = self.services[name]
        context = None
        if service.get("encryption") == "ssl":
            def context(first=service):
                current = self.services.get(name, first)  # a reload may have replaced it
                return self.server.tls.for_listener(current.get("alpn"),
                                                    current.get("ssl_options"))
        try:
            port = Port(interface, number, service["listener"], context=context,
                        admit=service.get("admit"),
                        max_send_buffer=service.get("max_send_buffer", 1024 * 1024),
                        read_timeout=service.get("read_timeout", 840))
        except OSError as error:
            hint = (" Another program, or another instance of this server, uses it: see "
                    f"'ss -ltnp sport = :{number}'." if error.errno == 98 else "")
            log.error("Cannot open port %d on %s for %s: %s.%s", number, interface, name,
                      error.strerror, hint)
            return
        port.service = name
        self.open[address] = port
        log.info("Listening on %s port %d for %s", interface, number, name)

    def close(self) -> None:
        """Close all ports; connections live on."""
        self._started = False
        for port in self.open.values():
            port.close()
        self.open.clear()
