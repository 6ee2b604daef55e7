"""LuaSocket's sockets for Lua: blocking for the code that uses them, not for the server.

They are gevent's sockets; what waits is a request (see lua/driver). With a timeout of 0 nothing
waits. LuaSec's `ssl.wrap` puts TLS between a socket and its owner (`secure`).
"""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any

from gevent import socket as cooperative
from OpenSSL import SSL

from prosody_py.lua.values import encode

_CHUNK = 64 * 1024
_MAX_PENDING = 64 * 1024 * 1024  # bytes that one call of `receive` may gather
_IN_LOWER_CASE = (errno.ECONNREFUSED, errno.EACCES, errno.EADDRINUSE)
_CLOSED = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


def reason_of(error: Exception) -> bytes:
    """Return LuaSocket's text for an error."""
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return b"timeout"
    if isinstance(error, _CLOSED) or getattr(error, "errno", None) == errno.EBADF:
        return b"closed"
    if isinstance(error, socket.gaierror):
        return b"host or service not provided, or not known"
    if isinstance(error, SSL.Error):
        reasons = error.args[0] if error.args else ()
        if isinstance(reasons, (list, tuple)) and reasons:
            return encode(str(reasons[0][2] or "TLS failed"))
        return b"closed"
    text = getattr(error, "strerror", None) or str(error) or "failed"
    return encode(text.lower() if getattr(error, "errno", None) in _IN_LOWER_CASE else text)


class BaseSocket:
    """What stream and datagram sockets have in common; `sock` is None before it is needed."""

    kind = socket.SOCK_STREAM

    def __init__(self, family: int = 0, sock: Any = None):
        self.family, self.sock = family, sock
        self.timeout: float | None = None
        self.closed = False
        self.extras: dict[str, Any] = {}

    def open(self, family: int = 0) -> Any:
        """Return the socket, made if need be; raises OSError when it was closed."""
        if self.closed:
            raise OSError(errno.EBADF, "closed")
        if self.sock is None:
            self.family = self.family or family or socket.AF_INET
            self.sock = cooperative.socket(self.family, self.kind)
            self.sock.settimeout(self.timeout)
        return self.sock

    def set_timeout(self, seconds: float | None) -> None:
        """Let each call wait so long at most; None or a negative number: for ever."""
        self.timeout = None if seconds is None or seconds < 0 else float(seconds)
        if self.sock is not None:
            self.sock.settimeout(self.timeout)

    def fileno(self) -> int:
        """Return the file descriptor, -1 when there is none."""
        return -1 if self.sock is None or self.closed else self.sock.fileno()

    def close(self) -> None:
        """End it; may be called again."""
        self.closed = True
        if self.sock is not None:
            self.sock.close()


