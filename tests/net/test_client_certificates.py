"""SASL EXTERNAL: logging in with a certificate (XEP-0178), over real handshakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from prosody_py.net.tls.identity import xmpp_address
from prosody_py.xmpp import ns


def issue(*addresses, by=None, days=1):
    """Return (certificate, key) for XMPP addresses; an authority when there are none."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client" if by else "root")])
    issuer, signer = (by[0].subject, by[1]) if by else (name, key)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(issuer)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True))
    if addresses:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([xmpp_address(each) for each in addresses]), False)
    return builder.sign(signer, hashes.SHA256()), key


@pytest.fixture(scope="module")
def authority():
    return issue()


@pytest.fixture
def connect(steady_server, tls_socket, authority, tmp_path):
    """Return a function that gives a client on a stream over TLS with a certificate."""
    file = tmp_path / "clients.pem"
    file.write_bytes(authority[0].public_bytes(Encoding.PEM))
    running = steady_server(c2s_client_certificates=True, ssl={"cafile": str(file)})
    for name in ("juliet", "nurse"):
        running.user(name)

    def connected(certificate):
        client = running.connect()
        client.open()
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        client.receive()
        client.sock = tls_socket(client.sock, certificate=certificate)
        client.open()
        return client

    connected.running = running
    return connected


def offered(client):
    return [tag.get_text() for tag in client.features.get_child("mechanisms", ns.SASL).tags]


def answer(client, authzid=b""):
    client.sasl_auth("EXTERNAL", authzid)
    element = client.receive()
    return element.name if element.name == "success" else element.tags[0].name


def test_a_certificate_for_an_account_logs_in_without_a_password(connect, authority):
    client = connect(issue("juliet@localhost", by=authority))
    assert offered(client)[0] == "EXTERNAL"
    assert answer(client) == "success"
    client.open()
    assert client.bind("balcony").jid == "juliet@localhost/balcony"


def test_naming_the_account_works_and_naming_another_does_not(connect, authority):
    client = connect(issue("juliet@localhost", by=authority))
    assert answer(client, b"nurse@localhost") == "invalid-authzid"
    assert answer(client, b"juliet@example.org") == "invalid-authzid"
    assert answer(client, b"juliet@localhost") == "success"


def test_of_several_accounts_one_must_be_named(connect, authority):
    client = connect(issue("juliet@localhost", "nurse@localhost", by=authority))
    assert answer(client) == "invalid-authzid"
    assert answer(client, b"nurse@localhost") == "success"


@pytest.mark.parametrize("case", ["none", "untrusted", "expired", "other host", "no account"])
def test_other_certificates_do_not_offer_it(connect, authority, case):
    certificate = {
        "none": lambda: None,
        "untrusted": lambda: issue("juliet@localhost", by=issue()),
        "expired": lambda: issue("juliet@localhost", by=authority, days=-1),
        "other host": lambda: issue("juliet@example.org", by=authority),
        "no account": lambda: issue("localhost", by=authority),
    }[case]()
    client = connect(certificate)
    assert "EXTERNAL" not in offered(client) and "PLAIN" in offered(client)
    assert answer(client) == "invalid-mechanism"


def test_a_disabled_account_stays_outside(connect, authority):
    connect.running.server.hosts["localhost"].users.set_enabled("juliet", False)
    assert answer(connect(issue("juliet@localhost", by=authority))) == "account-disabled"


def test_a_certificate_for_an_account_that_does_not_exist_is_not_enough(connect, authority):
    assert answer(connect(issue("nobody@localhost", by=authority))) != "success"
