"""Certificates to try things with, and a TLS server that talks to a real client over a socket."""

import select
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from prosody_py.net.tls import TlsConnection

NOW = datetime.now(UTC).replace(microsecond=0)


class Issued:
    """A certificate with its key, and their PEM."""

    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key
        self.pem = certificate.public_bytes(Encoding.PEM)
        self.key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, directory, name, key_name):
        """Write both files (the same one twice: both in it) and return the certificate's path."""
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == key_name:
            path.write_bytes(self.pem + self.key_pem)
        else:
            path.write_bytes(self.pem)
            (directory / key_name).write_bytes(self.key_pem)
        (directory / key_name).chmod(0o600)
        return path


@pytest.fixture(scope="session")
def authority():
    """A root that signs."""
    return _issue_from(None, cn="root", ca=True)


@pytest.fixture(scope="session")
def issue(authority):
    """Make a certificate signed by ``authority``: ``issue("a.example", "*.b.example", days=9)``."""
    def issue(*dns, **more):
        return _issue_from(authority, *dns, **more)
    return issue


def _issue_from(issuer, *dns, cn="test", days=30, since=-1, other=(), ca=False, key=None,
                hash=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, cn)])
    names = [x509.DNSName(name) for name in dns] + list(other)
    builder = (
        x509.CertificateBuilder().subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=min(since, days - 1)))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signer = issuer.key if issuer else key
    return Issued(builder.sign(signer, hash or hashes.SHA256()), key)


def wait_for(connection, call, *arguments):
    """Repeat a call on a non-blocking connection until it is done."""
    while True:
        try:
            return call(*arguments)
        except SSL.WantReadError:
            _select(connection, reading=True)
        except SSL.WantWriteError:
            _select(connection, reading=False)


def _select(connection, reading):
    ready = select.select([connection] if reading else [], [] if reading else [connection], [], 5)
    if not any(ready):
        raise TimeoutError("the peer is silent")


class Server:
    """The server's side of one connection; ``error`` is why its handshake failed."""

    def __init__(self, sock, context):
        sock.setblocking(False)
        self.sock = sock
        self.connection = TlsConnection(context, sock)
        self.connection.set_accept_state()
        self.error = None
        self._thread = threading.Thread(target=self._handshake, daemon=True)
        self._thread.start()

    def _handshake(self):
        try:
            wait_for(self.connection, self.connection.do_handshake)
        except Exception as error:
            self.error = error
            self.sock.shutdown(socket.SHUT_WR)

    def ready(self):
        """Wait for the handshake and return the connection."""
        self._thread.join(5)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.connection

    def recv(self, size=16384):
        return wait_for(self.connection, self.ready().recv, size)

    def send(self, data):
        return wait_for(self.connection, self.ready().send, data)


@contextmanager
def _serving(context):
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        server = Server(ours, context)
        try:
            yield server, theirs
        finally:
            # A server that still waits sees the end; its socket must not be closed under it.
            theirs.close()
            server._thread.join(5)


@pytest.fixture
def serving():
    """``with serving(context) as (server, client_socket)``: the server shakes hands meanwhile."""
    return _serving


@pytest.fixture
def client_context(authority):
    """A ``ssl.SSLContext`` that trusts ``authority`` only, or what it is given."""
    def client_context(trusting=None, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=(trusting or authority.certificate).public_bytes(
            Encoding.PEM).decode())
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context
    return client_context


@pytest.fixture
def shown(serving, client_context):
    """Return the certificate that a client is shown: ``shown(context, server_name)``."""
    def shown(context, server_name, verify=False):
        client = client_context()
        client.check_hostname = verify
        client.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        with serving(context) as (server, sock):
            with client.wrap_socket(sock, server_hostname=server_name) as peer:
                server.ready()
                return x509.load_der_x509_certificate(peer.getpeercert(True))
    return shown


@pytest.fixture
def pyopenssl_client(serving):
    """Connect with a pyOpenSSL client: ``with pyopenssl_client(context) as (server, client)``."""
    @contextmanager
    def connect(context, settings=None):
        client_context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if settings is not None:
            settings(client_context)
        with serving(context) as (server, sock):
            sock.setblocking(False)
            client = SSL.Connection(client_context, sock)
            client.set_connect_state()
            wait_for(client, client.do_handshake)
            server.ready()
            yield server, client
    return connect