class TcpSocket(BaseSocket):
    """A stream: TCP or a Unix socket."""

    def __init__(self, family: int = 0, sock: Any = None):
        super().__init__(family, sock)
        self.tls: SSL.Connection | None = None
        self.server_name: str | None = None
        self._pending = bytearray()
        self._ended = False
        self.received = self.sent = 0
        self.made = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.made

    def connect(self, host: str, port: int | None) -> None:
        """Connect to the first address of a host that answers, or to a path; raises OSError."""
        if port is None:
            self.open(socket.AF_UNIX).connect(host)
            return
        # Addresses need no resolver, and "*" means this machine.
        found = cooperative.getaddrinfo("localhost" if host == "*" else host, port, self.family,
                                        socket.SOCK_STREAM)
        problem: OSError | None = None
        for family, _kind, _protocol, _name, address in found:
            try:
                self.open(family).connect(address)
                return
            except OSError as error:
                problem = error
                if self.sock is None or isinstance(error, BlockingIOError):
                    raise
                if family != found[-1][0]:
                    self.sock.close()
                    self.sock, self.family = None, 0
        raise problem or OSError("host or service not provided, or not known")

    def accept(self) -> TcpSocket:
        """Wait for a connection; raises OSError."""
        sock, _peer = self.open().accept()
        return TcpSocket(self.family, sock)

    def take(self) -> socket.socket:
        """Return the connected socket for somebody else; this object is closed."""
        sock = socket.socket(fileno=os.dup(self.open().fileno()))
        self.close()
        return sock

    # -- reading and writing ---------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """Whether there is something to read that the system does not know of."""
        return bool(self._pending) or self.tls is not None and self.tls.pending() > 0

    def receive(self, pattern: str | int, prefix: bytes) -> tuple:
        """Return LuaSocket's results: the data, or None, why, and what has come."""
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while (found := self._take(pattern, prefix)) is None:
            reason = b"closed" if self._ended else self._read_more(deadline)
            if reason is None and len(self._pending) > _MAX_PENDING:
                reason = b"too much to receive at once"
            if reason is None or (self._ended and pattern == "a" and (self._pending or prefix)):
                continue
            partial = prefix + bytes(self._pending)
            self._pending.clear()
            return None, reason, partial
        return (found,)

    def _take(self, pattern: str | int, prefix: bytes) -> bytes | None:
        pending = self._pending
        if pattern == "a":
            size = len(pending) if self._ended and (pending or prefix) else -1
        elif pattern == "l":
            size = pending.find(b"\n")
            if size >= 0:
                line = bytes(pending[:size]).replace(b"\r", b"")
                del pending[:size + 1]
                return prefix + line
        else:
            size = max(0, pattern - len(prefix))
            size = size if len(pending) >= size else -1
        if size < 0:
            return None
        data = prefix + bytes(pending[:size])
        del pending[:size]
        return data

    def _read_more(self, deadline: float | None) -> bytes | None:
        """Wait for input; return what keeps it from coming."""
        try:
            sock = self.open()
            if deadline is not None:
                sock.settimeout(max(0.0, deadline - time.monotonic()))
            data = sock.recv(_CHUNK) if self.tls is None else self._read_tls(sock)
        except (OSError, SSL.Error) as error:
            reason = reason_of(error)
            self._ended = self._ended or reason == b"closed"
            return reason
        if not data:
            self._ended = True
            return b"closed"
        self.received += len(data)
        self._pending += data
        return None

    def send(self, data: bytes) -> tuple[int, bytes | None]:
        """Write; return how many bytes are written and what has kept the rest."""
        done = 0
        try:
            sock = self.open()
            sock.settimeout(self.timeout)
            if self.tls is not None:
                for start in range(0, len(data), _CHUNK):
                    self.tls.sendall(data[start:start + _CHUNK])
                    self._flush(sock)
                    done = min(start + _CHUNK, len(data))
            else:
                while done < len(data):
                    done += sock.send(data[done:done + _CHUNK])
        except (OSError, SSL.Error) as error:
            return done, reason_of(error)
        finally:
            self.sent += done
        return done, None

    # -- TLS -------------------------------------------------------------------------------

    def secure(self, context: SSL.Context, server: bool) -> None:
        """Put TLS on the socket; `shake_hands` comes next."""
        self.tls = SSL.Connection(context, None)
        if server:
            self.tls.set_accept_state()
        else:
            self.tls.set_connect_state()

    def shake_hands(self) -> None:
        """Wait for the handshake; raises OSError and SSL.Error."""
        sock = self.open()
        sock.settimeout(self.timeout)
        self._until_done(sock, self.tls.do_handshake)

    def _read_tls(self, sock: Any) -> bytes:
        try:
            return self._until_done(sock, self.tls.recv, _CHUNK)
        except SSL.ZeroReturnError:
            return b""

    def _until_done(self, sock: Any, function: Any, *args: Any) -> Any:
        while True:
            try:
                return function(*args)
            except SSL.WantReadError:
                self._flush(sock)
                data = sock.recv(_CHUNK)
                if not data:
                    raise ConnectionResetError("closed") from None
                self.tls.bio_write(data)
            finally:
                self._flush(sock)

    def _flush(self, sock: Any) -> None:
        while True:
            try:
                data = self.tls.bio_read(_CHUNK)
            except SSL.WantReadError:
                return
            sock.sendall(data)

    def close(self) -> None:
        """End it, and the TLS on it."""
        if self.tls is not None and self.sock is not None and not self.closed:
            try:
                self.sock.settimeout(0)
                self.tls.shutdown()
                self._flush(self.sock)
            except (OSError, SSL.Error):
                self.closed = True  # the peer is gone already; there is nobody to tell
        super().close()


class UdpSocket(BaseSocket):
    """Datagrams."""

    kind = socket.SOCK_DGRAM
