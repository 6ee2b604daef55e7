import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from OpenSSL import SSL

from prosody_py.net.tls import (
    CertificateError,
    CertificateIndex,
    NoApplicationProtocol,
    NoCertificateError,
    ServerContexts,
    TlsOptionError,
    describe,
)
from prosody_py.net.tls.identity import hosts_named

# RFC 7919 appendix A.1.
FFDHE2048 = """-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""


@pytest.fixture
def put(issue, tmp_path):
    """Put a certificate for a host into the directory; return the certificate."""
    def put(host, **more):
        issued = issue(host, **more)
        issued.write(tmp_path, f"{host}.crt", f"{host}.key")
        return issued.certificate
    return put


@pytest.fixture
def contexts(put, tmp_path):
    """Contexts for a directory with a.example, which comes first, and b.example."""
    put("a.example")
    put("b.example")

    def contexts(options=None, **more):
        return ServerContexts(CertificateIndex(tmp_path), options, **more)
    return contexts


@pytest.mark.parametrize("asked, got", [
    ("a.example", "a.example"), ("b.example", "b.example"), ("B.EXAMPLE", "b.example"),
    ("chat.b.example", "b.example"), ("unknown.test", "a.example"), (None, "a.example"),
])
def test_the_client_is_shown_the_certificate_of_the_host_it_names(contexts, shown, asked, got):
    context = contexts().for_listener("a.example", ("xmpp-client",))
    assert hosts_named(shown(context, asked)) == (got,)


def test_starttls_shows_the_certificate_of_the_stream_whatever_the_client_names(contexts, shown):
    assert hosts_named(shown(contexts().for_host("b.example"), "a.example")) == ("b.example",)


def test_contexts_are_shared_until_a_reload(contexts):
    made = contexts()
    before = made.for_host("a.example")
    assert made.for_host("a.example") is made.for_host("chat.a.example") is before
    assert made.for_host("a.example", verify_client=True) is not before
    assert made.reload() == []
    assert made.for_host("a.example") is not before


def test_contexts_are_renewed_daily(contexts):
    now = 0.0
    made = contexts(clock=lambda: now)
    before = made.for_host("a.example")
    now = 86000.0
    assert made.for_host("a.example") is before
    now = 87000.0
    assert made.for_host("a.example") is not before


def test_a_reload_shows_the_new_certificate_and_old_connections_live_on(
        contexts, put, serving, client_context, shown):
    made = contexts()
    listening = made.for_listener("a.example", ("xmpp-client",))
    with serving(listening) as (server, sock), \
            client_context().wrap_socket(sock, server_hostname="a.example") as peer:
        server.ready()
        new = {host: put(host, days=60) for host in ("a.example", "b.example")}
        assert made.reload() == []
        for host in new:
            assert shown(listening, host) == new[host]
            assert shown(made.for_host(host), None) == new[host]
        assert shown(listening, None) == new["a.example"]
        peer.sendall(b"still here")
        assert server.recv() == b"still here"


def test_a_host_without_certificate_has_no_context(contexts):
    with pytest.raises(NoCertificateError, match="for c.test"):
        contexts().for_host("c.test")


@pytest.mark.parametrize("offer, agreed", [
    (["xmpp-client"], "xmpp-client"), (["h2", "xmpp-client"], "xmpp-client"), ([], None),
])
@pytest.mark.parametrize("host", ["a.example", "b.example"])
def test_alpn_agrees_on_our_protocol_and_may_be_left_out(
        contexts, serving, client_context, offer, agreed, host):
    client = client_context()
    if offer:
        client.set_alpn_protocols(offer)
    with serving(contexts().for_listener("a.example", ("xmpp-client",))) as (server, sock), \
            client.wrap_socket(sock, server_hostname=host) as peer:
        assert peer.selected_alpn_protocol() == agreed
        assert describe(server.ready())["alpn"] == agreed


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("host", ["a.example", "b.example"])
def test_alpn_with_nothing_in_common_is_refused_with_the_alert_for_it(
        contexts, serving, client_context, version, host):
    client = client_context(version=version)
    client.set_alpn_protocols(["h2", "http/1.1"])
    with serving(contexts().for_listener("a.example", ("xmpp-client",))) as (server, sock):
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            client.wrap_socket(sock, server_hostname=host)
        with pytest.raises(NoApplicationProtocol):
            server.ready()


def test_alpn_is_ignored_after_starttls(contexts, serving, client_context):
    client = client_context()
    client.set_alpn_protocols(["h2"])
    with serving(contexts().for_host("a.example")) as (server, sock), \
            client.wrap_socket(sock, server_hostname="a.example") as peer:
        assert peer.selected_alpn_protocol() is None


@pytest.mark.parametrize("profile", ["intermediate", "old", "legacy"])
@pytest.mark.parametrize("version", [SSL.TLS1_VERSION, SSL.TLS1_1_VERSION])
def test_no_profile_speaks_tls_1_1(contexts, serving, profile, version):
    client_context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    client_context.set_min_proto_version(version)
    client_context.set_max_proto_version(version)
    client_context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context = contexts(profile=profile).for_host("a.example")
    with serving(context) as (server, sock):
        client = SSL.Connection(client_context, sock)
        client.set_connect_state()
        sock.settimeout(None)
        with pytest.raises(SSL.Error, match="protocol version"):
            client.do_handshake()
        with pytest.raises(SSL.Error, match="unsupported protocol"):
            server.ready()


def agreed(serving, client, context):
    with serving(context) as (server, sock), \
            client.wrap_socket(sock, server_hostname="a.example"):
        return describe(server.ready())


def test_modern_speaks_tls_1_3_only(contexts, serving, client_context):
    context = contexts(profile="modern").for_host("a.example")
    assert agreed(serving, client_context(), context)["protocol"] == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        agreed(serving, client_context(version=ssl.TLSVersion.TLSv1_2), context)


def test_options_decide_protocol_cipher_and_group(contexts, serving, client_context):
    context = contexts({"protocol": "tlsv1_2", "ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384",
                        "curve": "secp384r1"}).for_host("a.example")
    assert agreed(serving, client_context(), context) == {
        "protocol": "TLSv1.2", "cipher": "ECDHE-ECDSA-AES256-GCM-SHA384", "bits": 256,
        "group": "secp384r1", "alpn": None, "server_name": "a.example", "resumed": False}


def test_the_servers_order_of_ciphers_counts(contexts, serving, client_context):
    client = client_context(version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")
    context = contexts().for_host("a.example")
    assert agreed(serving, client, context)["cipher"] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    context = contexts({"options": "no_compression"}).for_host("a.example")
    assert agreed(serving, client, context)["cipher"] == "ECDHE-ECDSA-CHACHA20-POLY1305"


def test_a_host_may_have_its_own_options(contexts, serving, client_context):
    made = contexts({"protocol": "tlsv1_2"}, host_options={"A.example": {"protocol": "tlsv1_3"}})
    context = made.for_host("a.example")
    assert agreed(serving, client_context(), context)["protocol"] == "TLSv1.3"


def test_a_client_cannot_renegotiate(contexts, pyopenssl_client):
    def settings(context):
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    with pyopenssl_client(contexts().for_host("a.example"), settings) as (server, client):
        client.renegotiate()
        with pytest.raises(SSL.WantReadError):
            client.do_handshake()
        with pytest.raises(SSL.WantReadError):
            server.connection.recv(100)
        assert server.connection.total_renegotiations() == 0
        with pytest.raises(SSL.Error, match="no renegotiation"):
            client.do_handshake()


def test_a_certificate_may_be_given_and_stays_in_use_when_its_file_breaks(
        contexts, issue, tmp_path, shown):
    issued = issue("given.example")
    given = tmp_path / "given"
    path = issued.write(given, "x.cert", "x.k")
    made = contexts({"certificate": str(path), "key": str(given / "x.k")})
    assert shown(made.for_host("a.example"), None) == issued.certificate
    path.write_text("nonsense")
    assert any("stays in use" in problem.text for problem in made.reload())
    assert shown(made.for_host("a.example"), None) == issued.certificate


def test_the_key_of_a_given_certificate_may_be_encrypted(contexts, issue, tmp_path, shown):
    issued = issue("given.example")
    issued.key_pem = issued.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    path = issued.write(tmp_path / "given", "x.crt", "x.key")
    options = {"certificate": path, "password": "hunter2"}
    assert shown(contexts(options).for_host("a.example"), None) == issued.certificate
    with pytest.raises(CertificateError) as caught:
        contexts({**options, "password": "hunter3"}).for_host("a.example")
    assert "hunter" not in str(caught.value)


def test_a_key_that_openssl_finds_too_weak_is_refused(contexts, issue, tmp_path):
    issue("weak.example", key=rsa.generate_private_key(65537, 1024)).write(
        tmp_path, "weak.crt", "weak.key")
    with pytest.raises(CertificateError, match="weak.crt cannot be used: .*too small"):
        contexts().for_host("weak.example")


def test_dh_parameters_make_their_ciphers_available(
        contexts, issue, tmp_path, serving, client_context):
    issue("rsa.example", key=rsa.generate_private_key(65537, 2048)).write(
        tmp_path, "rsa.crt", "rsa.key")
    (tmp_path / "dh").write_text(FFDHE2048)
    client = client_context(version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
    with serving(contexts({"dhparam": "dh"}).for_host("rsa.example")) as (_, sock), \
            client.wrap_socket(sock, server_hostname="rsa.example") as peer:
        assert peer.cipher()[0] == "DHE-RSA-AES128-GCM-SHA256"


def test_dh_parameters_that_cannot_be_read_are_refused(contexts, tmp_path):
    (tmp_path / "dh").write_text("nonsense")
    for name in ("dh", "none"):
        with pytest.raises(TlsOptionError, match="dhparam"):
            contexts({"dhparam": name}).for_host("a.example")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_ticket_until_a_reload(
        contexts, serving, client_context, version):
    made = contexts()
    client, session = client_context(version=version), None
    for resumed in (False, True, False):
        if session is not None and not resumed:
            made.reload()
        with serving(made.for_listener("a.example")) as (server, sock), \
                client.wrap_socket(sock, server_hostname="b.example", session=session) as peer:
            server.send(b"x")
            assert peer.recv(1) == b"x"
            assert describe(server.ready())["resumed"] is resumed
            assert peer.session_reused is resumed
            session = peer.session
