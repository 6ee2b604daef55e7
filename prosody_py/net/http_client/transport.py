"""A connected socket that is read and written with deadlines, in plain text or with TLS."""

from __future__ import annotations

import select
import time
from contextlib import suppress

from gevent import socket
from OpenSSL import SSL

from prosody_py.api.outgoing import HttpError
from prosody_py.net.tls import TlsConnection, openssl, peer
from prosody_py.net.tls.identity import is_ip_address

_READ_SIZE = 64 * 1024
_WRITE_SIZE = 16 * 1024


class Transport:
    """A connection in plain text; `seconds` is how long it may stand still."""

    def __init__(self, sock: socket.socket, seconds: float):
        self.sock = sock
        self.seconds = seconds
        self.idle_since = 0.0

    def recv(self) -> bytes:
        """Return what has come, b"" at the end; raises OSError, HttpError("read timeout")."""
        self.sock.settimeout(self.seconds)
        try:
            return self.sock.recv(_READ_SIZE)
        except TimeoutError:
            raise HttpError("read timeout") from None

    def sendall(self, data: bytes) -> None:
        """Write everything; raises OSError, HttpError("write timeout")."""
        for start in range(0, len(data), _READ_SIZE):
            self.sock.settimeout(self.seconds)
            try:
                self.sock.sendall(memoryview(data)[start:start + _READ_SIZE])
            except TimeoutError:
                raise HttpError("write timeout") from None

    def is_quiet(self) -> bool:
        """Whether an idle connection is still one: nothing has come, not even its end."""
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


class TlsTransport(Transport):
    """A connection with TLS; `secure` does the handshake."""

    def __init__(self, sock: socket.socket, context: SSL.Context, host: str, verify: bool,
                 seconds: float):
        super().__init__(sock, seconds)
        sock.setblocking(False)
        self.tls = TlsConnection(context, sock)
        self.tls.set_connect_state()
        if not is_ip_address(host):
            self.tls.set_tlsext_host_name(host.encode("ascii"))
        # Whatever the context says: it may be one that leaves the judging to others.
        self.tls.set_verify(SSL.VERIFY_PEER if verify else SSL.VERIFY_NONE, _note_and_judge)
        if verify:
            openssl.expect_host(self.tls, host)

    def secure(self, seconds: float) -> None:
        """Do the handshake; raises HttpError when the certificate is not the host's."""
        deadline = time.monotonic() + seconds
        try:
            self._until_done("connection timeout", deadline, self.tls.do_handshake)
        except (SSL.Error, OSError) as error:
            raise HttpError(*self._blame(error)) from None

    def _blame(self, error: Exception) -> tuple[str, str | None]:
        """Return code and text for a handshake that failed."""
        for one in getattr(self.tls, "verify_errors", ()):
            if one.code in openssl.NAME_MISMATCH:
                return "certificate-verify-failed", one.text
            return "certificate-chain-invalid", one.text
        reasons = error.args[0] if isinstance(error, SSL.Error) and error.args else ()
        text = reasons[0][2] if isinstance(reasons, list) and reasons else None
        return "ssl handshake failed", text

    def _until_done(self, late: str, deadline: float, function, *args):
        """Call a function of OpenSSL's until it does not want to wait any more."""
        while True:
            try:
                return function(*args)
            except SSL.WantReadError:
                wait = socket.wait_read
            except SSL.WantWriteError:
                wait = socket.wait_write
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                wait(self.sock.fileno(), timeout=left, timeout_exc=TimeoutError())
            except TimeoutError:
                raise HttpError(late) from None

    def recv(self) -> bytes:
        """Return what has come, b"" at the end; an end without good-bye is an OSError."""
        try:
            return self._until_done("read timeout", time.monotonic() + self.seconds,
                                    self.tls.recv, _READ_SIZE)
        except SSL.ZeroReturnError:
            return b""
        except SSL.Error as error:
            raise ConnectionResetError("TLS has failed") from error

    def sendall(self, data: bytes) -> None:
        """Write everything; raises OSError, HttpError("write timeout")."""
        view, at = memoryview(data), 0
        while at < len(view):
            piece = bytes(view[at:at + _WRITE_SIZE])
            try:
                at += self._until_done("write timeout", time.monotonic() + self.seconds,
                                       self.tls.send, piece)
            except SSL.Error as error:
                raise ConnectionResetError("TLS has failed") from error

    def is_quiet(self) -> bool:
        """Whether an idle connection is still one; session tickets that have come are read."""
        if super().is_quiet():
            return True
        try:
            self.tls.recv(1)
        except SSL.WantReadError:
            return super().is_quiet()
        except (SSL.Error, OSError):
            return False
        return False

    def close(self) -> None:
        """Say good-bye if that does not wait, then close the socket."""
        with suppress(SSL.Error, OSError):  # the peer is gone, or the handshake was never done
            self.tls.shutdown()
        super().close()


def _note_and_judge(connection: SSL.Connection, shown: object, code: int, depth: int,
                    ok: int) -> bool:
    peer.note_and_accept(connection, shown, code, depth, ok)
    return bool(ok)
