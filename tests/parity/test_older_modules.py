"""Debian's modules that Prosody 0.12 itself does not load, with what this server has for them."""

from __future__ import annotations

import base64
import datetime
import json

import gevent
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gevent import ssl

from prosody_py.hosts import users
from prosody_py.testing.web import WebClient
from prosody_py.xmpp import ns

COMMANDS = "http://jabber.org/protocol/commands"
SASL_CERT = "urn:xmpp:saslcert:1"
HTTP = {"http_ports": [0], "https_ports": []}


def run(client, node, inside="", to="localhost", **attributes):
    more = " ".join(f"{name}='{value}'" for name, value in attributes.items())
    return client.iq("set", f"<command xmlns='{COMMANDS}' node='{node}' {more}>{inside}</command>",
                     to).tags[0]


def test_an_account_of_dovecot_logs_in(start_debian, dovecot):
    running = start_debian("auth_dovecot", authentication="dovecot",
                           dovecot_auth_socket=dovecot.path)
    dovecot.logins.clear()
    client = running.connect().login("juliet", tls=True, mechanism="PLAIN")
    assert client.jid.startswith("juliet@localhost/") and dovecot.logins == ["juliet"]
    for name, password in (("juliet", "wrong"), ("romeo", "secret")):
        client = running.connect()
        client.open()
        client.starttls().open()
        client.sasl_auth("PLAIN", f"\0{name}\0{password}".encode())
        assert client.receive().tags[0].name == "not-authorized"


def test_many_log_in_at_once_by_way_of_dovecot(start_debian, dovecot):
    running = start_debian("auth_dovecot", authentication="dovecot",
                           dovecot_auth_socket=dovecot.path)
    provider = users.provider(running.server, "localhost")
    passwords = ["secret", "wrong"] * 10
    checks = [gevent.spawn(provider.test_password, "juliet", password) for password in passwords]
    gevent.joinall(checks, timeout=10)
    assert [check.value for check in checks] == [password == "secret" for password in passwords]
    assert not provider.test_directly("juliet", "wrong")
    assert provider.test_directly("juliet", "secret")


def test_a_client_sees_which_of_its_siblings_get_carbons(start_debian):
    running = start_debian("carbons", "carbons_adhoc", modules=["adhoc"])
    desk, phone = (running.client("juliet", resource=name) for name in ("desk", "phone"))
    phone.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    note = run(desk, "mod_carbons_adhoc#status").get_child_text("note")
    assert sorted(note.split("\n")[:2]) == [
        "juliet@localhost/desk: none", "juliet@localhost/phone: v2"]


