import hashlib
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from OpenSSL import SSL

from prosody_py.net.tls import CertificateIndex, ServerContexts, channel_bindings
from prosody_py.net.tls.binding import end_point_hash


@pytest.fixture
def context(issue, tmp_path):
    issue("a.example").write(tmp_path, "a.crt", "a.key")
    return ServerContexts(CertificateIndex(tmp_path)).for_host("a.example")


def only(version):
    def settings(context):
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
    return settings


def exported(client):
    return client.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")


def test_the_exporter_is_what_the_client_computes_on_tls_1_3(context, pyopenssl_client):
    with pyopenssl_client(context, only(SSL.TLS1_3_VERSION)) as (server, client):
        bindings = channel_bindings(server.connection)
        assert set(bindings) == {"tls-exporter", "tls-server-end-point"}
        assert bindings["tls-exporter"] == exported(client)
        assert len(bindings["tls-exporter"]) == 32


def test_the_exporter_is_there_on_tls_1_2_with_extended_master_secret(context, pyopenssl_client):
    with pyopenssl_client(context, only(SSL.TLS1_2_VERSION)) as (server, client):
        bindings = channel_bindings(server.connection)
        assert bindings["tls-exporter"] == exported(client)
        assert bindings["tls-unique"] == client.get_finished()


def test_without_extended_master_secret_there_is_no_exporter(context, pyopenssl_client):
    no_extended_master_secret = 1 << 0

    def settings(client_context):
        only(SSL.TLS1_2_VERSION)(client_context)
        client_context.set_options(no_extended_master_secret)
    with pyopenssl_client(context, settings) as (server, client):
        assert set(channel_bindings(server.connection)) == {"tls-unique", "tls-server-end-point"}


def test_tls_unique_is_what_pythons_ssl_computes_also_when_resuming(
        context, serving, client_context):
    client, session = client_context(version=ssl.TLSVersion.TLSv1_2), None
    for resumed in (False, True):
        with serving(context) as (server, sock), \
                client.wrap_socket(sock, server_hostname="a.example", session=session) as peer:
            server.ready()
            session = peer.session
            assert peer.session_reused is resumed
            assert channel_bindings(server.connection)["tls-unique"] \
                == peer.get_channel_binding("tls-unique")


def test_the_server_end_point_is_the_hash_of_the_certificate_shown(
        context, serving, client_context):
    with serving(context) as (server, sock), \
            client_context().wrap_socket(sock, server_hostname="a.example") as peer:
        server.ready()
        assert channel_bindings(server.connection)["tls-server-end-point"] \
            == hashlib.sha256(peer.getpeercert(True)).digest()


@pytest.mark.parametrize("signed_with, hashed_with", [
    (hashes.SHA256(), hashes.SHA256), (hashes.SHA384(), hashes.SHA384),
    (hashes.SHA512(), hashes.SHA512),
])
def test_the_hash_of_the_end_point_is_the_signatures(issue, signed_with, hashed_with):
    assert isinstance(end_point_hash(issue("x", hash=signed_with).certificate), hashed_with)


@pytest.mark.parametrize("weak", [hashes.MD5(), hashes.SHA1()])
def test_weak_signature_hashes_are_replaced_by_sha_256(weak):
    class Signed:
        signature_hash_algorithm = weak
    assert isinstance(end_point_hash(Signed), hashes.SHA256)


def test_a_signature_without_hash_has_no_end_point(context, pyopenssl_client):
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
        .public_key(key.public_key()).not_valid_before(now)
        .not_valid_after(now + timedelta(days=1)).sign(key, None))
    with pyopenssl_client(context) as (server, client):
        assert set(channel_bindings(server.connection, certificate)) == {"tls-exporter"}


def test_bindings_are_computed_once_and_only_when_asked_for(context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        bindings = channel_bindings(server.connection)
        assert len(bindings) == 2 and bindings._data == {}
        assert bindings["tls-exporter"] is bindings["tls-exporter"]
        assert bindings.get("tls-unique") is None
