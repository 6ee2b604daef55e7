import ssl

import pytest
from OpenSSL import SSL

from prosody_py.net.tls import (
    CertificateIndex,
    ServerContexts,
    TlsOptionError,
    client_addresses,
    describe,
    peer_certificate,
    selfsigned,
)
from prosody_py.net.tls.identity import xmpp_address


@pytest.fixture
def contexts(issue, authority, tmp_path):
    """Contexts that trust ``authority`` for clients, too."""
    issue("a.example").write(tmp_path, "a.crt", "a.key")
    (tmp_path / "roots").write_bytes(authority.pem)
    return ServerContexts(CertificateIndex(tmp_path), {"cafile": "roots"})


@pytest.fixture
def seen(contexts, serving, client_context, tmp_path):
    """Return what the server sees of a client: ``seen(issued)``."""
    def seen(issued, context=None, version=None):
        client = client_context(version=version)
        if issued is not None:
            path = tmp_path / "client.pem"
            path.write_bytes(issued.pem + issued.key_pem)
            client.load_cert_chain(path)
        context = context or contexts.for_host("a.example", verify_client=True)
        with serving(context) as (server, sock), \
                client.wrap_socket(sock, server_hostname="a.example") as peer:
            server.ready()
            # TLS 1.3 clients are done before the server has judged; errors left behind by the
            # verification must not be blamed on the next call either.
            peer.sendall(b"hello")
            assert server.recv() == b"hello"
            server.send(b"welcome")
            assert peer.recv(20) == b"welcome"
            return peer_certificate(server.connection)
    return seen


BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@BOTH
def test_a_client_without_certificate_is_accepted(seen, version):
    assert seen(None, version=version) is None


@BOTH
def test_a_trusted_certificate_is_available_with_its_addresses(seen, issue, version):
    issued = issue(other=[xmpp_address("me@a.example")])
    got = seen(issued, version=version)
    assert got.certificate == got.chain[0] == issued.certificate
    assert got.trusted and got.errors == ()
    assert client_addresses(got.certificate) == ["me@a.example"]


@BOTH
def test_an_unknown_issuer_is_accepted_and_noted(seen, tmp_path, version):
    directory = tmp_path / "client"
    directory.mkdir()
    made = selfsigned.make("peer.example", directory)

    class Shown:
        pem = made.path.read_bytes()
        key_pem = made.key_path.read_bytes()
    got = seen(Shown, version=version)
    assert got.certificate == made.leaf
    assert not got.trusted
    assert SSL.X509VerificationCodes.ERR_DEPTH_ZERO_SELF_SIGNED_CERT in [
        error.code for error in got.errors]
    assert got.errors[0].depth == 0 and "self-signed" in got.errors[0].text


def test_an_expired_certificate_is_accepted_and_noted(seen, issue):
    got = seen(issue("peer.example", days=-1))
    assert [error.code for error in got.errors] == [
        SSL.X509VerificationCodes.ERR_CERT_HAS_EXPIRED]


def test_a_certificate_is_not_asked_for_without_need(seen, contexts, issue):
    assert seen(issue("peer.example"), contexts.for_host("a.example")) is None


def test_the_verify_option_asks_for_one_and_can_insist(seen, issue, tmp_path, authority):
    index = CertificateIndex(tmp_path)
    asking = ServerContexts(index, {"verify": "peer", "cafile": "roots"})
    assert seen(issue("x"), asking.for_host("a.example")).trusted
    insisting = ServerContexts(index, {"verify": ["peer", "fail_if_no_peer_cert"]})
    with pytest.raises((ssl.SSLError, SSL.Error)):
        seen(None, insisting.for_host("a.example"))


def test_a_listener_that_asks_does_so_for_every_host(contexts, issue, tmp_path, seen):
    issue("b.example").write(tmp_path, "b.crt", "b.key")
    contexts.reload()
    context = contexts.for_listener("b.example", ("xmpp-client",), verify_client=True)
    assert seen(issue("peer.example"), context).trusted
    bad = seen(issue("peer.example", days=-1), context)
    assert not bad.trusted


@BOTH
def test_where_certificates_are_asked_for_no_session_is_resumed(
        contexts, serving, client_context, version):
    client, session = client_context(version=version), None
    for _ in range(2):
        with serving(contexts.for_host("a.example", verify_client=True)) as (server, sock), \
                client.wrap_socket(sock, server_hostname="a.example", session=session) as peer:
            server.send(b"x")
            assert peer.recv(1) == b"x"
            session = peer.session
            assert not describe(server.ready())["resumed"]


def test_roots_that_cannot_be_read_are_refused(tmp_path, contexts):
    (tmp_path / "bad").write_text("nonsense")
    for name in ("bad", "none"):
        with pytest.raises(TlsOptionError, match="cafile"):
            ServerContexts(CertificateIndex(tmp_path), {"cafile": name}).for_host("a.example", True)


def test_the_system_roots_are_used_without_cafile(tmp_path, seen, issue):
    context = ServerContexts(CertificateIndex(tmp_path)).for_host("a.example", True)
    assert not seen(issue("peer.example"), context).trusted


def test_the_chain_begins_with_the_peers_own_certificate(seen, issue, authority):
    class Shown:
        pass
    issued = issue("peer.example")
    Shown.pem, Shown.key_pem = issued.pem + authority.pem, issued.key_pem
    assert seen(Shown).chain == (issued.certificate, authority.certificate)