def xmpp_certificate(address):
    """Return a key and a certificate for an address (RFC 6120 section 13.7.1.4), in PEM and DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    text = address.encode()
    xmpp_addr = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5"),
                               bytes((0x0c, len(text))) + text)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - day).not_valid_after(now + day)
            .add_extension(x509.SubjectAlternativeName([xmpp_addr]), critical=False)
            .sign(key, hashes.SHA256()))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    return (pem + made.public_bytes(serialization.Encoding.PEM),
            made.public_bytes(serialization.Encoding.DER))


@pytest.fixture
def certificate(tmp_path):
    """Return juliet's certificate in base64 and a TLS context that shows it."""
    pem, der = xmpp_certificate("juliet@localhost")
    (tmp_path / "client.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(tmp_path / "client.pem")
    return base64.b64encode(der).decode(), context


def external(running, context):
    """Return a client that has tried to log in with its certificate, and the answer."""
    client = running.connect()
    client.open()
    features = client.starttls(context).open()
    offered = [mechanism.get_text()
               for mechanism in features.get_child("mechanisms", ns.SASL).tags]
    client.sasl_auth("EXTERNAL", b"juliet@localhost")
    return client, client.receive().name, "EXTERNAL" in offered


def test_a_certificate_is_added_used_and_revoked(start_debian, certificate):
    data, context = certificate
    running = start_debian("client_certs", modules=["adhoc"], ssl={"verify": ["peer"]})
    juliet = running.client("juliet")
    append = (f"<append xmlns='{SASL_CERT}'><name>Phone</name><x509cert>{data}</x509cert>"
              "</append>")
    assert external(running, context)[1] == "failure"
    assert running.client("romeo").iq("set", append).get_error()[1] == "bad-request"
    assert juliet.iq("set", append).attr["type"] == "result"
    (item,) = juliet.iq("get", f"<items xmlns='{SASL_CERT}'/>").tags[0].tags
    assert item.get_child_text("name") == "Phone"
    client, answer, offered = external(running, context)
    assert (answer, offered) == ("success", True)
    client.open()
    assert client.bind("phone").jid == "juliet@localhost/phone"
    revoke = f"<revoke xmlns='{SASL_CERT}'><name>Phone</name></revoke>"
    assert juliet.iq("set", revoke).attr["type"] == "result"
    assert client.closed_with() == "not-authorized"
    assert external(running, context)[1] == "failure"


def test_strangers_do_not_manage_certificates(start_debian):
    running = start_debian("client_certs", modules=["adhoc"],
                           hosts={"localhost": {}, "other.localhost": {}})
    stranger = running.client("juliet", host="other.localhost")
    answer = stranger.iq("set", f"<command xmlns='{COMMANDS}' "
                         "node='http://prosody.im/protocol/certs'/>", "localhost")
    assert answer.get_error()[1] == "forbidden"
    command = run(running.client("juliet"), "http://prosody.im/protocol/certs")
    assert command.attr["status"] == "executing"


def test_admins_hear_of_spam(start_debian):
    running = start_debian("blocklist", "watch_spam_reports", admins=["root@localhost"])
    root, juliet = (running.client(name).available() for name in ("root", "juliet"))

    def block(report):
        return juliet.iq("set", "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'>"
                         f"{report}</item></block>")

    one, zero = ("urn:xmpp:reporting:1", "urn:xmpp:reporting:0")
    for report, text in (
            (f"<report xmlns='{one}' reason='urn:xmpp:reporting:spam'><text>Ads</text></report>",
             "reported spam from tybalt@localhost: Ads"),
            (f"<report xmlns='{zero}'><abuse/></report>",
             "reported abuse from tybalt@localhost: no reason given")):
        assert block(report).attr["type"] == "result"
        assert root.message().get_child_text("body") == f"juliet@localhost {text}"
    for report in ("", f"<report xmlns='{one}' reason='urn:example:boredom'/>"):
        assert block(report).attr["type"] == "result"
    assert [element for element in root.flush() if element.name == "message"] == []
    blocked = juliet.iq("get", "<blocklist xmlns='urn:xmpp:blocking'/>").tags[0].tags
    assert [item.attr["jid"] for item in blocked] == ["tybalt@localhost"]


def test_an_account_is_registered_with_json_and_verified(start_debian):
    running = start_debian("register_json", reg_servlet_auth_token="token",
                           reg_servlet_secure=False, **HTTP)
    web = WebClient(running.address("http"))

    def ask(**data):
        body = base64.b64encode(json.dumps(data).encode())
        return web.request("POST", "/register_account/", {}, body)

    good = {"username": "juliet", "password": "secret", "ip": "192.0.2.1",
            "mail": "juliet@example.com", "auth_token": "token"}
    assert ask(**{**good, "auth_token": "guess"}).status == 401
    assert ask(username="juliet").status == 400
    assert web.request("POST", "/register_account/", {}, b"?").status == 400
    answer = ask(**good)
    assert answer.status == 200 and not users.user_exists(running.server, "juliet", "localhost")
    assert "<form" in web.get("/register_account/verify/").text
    web.request("POST", "/register_account/verify/", {}, b"uuid=" + answer.body)
    running.connect().login("juliet")
    assert ask(**{**good, "mail": "other@example.com"}).status == 409
    web.close()


def test_an_invitation_asks_for_a_good_password(start_debian, debian):
    running = start_debian("invites", "invites_page", "invites_register", "invites_register_web",
                           "register_apps", modules=["password_policy", "http"],
                           password_policy={"length": 12}, **HTTP)
    invites = running.server.hosts["localhost"].modules["invites"].exports
    token = invites.create_account("juliet").token
    web = WebClient(running.address("http"))
    assert 'minlength="12"' in web.get(f"/register?t={token}").text
    for password, made in (("short", False), ("long enough it is", True)):
        body = f"user=juliet&token={token}&password={password.replace(' ', '+')}".encode()
        answer = web.request("POST", "/register", {
            "Content-Type": "application/x-www-form-urlencoded"}, body)
        assert answer.status == 200
        assert ("at least 12 characters" in answer.text) is not made
        assert users.user_exists(running.server, "juliet", "localhost") is made
    running.connect().login("juliet", "long enough it is")
    web.close()
