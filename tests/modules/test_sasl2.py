"""XEP-0388: logging in with SASL 2."""

from __future__ import annotations

import base64
import hashlib

import pytest

from prosody_py.api import stanza
from prosody_py.hosts import users
from prosody_py.testing.client import Client
from prosody_py.testing.sasl2 import (
    FAST,
    XMLNS,
    bind,
    condition,
    connect,
    encode,
    request_token,
)
from prosody_py.xmpp import ns
from prosody_py.xmpp.sasl import SaslError


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["sasl2", "register"],
                     password_hashes=["SHA-1", "SHA-256"], allow_registration=True)
    running.user("juliet")
    yield running
    running.stop()


@pytest.fixture
def client(server):
    return connect(server)


def features_after(client):
    features = client.receive()
    assert features.name == "features", str(features)
    return features


def test_it_is_not_offered_without_tls(server):
    client = server.connect()
    assert client.open().get_child("authentication", XMLNS) is None
    client.send(f"<authenticate xmlns='{XMLNS}' mechanism='SCRAM-SHA-1'/>")
    assert condition(client.receive()) == "encryption-required"


def test_the_mechanisms_and_channel_bindings_are_offered(client):
    assert set(client.mechanisms) == {"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256",
                                      "SCRAM-SHA-256-PLUS", "PLAIN"}
    bindings = client.features.get_child("sasl-channel-binding", "urn:xmpp:sasl-cb:0")
    assert {tag.attr["type"] for tag in bindings.tags} >= {"tls-exporter"}
    assert [tag.name for tag in client.features.tags].count("sasl-channel-binding") == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_who_knows_the_password_gets_in_without_a_new_stream(client, mechanism):
    answer = client.plain("juliet") if mechanism == "PLAIN" else (
        client.scram("juliet", mechanism=mechanism))
    assert client.succeeded(answer).jid == "juliet@localhost"
    features = features_after(client)
    assert features.get_child("bind", ns.BIND) is not None
    assert features.get_child("authentication", XMLNS) is None
    assert client.bind("balcony").jid == "juliet@localhost/balcony"
    assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_the_connection_can_be_bound_to(client):
    answer = client.scram("juliet", mechanism="SCRAM-SHA-1-PLUS", gs2="p=tls-server-end-point,,",
                          binding=b"another connection's")
    assert condition(answer) == "not-authorized"
    client.succeeded(client.scram("juliet", mechanism="SCRAM-SHA-1-PLUS", binding=client.end_point,
                                  gs2="p=tls-server-end-point,,"))


def test_shortened_lists_are_noticed(client):
    """XEP-0474 section 5: the hash is over what was offered."""
    client.succeeded(client.scram("juliet", mechanism="SCRAM-SHA-256"))
    bindings = client.features.get_child("sasl-channel-binding", "urn:xmpp:sasl-cb:0")
    offered = "\x1e".join(sorted(client.mechanisms)) + "\x1f" + "\x1e".join(
        sorted(tag.attr["type"] for tag in bindings.tags))
    assert client.first["h"] == encode(hashlib.sha256(offered.encode()).digest())


def test_large_stanzas_are_taken_once_a_resource_is_bound(client):
    client.succeeded(client.plain("juliet"))
    features_after(client)
    client.bind("big")
    client.send(f"<message to='{client.jid}'><body>{'x' * 20000}</body></message>")
    assert len(client.message().get_child_text("body")) == 20000


def test_mechanisms_are_those_of_the_account_that_is_claimed(server):
    server.user("early")
    store = server.server.storage.open("localhost", "accounts", "keyval")
    account = store.get("early")
    del account["scram"]["SHA-256"]
    store.set("early", account)
    assert "SCRAM-SHA-256" not in connect(server, "early@localhost").mechanisms
    assert "SCRAM-SHA-256" in connect(server, "juliet@localhost/phone").mechanisms
    assert "SCRAM-SHA-256" in connect(server, "nobody@localhost").mechanisms


def test_a_stream_from_elsewhere_is_invalid(server):
    client = server.connect()
    client.open()
    client.starttls()
    client.parser.reset()
    client.send(f"<stream:stream from='juliet@other.example' to='localhost' version='1.0' "
                f"xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'>")
    client.receive()
    assert client.closed_with() == "invalid-from"


def test_an_authzid_that_is_not_that_of_the_stream_is_refused(server):
    server.user("romeo")
    client = connect(server, "romeo@localhost")
    answer = client.begin("PLAIN", "juliet@localhost\0juliet\0secret")
    assert condition(answer) == "invalid-authzid"
    assert client.begin("PLAIN", "romeo@localhost\0romeo\0secret").name == "success"


