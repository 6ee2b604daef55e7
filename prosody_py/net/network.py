"""What code outside of this package does with the network: connect, listen, TLS by options.

`server.network` is for those who must not import this package, such as the Lua border.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakSet

from OpenSSL import SSL

from prosody_py.api.outgoing import DnsError
from prosody_py.net import client, client_context
from prosody_py.net.client import Client
from prosody_py.net.connection import Listener
from prosody_py.net.listener import Port
from prosody_py.net.tls import PeerCertificate, channel_bindings, describe, peer_certificate


class Network:
    """The network as one server's modules see it."""

    def __init__(self, server):
        self.server = server
        self._ports: list[Port] = []
        self._others: WeakSet[Any] = WeakSet()
        server.network = self
        server.events.add_handler("server-cleanup", self._stop, -50)

    def connect(self, address: str, port: int, listener: Listener, *,
                context: SSL.Context | None = None, server_name: str | None = None,
                source: str | None = None, seconds: float = client.CONNECT_TIMEOUT,
                prepare: Callable[[Client], None] | None = None) -> Client:
        """Return a connection to an IP address or a Unix socket's path, which is being made.

        `prepare(conn)` is called before anything can happen. Raises OSError, and ValueError for
        what is no address.
        """
        return client.connect(address, port, listener, context=context, server_name=server_name,
                              source=source, seconds=seconds, prepare=prepare)

    def adopt(self, sock: socket.socket, listener: Listener, peer: tuple | str,
              context: SSL.Context | None = None, server_name: str | None = None) -> Client:
        """Return a connection for a connected socket, which belongs to it from now on."""
        sock.setblocking(False)
        conn = Client(sock, listener, peer, server_name)
        conn.start(context)
        return conn

    def listen(self, interface: str, port: int, listener: Listener,
               context: Callable[[], SSL.Context] | None = None) -> Port:
        """Return an open port that belongs to no service; raises OSError."""
        opened = Port("0.0.0.0" if interface == "*" else interface, port, listener,
                      context=context)
        self._ports.append(opened)
        return opened

    def close_port(self, port: Port) -> None:
        """Close what `listen` has opened; connections live on."""
        if port in self._ports:
            self._ports.remove(port)
            port.close()

    def port_of(self, conn: Any) -> Port | None:
        """Return the port that has accepted a connection, None when it is closed or there is none.
        """
        try:
            address, number = conn.sock.getsockname()[:2]
        except (OSError, AttributeError, ValueError):
            return None
        found = [port for port in (*self.server.ports.open.values(), *self._ports)
                 if port.port == number == conn.server_port]
        return next((port for port in found if port.interface == address),
                    found[0] if found else None)

    def addresses_of(self, name: str) -> list[str]:
        """Return the IP addresses of a host, itself if it is one; waits. Raises OSError."""
        try:
            return self.server.dns.addresses(name)
        except DnsError as error:
            raise OSError(str(error)) from None

    # -- TLS -------------------------------------------------------------------------------

    def context(self, options: Mapping[str, Any]) -> SSL.Context:
        """Return a context for LuaSec's options (mode, certificate, key, verify ...).

        Raises ValueError, whose text says what is wrong with them.
        """
        return client_context.build(options, self.server.config.directory)

    def own_context(self) -> SSL.Context:
        """Return the context of the server's own direct TLS ports; raises ValueError."""
        return self.server.tls.for_listener()

    def peer(self, tls: SSL.Connection) -> PeerCertificate | None:
        """Return what a connection's peer has shown, None for no or a broken certificate."""
        try:
            return peer_certificate(tls)
        except ValueError:
            return None

    def describe(self, tls: SSL.Connection) -> dict[str, Any]:
        """Return what a handshake has agreed on."""
        return describe(tls)

    def channel_bindings(self, tls: SSL.Connection) -> Mapping[str, bytes]:
        """Return a connection's channel bindings."""
        return channel_bindings(tls)

    def certificate_files(self, host: str) -> tuple[str, str] | None:
        """Return certificate and key of a host, None when there is no usable one."""
        try:
            found = self.server.tls.contexts.certificate_for(host)
        except ValueError:
            return None
        return str(found.path), str(found.key_path)

    def close_at_the_end(self, thing: Any) -> None:
        """Call `thing.close()` when the server stops, if it is still there."""
        self._others.add(thing)

    def _stop(self, _event: Any) -> None:
        for thing in (*self._ports, *self._others):
            thing.close()
        self._ports.clear()
