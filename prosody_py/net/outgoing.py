"""What a server asks others with: `server.dns`, `server.http_client`, `server.mail`."""

from __future__ import annotations

from typing import Any

from prosody_py.config.config import GLOBAL
from prosody_py.net.dns import DnsOptions, Resolver
from prosody_py.net.http_client import HttpClient, HttpClientOptions
from prosody_py.net.mail import Mail

OPTIONS = (DnsOptions, HttpClientOptions)
"""What is read from the configuration, when the server starts and when it is reloaded."""


class OutgoingServices:
    """The resolver and the clients of one server; they are the server's from then on.

    Raises ConfigError for options that cannot be used.
    """

    def __init__(self, server):
        self._server = server
        server.dns = Resolver(*self._dns_options())
        server.http_client = HttpClient(server.dns, self._http_options(), server.config.directory)
        server.mail = Mail(server.dns)
        server.events.add_handler("config-reloaded", self._reload)
        server.events.add_handler("server-cleanup", self._close)

    def _dns_options(self) -> tuple[Any, bool]:
        config = self._server.config
        return DnsOptions.read(config, GLOBAL), config.get(GLOBAL, "use_ipv6") is not False

    def _http_options(self) -> Any:
        return HttpClientOptions.read(self._server.config, GLOBAL)

    def _reload(self, _event: Any) -> None:
        self._server.dns.configure(*self._dns_options())
        self._server.http_client.configure(self._http_options())

    def _close(self, _event: Any) -> None:
        self._server.http_client.close_idle()