@pytest.mark.parametrize(("mechanism", "data", "expected"), [
    ("PLAIN", b"\0juliet\0wrong", "not-authorized"),
    ("PLAIN", b"\0nobody\0secret", "not-authorized"),
    ("PLAIN", b"juliet", "malformed-request"),
    ("PLAIN", b"romeo@localhost\0juliet\0secret", "invalid-authzid"),
    ("WISH", b"", "invalid-mechanism"),
    ("HT-SHA-256-NONE", b"juliet\0x", "invalid-mechanism"),
    ("SCRAM-SHA-1", b"", "malformed-request")])
def test_what_is_wrong_is_said_and_another_try_is_free(client, mechanism, data, expected):
    assert condition(client.begin(mechanism, data)) == expected
    assert client.plain("juliet").name == "success"


def test_without_an_initial_response_the_client_is_asked(client):
    challenge = client.begin("PLAIN", None)
    assert challenge.name == "challenge" and challenge.get_text() == ""
    assert client.respond("\0juliet\0secret").name == "success"


@pytest.mark.parametrize("intruder", [
    "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
    f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'/>",
    f"<authenticate xmlns='{XMLNS}' mechanism='PLAIN'/>", "<presence/>"])
def test_nothing_else_may_come_while_it_goes_on(client, intruder):
    assert client.begin("SCRAM-SHA-1", "n,,n=juliet,r=abc").name == "challenge"
    client.send(intruder)
    assert client.closed_with() == "not-authorized"


@pytest.mark.parametrize("ended", ["failure", "abort"])
def test_after_an_attempt_other_things_are_allowed_again(client, ended):
    assert client.begin("SCRAM-SHA-1", "n,,n=juliet,r=abc").name == "challenge"
    if ended == "abort":
        client.send(f"<abort xmlns='{XMLNS}'><text>Changed my mind</text></abort>")
        assert condition(client.receive()) == "aborted"
    else:
        assert condition(client.respond("nonsense")) == "malformed-request"
    answer = client.iq("get", "<query xmlns='jabber:iq:register'/>")
    assert answer.attr["type"] == "result"
    Client.authenticate(client, "juliet", "secret", "PLAIN")  # by the older way


@pytest.mark.parametrize("again", ["authenticate", "response", "next", "task-data", "abort"])
def test_after_success_it_is_over(client, again):
    client.succeeded(client.plain("juliet"))
    features_after(client)
    client.send(f"<{again} xmlns='{XMLNS}' mechanism='PLAIN'/>")
    assert client.closed_with() == "unsupported-stanza-type"


@pytest.mark.parametrize("element", ["response", "next", "task-data"])
def test_what_belongs_to_no_attempt_is_malformed(client, element):
    client.send(f"<{element} xmlns='{XMLNS}'/>")
    assert condition(client.receive()) == "malformed-request"
    assert client.plain("juliet").name == "success"


def test_the_fifth_failure_ends_the_stream(client):
    for _ in range(5):
        assert condition(client.plain("juliet", password="wrong")) == "not-authorized"
    assert client.closed_with() == "policy-violation"


def test_a_disabled_account_is_told_so(server, client):
    server.user("paris")
    server.server.hosts["localhost"].users.set_enabled("paris", False)
    assert condition(client.plain("paris")) == "account-disabled"


def test_what_the_client_says_of_itself_is_kept(server, client):
    client.send(f"<authenticate xmlns='{XMLNS}' mechanism='PLAIN'><initial-response>"
                f"{base64.b64encode(b'%cjuliet%csecret' % (0, 0)).decode()}</initial-response>"
                "<user-agent id='an-id'><software>AwesomeXMPP</software><device>Phone</device>"
                "</user-agent></authenticate>")
    client.succeeded(client.receive())
    features_after(client)
    client.bind("told")
    session = server.server.full_sessions[client.jid]
    assert session.extras["client_id"] == "an-id"
    assert session.extras["user_agent"] == {"software": "AwesomeXMPP", "device": "Phone"}


def test_an_id_without_end_is_refused(client):
    client.agent = "x" * 1000
    assert condition(client.plain("juliet")) == "malformed-request"


def test_events_are_those_of_logging_in(server, client):
    seen = []
    events = server.server.hosts["localhost"].events
    names = ("authentication-failure", "authentication-success", "sasl2/c2s/failure",
             "sasl2/c2s/success", "sasl2/c2s/challenge")
    handlers = {name: lambda event, name=name: seen.append(name) for name in names}
    for name, handler in handlers.items():
        events.add_handler(name, handler, 1)
    try:
        client.plain("juliet", password="wrong")
        client.scram("juliet")
    finally:
        for name, handler in handlers.items():
            events.remove_handler(name, handler)
    assert seen == ["sasl2/c2s/failure", "authentication-failure", "sasl2/c2s/challenge",
                    "authentication-success", "sasl2/c2s/success"]


