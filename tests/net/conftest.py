"""A server that must be as it was when a test is over, and a TLS client that tells all."""

from __future__ import annotations

import gc
import os

import pytest
from OpenSSL import SSL

from prosody_py.net.connection import Connection
from prosody_py.testing.client import wait_until


def connections(running):
    """Return mod_c2s' table of connections and sessions."""
    return running.server.modules.get_module("*", "c2s").listener.sessions


def open_files():
    return len(os.listdir("/proc/self/fd"))


def alive():
    """Return how many connections are still referred to by anything."""
    return sum(type(each) is Connection for each in gc.get_objects())


@pytest.fixture
def steady_server(start_server, tmp_path, capfd):
    """Like `start_server`, for one server that must not leak sessions, files or connections.

    There must be no traceback either, whatever its clients do.
    """
    found = []
    log = tmp_path / "server.log"

    def start(modules=None, **options):
        gc.freeze()  # what was there before is not looked through: that takes seconds
        running = start_server(modules, log={"level": "debug", "to": str(log)}, **options)
        running.client("warm-up", tls=True).close()  # makes what is made once
        wait_until(lambda: not connections(running))
        found.append((running, open_files(), alive()))
        return running

    yield start
    for running, files, count in found:
        for client in running.clients:
            client.sock.close()
        running.clients.clear()
        wait_until(lambda running=running: not connections(running))
        assert not running.server.full_sessions and not running.server.bare_sessions
        assert not running.server.modules.get_module("*", "c2s").listener.per_address
        wait_until(lambda files=files: open_files() <= files)
        gc.collect()
        assert alive() <= count
    gc.unfreeze()
    if found:
        assert "Traceback" not in capfd.readouterr().err
        assert "Traceback" not in log.read_text(encoding="utf-8")


class TlsSocket:
    """A client's side of TLS by pyOpenSSL, which has the exporter; otherwise like a socket."""

    def __init__(self, sock, version=None, name=b"localhost", alpn=(), certificate=None):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if version is not None:
            context.set_max_proto_version(version)
        if alpn:
            context.set_alpn_protos(list(alpn))
        if certificate is not None:
            context.use_certificate(certificate[0])
            context.use_privatekey(certificate[1])
        self.sock = sock
        self.tls = SSL.Connection(context, None)
        self.tls.set_connect_state()
        if name:
            self.tls.set_tlsext_host_name(name)
        self._until_done(self.tls.do_handshake)

    def _until_done(self, function, *args):
        while True:
            try:
                return function(*args)
            except SSL.WantReadError:
                self._flush()
                data = self.sock.recv(65536)
                if not data:
                    raise ConnectionError("closed during TLS") from None
                self.tls.bio_write(data)
            finally:
                self._flush()

    def _flush(self):
        while True:
            try:
                self.sock.sendall(self.tls.bio_read(65536))
            except SSL.WantReadError:
                return

    def sendall(self, data):
        self._until_done(self.tls.sendall, data)

    def recv(self, size):
        try:
            return self._until_done(self.tls.recv, size)
        except SSL.ZeroReturnError:
            return b""

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def close(self):
        self.sock.close()


@pytest.fixture
def tls_socket():
    """The class TlsSocket: `client.sock = tls_socket(client.sock)` does the handshake."""
    return TlsSocket
