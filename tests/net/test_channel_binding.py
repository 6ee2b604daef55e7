"""SCRAM with channel binding over real TLS connections (RFC 5802, 5929, 9266; XEP-0440)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from prosody_py.xmpp import ns

HASHES = ["SHA-1", "SHA-256", "SHA-512"]
TLS12, TLS13 = SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION


@pytest.fixture
def connect(start_server, tls_socket):
    """Return a function that gives a client on a stream over TLS of a version."""
    running = start_server(password_hashes=HASHES)
    running.user("juliet")

    def secure(version):
        client = running.connect()
        client.open()
        client.send(f"<starttls xmlns='{ns.TLS}'/>")
        assert client.receive().name == "proceed"
        client.sock = tls_socket(client.sock, version)
        client.open()
        return client
    return secure


def binding(client, kind):
    """Return what the client's side of its connection is bound to."""
    tls = client.sock.tls
    if kind == "tls-exporter":
        return tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
    if kind == "tls-unique":
        return tls.get_finished()
    return tls.get_peer_certificate(as_cryptography=True).fingerprint(hashes.SHA256())


def advertised(client):
    return {tag.attr["type"] for tag in
            client.features.get_child("sasl-channel-binding", "urn:xmpp:sasl-cb:0").tags}


def condition(answer):
    return answer.name if answer.name == "success" else answer.tags[0].name


def test_the_types_of_each_tls_version_are_advertised(connect):
    assert advertised(connect(TLS12)) == {"tls-exporter", "tls-unique", "tls-server-end-point"}
    assert advertised(connect(TLS13)) == {"tls-exporter", "tls-server-end-point"}


@pytest.mark.parametrize("hash", HASHES)
@pytest.mark.parametrize(("version", "kind"), [
    (TLS13, "tls-exporter"), (TLS13, "tls-server-end-point"),
    (TLS12, "tls-exporter"), (TLS12, "tls-server-end-point"), (TLS12, "tls-unique")])
def test_a_bound_login_succeeds_and_other_data_does_not(connect, version, kind, hash):
    client = connect(version)
    data = binding(client, kind)
    wrong = bytes([data[0] ^ 1]) + data[1:]
    for given, expected in ((wrong, "not-authorized"), (b"", "not-authorized"),
                            (data, "success")):
        answer = client.scram("juliet", "secret", f"SCRAM-{hash}-PLUS", f"p={kind},,", given)
        assert condition(answer) == expected


@pytest.mark.parametrize("hash", HASHES)
def test_every_hash_works_without_binding(connect, hash):
    assert condition(connect(TLS13).scram("juliet", "secret", f"SCRAM-{hash}")) == "success"


def test_a_client_that_believes_the_server_cannot_bind_was_lied_to(connect):
    client = connect(TLS13)
    answer = client.scram("juliet", "secret", "SCRAM-SHA-256", "y,,")
    assert condition(answer) == "not-authorized"


def test_without_tls_that_belief_is_right(start_server):
    running = start_server()
    running.user("juliet")
    client = running.connect()
    client.open()
    assert condition(client.scram("juliet", "secret", "SCRAM-SHA-1", "y,,")) == "success"


def test_a_type_that_this_connection_does_not_have_is_refused(connect):
    client = connect(TLS13)
    answer = client.scram("juliet", "secret", "SCRAM-SHA-1-PLUS", "p=tls-unique,,", b"x" * 12)
    assert condition(answer) == "not-authorized"


@pytest.mark.parametrize(("mechanism", "gs2"), [
    ("SCRAM-SHA-1-PLUS", "n,,"), ("SCRAM-SHA-1-PLUS", "y,,"),
    ("SCRAM-SHA-1", "p=tls-exporter,,")])
def test_a_flag_that_does_not_fit_the_mechanism_is_malformed(connect, mechanism, gs2):
    assert condition(connect(TLS13).scram("juliet", "secret", mechanism, gs2)) == (
        "malformed-request")


def test_a_wrong_password_is_not_authorized_however_it_is_bound(connect):
    client = connect(TLS13)
    answer = client.scram("juliet", "wrong", "SCRAM-SHA-1-PLUS", "p=tls-exporter,,",
                          binding(client, "tls-exporter"))
    assert condition(answer) == "not-authorized"