def test_anybody_gets_in_anonymously_and_gets_no_token(start_server):
    running = start_server(["sasl2_bind2", "sasl2_fast", "client_management"],
                           hosts={"localhost": {"authentication": "anonymous"}})
    jids = set()
    for _ in range(2):
        client = connect(running)
        assert client.mechanisms == ["ANONYMOUS"] and set(client.inline) == {"bind"}
        answer = client.begin("ANONYMOUS", "trace", bind() + request_token())
        assert answer.get_child("token", FAST) is None
        jids.add(client.succeeded(answer).jid)
    assert len({jid.partition("@")[0] for jid in jids}) == 2


# -- tasks ---------------------------------------------------------------------------------

CODE = "urn:example:code"


def code_task(name, element):
    """Ask for a code, twice at most."""
    said = element.get_child_text("code", CODE)
    if said != name:
        answer = yield stanza.stanza("again", xmlns=CODE)
        said = answer.get_child_text("code", CODE)
    if said == "crash":
        raise RuntimeError("a fault")
    if said != name:
        raise SaslError("not-authorized", "Wrong code")
    return [stanza.stanza("thanks", xmlns=CODE)]


@pytest.fixture
def tasks(server):
    """Ask everybody for a code, A or B, and then for C."""
    events = server.server.hosts["localhost"].events

    def ask(event):
        event.tasks.append((["A", "B"], code_task))
        event.tasks.append((["C"], code_task))

    events.add_handler("sasl2/c2s/tasks", ask)
    yield
    events.remove_handler("sasl2/c2s/tasks", ask)


def next_(client, name, code=""):
    client.send(f"<next xmlns='{XMLNS}' task='{name}'><code xmlns='{CODE}'>{code}</code></next>")
    return client.receive()


def task_data(client, code):
    client.send(f"<task-data xmlns='{XMLNS}'><code xmlns='{CODE}'>{code}</code></task-data>")
    return client.receive()


def asked(answer):
    assert answer.name == "continue", str(answer)
    return [tag.get_text() for tag in answer.get_child("tasks", XMLNS).tags]


def test_tasks_come_before_success(client, tasks):
    assert asked(client.scram("juliet")) == ["A", "B"]  # which checks the server's proof
    again = next_(client, "B")
    assert again.name == "task-data" and again.get_child("again", CODE) is not None
    following = task_data(client, "B")
    assert asked(following) == ["C"] and following.get_child("additional-data", XMLNS) is None
    success = next_(client, "C", "C")
    assert client.succeeded(success).jid == "juliet@localhost"
    assert [tag.name for tag in success.tags].count("thanks") == 2
    assert features_after(client).get_child("bind", ns.BIND) is not None


@pytest.mark.parametrize(("wrong", "expected"), [
    (lambda client: next_(client, "C", "C"), "malformed-request"),
    (lambda client: task_data(client, "A"), "malformed-request"),
    (lambda client: client.respond("x"), "malformed-request"),
    (lambda client: next_(client, "A") and task_data(client, "B"), "not-authorized"),
    (lambda client: next_(client, "A") and task_data(client, "crash"), "temporary-auth-failure"),
    (lambda client: next_(client, "A") and next_(client, "A"), "malformed-request")])
def test_a_task_that_fails_leaves_the_client_outside(server, client, tasks, wrong, expected):
    client.plain("juliet")
    assert condition(wrong(client)) == expected
    assert condition(task_data(client, "A")) == "malformed-request"
    client.send("<iq type='get' id='1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert client.closed_with() == "not-authorized"


def test_to_authenticate_anew_amid_tasks_ends_the_stream(client, tasks):
    assert asked(client.plain("juliet")) == ["A", "B"]
    client.send(f"<authenticate xmlns='{XMLNS}' mechanism='PLAIN'/>")
    assert client.closed_with() == "not-authorized"


@pytest.mark.parametrize("change", ["password", "deleted"])
def test_what_was_proved_has_to_hold_until_the_end(server, client, tasks, change):
    name = f"mercutio-{change}"
    server.user(name)
    server.server.modules.reload("localhost", "sasl2")
    assert asked(client.plain(name)) == ["A", "B"]
    server.server.modules.reload("localhost", "sasl2")
    if change == "password":
        users.set_password(server.server, "juliet", "secret", "localhost")  # somebody else's
        assert asked(next_(client, "A", "A")) == ["C"]
        users.set_password(server.server, name, "other", "localhost")
    else:
        users.delete_user(server.server, name, "localhost")
    assert condition(client.receive()) == "not-authorized"
    assert condition(next_(client, "C", "C")) == "malformed-request"
