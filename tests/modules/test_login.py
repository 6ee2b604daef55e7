"""mod_saslauth, mod_tls and mod_auth_*: from the first byte of a stream to a bound resource."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import wait_until
from prosody_py.xmpp import ns

pytestmark = pytest.mark.twins("saslauth", "tls", "auth_internal_hashed", "auth_anonymous")
ANONYMOUS = {"authentication": "anonymous"}


def names(features):
    return {tag.name for tag in features.tags}


def mechanisms(features):
    offered = features.get_child("mechanisms", ns.SASL)
    return {tag.get_text() for tag in offered.tags} if offered is not None else set()


def secured(running):
    client = running.connect()
    client.open()
    client.starttls().open()
    return client


def failure(client):
    answer = client.receive()
    assert answer.name == "failure", str(answer)
    return answer.tags[0].name


# -- STARTTLS ------------------------------------------------------------------------------


def test_starttls_is_offered_until_there_is_tls(start_server):
    running = start_server()
    running.user("juliet")
    client = running.connect()
    before = client.open()
    assert before.get_child("starttls", ns.TLS) is not None
    assert before.get_child("starttls", ns.TLS).get_child("required") is None
    secure = client.starttls().open()
    assert "starttls" not in names(secure) and "mechanisms" in names(secure)
    after = client.authenticate("juliet", "secret").open()
    assert not {"starttls", "mechanisms"} & names(after) and "bind" in names(after)


def test_without_tls_nobody_logs_in_where_it_is_required(start_server):
    running = start_server(c2s_require_encryption=True)
    running.user("juliet")
    client = running.connect()
    features = client.open()
    assert features.get_child("starttls", ns.TLS).get_child("required") is not None
    assert mechanisms(features) == set()
    client.sasl_auth("PLAIN", b"\0juliet\0secret")
    assert failure(client) == "encryption-required"
    assert client.starttls().open() and client.authenticate("juliet", "secret", "PLAIN")


def test_starttls_within_tls_fails(start_server):
    client = secured(start_server())
    client.send(f"<starttls xmlns='{ns.TLS}'/>")
    answer = client.receive()
    assert answer.name == "failure" and answer.attr["xmlns"] == ns.TLS


def test_direct_tls_offers_no_starttls(start_server):
    running = start_server(c2s_direct_tls_ports=[0])
    client = running.connect(service="c2s_direct_tls").wrap()
    features = client.open()
    assert "starttls" not in names(features) and "PLAIN" in mechanisms(features)


# -- SASL ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1"])
def test_who_knows_the_password_gets_in(start_server, mechanism):
    running = start_server()
    running.user("juliet")
    client = secured(running)
    assert mechanism in mechanisms(client.features)
    client.authenticate("juliet", "secret", mechanism).open()
    assert client.bind("balcony").jid == "juliet@localhost/balcony"


def test_plain_is_not_offered_in_clear(start_server):
    client = start_server().connect()
    assert "PLAIN" not in mechanisms(client.open())


@pytest.mark.parametrize(("mechanism", "data", "condition"), [
    ("PLAIN", b"\0juliet\0wrong", "not-authorized"),
    ("PLAIN", b"\0nobody\0secret", "not-authorized"),
    ("PLAIN", b"juliet", "malformed-request"),
    ("WISH", b"", "invalid-mechanism")])
def test_what_is_wrong_is_said_and_another_try_is_free(start_server, mechanism, data, condition):
    running = start_server()
    running.user("juliet")
    client = secured(running)
    client.sasl_auth(mechanism, data)
    assert failure(client) == condition
    assert client.authenticate("juliet", "secret")


def test_scram_with_a_wrong_password_is_not_authorized(start_server):
    running = start_server()
    running.user("juliet")
    client = secured(running)
    assert client.scram("juliet", "wrong", "SCRAM-SHA-1").tags[0].name == "not-authorized"
    assert client.scram("nobody", "wrong", "SCRAM-SHA-1").tags[0].name == "not-authorized"


def test_what_is_not_base64_is_incorrect_encoding(start_server):
    client = secured(start_server())
    client.send(f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'>%%%</auth>")
    assert failure(client) == "incorrect-encoding"


def test_a_login_can_be_aborted(start_server):
    running = start_server()
    running.user("juliet")
    client = secured(running)
    client.sasl_auth("SCRAM-SHA-1", b"n,,n=juliet,r=abc")
    assert client.receive().name == "challenge"
    client.send(f"<abort xmlns='{ns.SASL}'/>")
    assert failure(client) == "aborted"
    assert client.authenticate("juliet", "secret")


def test_modules_hear_of_logins_that_fail_and_succeed(start_server):
    running = start_server()
    running.user("juliet")
    heard = []
    events = running.server.hosts["localhost"].events
    for name in ("authentication-success", "authentication-failure"):
        events.add_handler(name, lambda event, name=name: heard.append(
            (name, event.session.username)))
    client = secured(running)
    client.sasl_auth("PLAIN", b"\0juliet\0wrong")
    client.receive()
    client.authenticate("juliet", "secret")
    assert [name for name, _username in heard] == ["authentication-failure",
                                                  "authentication-success"]
    assert heard[1][1] == "juliet"


# -- binding -------------------------------------------------------------------------------


def test_a_resource_is_wished_for_or_made_and_replaces_its_like(start_server):
    running = start_server()
    first = running.client("juliet", "balcony", tls=True)
    made = running.client("juliet").jid.partition("/")[2]
    assert made and made != "balcony"
    second = running.client("juliet", "balcony")
    assert first.closed_with() == "conflict"
    wait_until(lambda: len(running.server.full_sessions) == 2)
    assert second.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
    assert second.iq("set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>").attr[
        "type"] == "result"


# -- accounts ------------------------------------------------------------------------------


def test_accounts_are_made_changed_and_removed(start_server):
    server = start_server().server
    users.create_user(server, "juliet", "secret", "localhost")
    assert users.user_exists(server, "juliet", "localhost")
    assert list(users.provider(server, "localhost").users()) == ["juliet"]
    assert users.provider(server, "localhost").test_password("juliet", "secret")
    users.set_password(server, "juliet", "other", "localhost")
    assert not users.provider(server, "localhost").test_password("juliet", "secret")
    assert users.provider(server, "localhost").test_password("juliet", "other")
    with pytest.raises(users.AccountError):
        users.set_password(server, "romeo", "other", "localhost")
    users.delete_user(server, "juliet", "localhost")
    assert not users.user_exists(server, "juliet", "localhost")


def test_passwords_are_not_kept(start_server):
    running = start_server()
    running.user("juliet")
    kept = running.server.storage.open("localhost", "accounts", "keyval").get("juliet")
    assert kept and "secret" not in str(kept)


def test_anybody_gets_in_anonymously_under_a_name_of_their_own(start_server):
    running = start_server(hosts={"localhost": ANONYMOUS})
    jids = []
    for _ in range(2):
        client = running.connect()
        client.open()
        client.starttls().open()
        assert mechanisms(client.features) == {"ANONYMOUS"}
        client.sasl_auth("ANONYMOUS", b"")
        assert client.receive().name == "success"
        client.open()
        jids.append(client.bind().jid)
        assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
    assert jids[0].partition("@")[0] != jids[1].partition("@")[0]
    with pytest.raises(users.AccountError):
        users.create_user(running.server, "juliet", "secret", "localhost")
