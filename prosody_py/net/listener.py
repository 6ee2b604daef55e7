"""A listening port: accepts connections and makes them `Connection` objects."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable

from gevent import get_hub
from OpenSSL import SSL

from prosody_py.net.connection import READ, Connection, Listener

log = logging.getLogger("net")
_ACCEPTS_PER_TURN = 64


class Port:
    """One bound address that is served by a listener.

    `admit(address) -> bool` may refuse a peer before anything is spent on it. `context` is a
    function that gives the TLS context for direct TLS, so that a reload of certificates reaches
    new connections; without it the connection starts in plain text.
    """

    def __init__(self, interface: str, port: int, listener: Listener, *,
                 context: Callable[[], SSL.Context] | None = None,
                 admit: Callable[[str], bool] | None = None,
                 max_send_buffer: int = 1024 * 1024, read_timeout: float = 840,
                 backlog: int = 512):
        self.interface = interface
        self.service = ""
        self.extras: dict = {}
        self.listener = listener
        self.context = context
        self.admit = admit
        self.max_send_buffer = max_send_buffer
        self.read_timeout = read_timeout
        family = socket.AF_INET6 if ":" in interface else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._sock.bind((interface, port))
            self._sock.listen(backlog)
        except OSError:
            self._sock.close()
            raise
        self._sock.setblocking(False)
        self.port = self._sock.getsockname()[1]
        self._loop = get_hub().loop
        self._watcher = self._loop.io(self._sock.fileno(), READ)
        self._retry = None
        self._watcher.start(self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                sock, peer = self._sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._rest(error)
                    return
                log.debug("A connection ended before it was accepted: %s", error)
                continue
            if self.admit is not None and not self.admit(peer[0]):
                sock.close()
                continue
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                context = self.context() if self.context else None
            except (OSError, ValueError, SSL.Error) as error:
                log.error("Cannot serve a connection on port %d: %s", self.port, error)
                sock.close()
                continue
            connection = Connection(sock, self._listener_of_one(), peer[:2], self.port,
                                    self.max_send_buffer, self.read_timeout)
            connection.start(context)

    def _listener_of_one(self) -> Listener:
        """Return the listener of a new connection: some are made anew for each."""
        make = getattr(self.listener, "for_connection", None)
        return self.listener if make is None else make()

    def _rest(self, error: OSError) -> None:
        """Stop accepting for a second: the process has no more files or memory."""
        log.error("Cannot accept connections on port %d: %s. Raise the limit of open files "
                  "(LimitNOFILE= in the systemd unit, or ulimit -n).", self.port, error.strerror)
        self._watcher.stop()
        self._retry = self._loop.timer(1)
        self._retry.start(self._watcher.start, self._accept)

    def pause(self) -> None:
        """Accept nobody for now."""
        self._watcher.stop()

    def resume(self) -> None:
        """Accept again."""
        self._watcher.start(self._accept)

    def close(self) -> None:
        """Stop listening; connections live on."""
        for watcher in (self._watcher, self._retry):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._sock.close()
