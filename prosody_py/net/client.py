"""A connection that goes out: to an address, in plain text or with TLS from the first byte.

It is a `Connection` from the start: what is written while it is being made waits. When it cannot
be made, `ondisconnect` is called, and `onconnect` was not.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from OpenSSL import SSL

from prosody_py.concurrency import workers
from prosody_py.net.connection import Connection, Listener
from prosody_py.net.securing import WRITE
from prosody_py.net.tls import TlsConnection, openssl
from prosody_py.net.tls.identity import ascii_host, is_ip_address

CONNECT_TIMEOUT = 20.0  # seconds
_UNDER_WAY = 115  # EINPROGRESS


class Client(Connection):
    """The client's end of a connection.

    `server_name` is what is asked for by SNI; with `checks_name` the certificate must be for it
    (or for the address), where the context verifies. A socket that is connected already needs
    `start`, any other one `connect`.
    """

    __slots__ = ("server_name", "checks_name", "_address", "_context")

    def __init__(self, sock: socket.socket, listener: Listener, peer: tuple | str,
                 server_name: str | None = None, max_send_buffer: int = 32 * 1024 * 1024,
                 read_timeout: float = 840):
        super().__init__(sock, listener, peer, 0, max_send_buffer, read_timeout)
        self.server_name, self.checks_name = server_name, False
        self._address: tuple | str = peer
        self._context: SSL.Context | None = None

    def connect(self, context: SSL.Context | None = None,
                seconds: float = CONNECT_TIMEOUT) -> None:
        """Begin to connect to `peer`; with `context` TLS follows at once."""
        self._context, self._handshaking = context, True  # nothing can be written yet
        try:
            code = self.sock.connect_ex(self._address)
        except OSError as error:
            code = error.errno or 0
        if code not in (0, _UNDER_WAY):
            self._loop.run_callback(self.destroy, os.strerror(code).lower())
            return
        self._timer = self._loop.timer(seconds)
        self._timer.start(self.destroy, "connection timeout")
        self._writer = self._loop.io(self.sock.fileno(), WRITE)
        self._writer.start(self._connected)

    def _connected(self) -> None:
        self._writer.stop()
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.destroy(os.strerror(code).lower())
            return
        self._handshaking = self._queued = False
        self._writer.close()
        self._writer = None
        if self._context is not None:
            self.start(self._context)
            return
        self.set_read_timeout(self._timeout)
        self._start_reading()
        workers.run(self._secured)

    def _new_tls(self, context: SSL.Context) -> TlsConnection:
        tls = TlsConnection(context, self.sock)
        tls.set_connect_state()
        name = ascii_host(self.server_name) if self.server_name else None
        if name and not is_ip_address(name):
            tls.set_tlsext_host_name(name.encode())
        if self.checks_name:
            openssl.expect_host(tls, name or self.ip())
        return tls


def outgoing_socket(family: int, source: str | None = None) -> socket.socket:
    """Return a non-blocking TCP socket for `Client`; `source` is the own address to use."""
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setblocking(False)
    if family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if source:
            sock.bind((source, 0))
    return sock


def family_of(address: str) -> int:
    """Return the address family of an IP address; a path is that of a Unix socket."""
    if "/" in address:
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect(address: str, port: int, listener: Listener, *,
            context: SSL.Context | None = None, server_name: str | None = None,
            source: str | None = None, seconds: float = CONNECT_TIMEOUT,
            prepare: Callable[[Client], None] | None = None) -> Client:
    """Return a connection to an IP address or the path of a Unix socket; it is being made.

    `prepare(conn)` is called before anything can happen. Raises OSError, and ValueError for what
    is no address.
    """
    if "/" not in address and not is_ip_address(address):
        raise ValueError("invalid-ip")
    family = family_of(address)
    sock = outgoing_socket(family, source)
    peer: tuple | str = address if family == socket.AF_UNIX else (address, port)
    conn = Client(sock, listener, peer, server_name)
    if prepare is not None:
        prepare(conn)
    conn.connect(context, seconds)
    return conn
