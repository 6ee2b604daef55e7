"""Debian's modules whose accounts log in by a certificate or a token of somebody else."""

from __future__ import annotations

import base64
import datetime
import ipaddress

import gevent
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gevent import pywsgi, ssl

from prosody_py.testing.client import Client
from prosody_py.testing.sasl2 import FAST, Sasl2Client, bind, request_token
from prosody_py.xmpp import ns

EMAIL = x509.NameOID.EMAIL_ADDRESS


def xmpp_addr(address):
    """Return an alternative name for an address (RFC 6120 section 13.7.1.4)."""
    text = address.encode()
    return x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5"),
                          bytes((0x0c, len(text))) + text)


@pytest.fixture
def issue(tmp_path):
    """Return a function that makes a certificate that stands for itself, with its key in a file."""
    def make(name, names=(), subject=()):
        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name), *subject])
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        builder = (x509.CertificateBuilder().subject_name(own).issuer_name(own)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - day).not_valid_after(now + day))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = builder.sign(key, hashes.SHA256())
        file = tmp_path / f"{name}.pem"
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return str(file)

    return make


def showing(file):
    """Return a TLS context of a client that shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if file:
        context.load_cert_chain(file)
    return context


def connect(running, file=None, kind=Client):
    """Return a client over TLS, with a certificate, and what it is offered."""
    client = kind(running.address())
    running.clients.append(client)
    client.open()
    client.starttls(showing(file)).open()
    found = client.features.get_child("mechanisms", ns.SASL)
    return client, [] if found is None else [tag.get_text() for tag in found.tags]


def answer(client, mechanism, data):
    """Return what comes of an attempt: the address that is bound, or the failure."""
    client.sasl_auth(mechanism, data)
    element = client.receive()
    if element.name != "success":
        return element.tags[0].name if element.name == "failure" else element
    client.open()
    return client.bind("here").jid


# -- certificates --------------------------------------------------------------------------


@pytest.fixture
def start_with_certificates(start_debian, issue, tmp_path):
    """Return a function that starts a server which trusts the certificates of some files."""
    def start(files, **options):
        trusted = tmp_path / "trusted.pem"
        trusted.write_text("".join(open(file).read().partition("-----BEGIN PRIVATE")[0]
                                   for file in files))
        return start_debian("auth_ccert", authentication="ccert", c2s_client_certificates=True,
                            ssl={"cafile": str(trusted)}, **options)
    return start


def test_a_certificate_says_who_somebody_is(start_with_certificates, issue):
    juliet = issue("juliet", [xmpp_addr("juliet@localhost")])
    elsewhere = issue("elsewhere", [xmpp_addr("juliet@other.example")])
    unknown = issue("unknown", [xmpp_addr("juliet@localhost")])
    running = start_with_certificates([juliet, elsewhere])
    client, offered = connect(running, juliet)
    assert offered == ["EXTERNAL"]
    assert answer(client, "EXTERNAL", b"romeo@localhost") == "not-authorized"
    assert answer(client, "EXTERNAL", b"juliet@localhost") == "juliet@localhost/here"
    client, _offered = connect(running, juliet)
    assert answer(client, "EXTERNAL", b"") == "juliet@localhost/here"
    for file in (elsewhere, unknown, None):
        client, offered = connect(running, file)
        assert offered == []
        assert answer(client, "EXTERNAL", b"juliet@localhost") == "invalid-mechanism"


def test_the_address_may_be_that_of_the_subjects_mail(start_with_certificates, issue):
    file = issue("mail", subject=[x509.NameAttribute(EMAIL, "juliet@localhost")])
    running = start_with_certificates([file], certificate_match="email")
    client, offered = connect(running, file)
    assert offered == ["EXTERNAL"]
    assert answer(client, "EXTERNAL", b"juliet@localhost") == "juliet@localhost/here"


# -- tokens --------------------------------------------------------------------------------


@pytest.fixture
def tokens(issue):
    """Return a service that knows one token: (its address, its certificate, what it was asked)."""
    file = issue("service", [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    asked = []

    def serve(environ, start_response):
        asked.append((environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION")))
        right = environ["PATH_INFO"] == "/tokens/good"
        start_response("200 OK" if right else "404 Not Found", [])
        return [b""]

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = pywsgi.WSGIServer(("127.0.0.1", 0), serve, ssl_context=context, log=None)
    server.start()
    yield f"https://127.0.0.1:{server.server_port}", file, asked
    server.stop()


def bearer(token, authzid=""):
    return f"n,{authzid and 'a=' + authzid},\x01auth=Bearer {token}\x01\x01".encode()


@pytest.fixture
def server(start_debian, tokens):
    url, file, _asked = tokens
    return start_debian(
        "auth_oauthbearer", modules=["sasl2"], authentication="oauthbearer", oauth_client_id="me",
        oauth_client_secret="hush", oauth_url=url + "/tokens/{{password}}",
        client_https_ssl={"cafile": file})


def test_a_token_of_another_service_opens_the_door(server, tokens):
    client, offered = connect(server)
    assert offered == ["OAUTHBEARER"]
    assert answer(client, "OAUTHBEARER", bearer("good", "juliet@localhost")) == (
        "juliet@localhost/here")
    basic = "Basic " + base64.b64encode(b"me:hush").decode()
    assert tokens[2] == [("/tokens/good", basic)]


@pytest.mark.parametrize("message", [bearer("bad", "juliet@localhost"), bearer("good"),
                                     bearer("good", "juliet@other.example")])
def test_a_token_that_is_not_good_is_refused(server, message):
    """RFC 7628 section 3.2.3: the client is told why, and answers, and has failed then."""
    client, _offered = connect(server)
    challenge = answer(client, "OAUTHBEARER", message)
    assert challenge.name == "challenge"
    assert b'"status":"invalid_token"' in base64.b64decode(challenge.get_text())
    client.send(f"<response xmlns='{ns.SASL}'>{base64.b64encode(bytes([1])).decode()}</response>")
    assert client.receive().tags[0].name == "not-authorized"


def test_tokens_are_not_for_streams_in_clear(server):
    client = server.connect()
    client.open()
    assert answer(client, "OAUTHBEARER", bearer("good", "juliet@localhost")) == (
        "encryption-required")


@pytest.mark.parametrize(("message", "condition"), [
    (b"nonsense", "malformed-request"), (b"\xff\xfe", "malformed-request"),
    (b"n,,\x01auth=Basic good\x01\x01", "malformed-request")])
def test_what_is_no_token_is_malformed(server, message, condition):
    client, _offered = connect(server)
    assert answer(client, "OAUTHBEARER", message) == condition


def test_a_token_is_good_for_sasl_2_as_well(server):
    client, _offered = connect(server, kind=Sasl2Client)
    assert client.mechanisms == ["OAUTHBEARER"]
    with gevent.Timeout(20):
        success = client.begin("OAUTHBEARER", bearer("good", "juliet@localhost"))
    assert client.succeeded(success).jid == "juliet@localhost"


SCOPED = """
    local new_sasl = require "util.sasl".new;
    local provider = { name = "scoped" };
    function provider.user_exists() return true; end
    function provider.get_sasl_handler(session)
        return new_sasl(module.host, { oauthbearer = function (self, token, realm, authzid)
            if token ~= "some" and token ~= "all" then return nil; end
            if token == "some" then self.role = { name = "prosody:restricted" }; end
            return "juliet", true, { scope = token };
        end });
    end
    module:provides("auth", provider);
"""


@pytest.mark.parametrize("sasl2", [False, True])
@pytest.mark.parametrize(("token", "role"), [("some", "prosody:restricted"),
                                             ("all", "prosody:user")])
def test_a_token_may_be_good_for_less_than_the_account(start_with_modules, tmp_path, sasl2, token,
                                                       role):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "mod_auth_scoped.lua").write_text(SCOPED)
    running = start_with_modules(modules=["sasl2_bind2", "sasl2_fast", "client_management"],
                                 more_folders=[str(folder)], authentication="scoped")
    client, offered = connect(running, kind=Sasl2Client)
    assert offered == ["OAUTHBEARER"]
    if sasl2:
        success = client.begin("OAUTHBEARER", bearer(token), bind() + request_token())
        jid = client.succeeded(success).jid
        # Nobody comes back with more than it came with.
        assert (success.get_child("token", FAST) is None) == (token == "some")
        client.receive()
        listing = client.iq("get", "<list xmlns='urn:xmpp:cam:0'/>")
        assert (listing.attr["type"] == "error") == (token == "some")
    else:
        jid = answer(client, "OAUTHBEARER", bearer(token))
    assert running.server.full_sessions[jid].role.name == role
