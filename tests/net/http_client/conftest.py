"""Web servers that do as they are told, a client, and certificates of an own root."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent import ssl

from prosody_py.api.outgoing import DnsError, HttpError
from prosody_py.net.http_client import HttpClient, HttpClientOptions
from prosody_py.testing.answering import Web


class Names:
    """Addresses by name, as a resolver gives them; addresses are their own."""

    def __init__(self, **names):
        self.names = names

    def addresses(self, host):
        if host in self.names:
            return self.names[host]
        if host == "localhost" or host[0].isdigit() or ":" in host:
            return ["127.0.0.1" if host == "localhost" else host]
        raise DnsError("NXDomain", host)


@pytest.fixture
def web():
    """Start a server with its answers by path."""
    servers = []

    def start(answers, tls=None):
        servers.append(Web(answers, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def client_with():
    """Make a client with options; `names` maps hosts to addresses."""
    clients = []

    def make(names=(), **options):
        clients.append(HttpClient(Names(**dict(names)), HttpClientOptions(**options)))
        return clients[-1]

    yield make
    for each in clients:
        each.close_idle()


@pytest.fixture
def client(client_with):
    return client_with()


@pytest.fixture
def failure():
    """Return the code with which a request fails."""
    def fail(client, *args, **options):
        with pytest.raises(HttpError) as found:
            client.request(*args, **options)
        return found.value.code

    return fail


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Return a function that makes server contexts with certificates of an own root, and that."""
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(subject, public, *extensions):
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(name)
                   .public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root = folder / "root.pem"
    root.write_bytes(certificate(name, key.public_key(),
                                 (x509.BasicConstraints(True, None), True)))

    def context(*names):
        own = ec.generate_private_key(ec.SECP256R1())
        alternatives = [x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit()
                        else x509.DNSName(each) for each in names]
        path = folder / "leaf.pem"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        path.write_bytes(own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()) + certificate(
                subject, own.public_key(), (x509.SubjectAlternativeName(alternatives), False)))
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(path)
        return made

    context.root = str(root)
    return context
