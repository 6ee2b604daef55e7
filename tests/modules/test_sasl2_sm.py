"""XEP-0198 section 7: stream management is enabled and sessions are resumed by logging in."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.sasl2 import BIND, SM, bind, connect, request_token
from prosody_py.xmpp import ns

ENABLE = f"<enable xmlns='{SM}' resume='true'/>"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["sasl2_bind2", "sasl2_sm", "sasl2_fast"])
    running.user("juliet")
    yield running
    running.stop()


def managed(server, inside=ENABLE):
    """Return a client whose session is managed, and the <enabled/> it has got."""
    client = connect(server)
    answer = client.plain("juliet", bind(inside))
    client.succeeded(answer)
    assert client.receive().name == "features"
    return client, answer.get_child("bound", BIND).get_child("enabled", SM)


def resume(previd, h=0):
    return f"<resume xmlns='{SM}' previd='{previd}' h='{h}'/>"


def lose(server, client):
    """Let the connection of a client break, and wait until its session waits."""
    session = server.server.full_sessions[client.jid]
    client.sock.close()
    wait_until(lambda: session.conn is None)
    return session


def test_it_is_offered_at_both_places(server):
    inline = connect(server).inline
    assert inline["sm"].attr["xmlns"] == SM
    assert SM in {tag.attr["var"] for tag in inline["bind"].get_child("inline", BIND).tags}


def test_stream_management_is_enabled_with_the_binding(server):
    client, enabled = managed(server)
    assert enabled.attr["id"] and enabled.attr["resume"] == "true" and enabled.attr["max"]
    client.send(f"<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq><r xmlns='{SM}'/>")
    acknowledged = client.receive_until(lambda element: element.name == "a")
    assert acknowledged.attr["h"] == "1"


def test_without_a_wish_to_resume_there_is_no_id(server):
    _client, enabled = managed(server, f"<enable xmlns='{SM}'/>")
    assert "id" not in enabled.attr and "resume" not in enabled.attr


def test_a_session_is_resumed_by_logging_in(server):
    client, enabled = managed(server)
    client.available()
    session = lose(server, client)
    romeo = server.client("romeo")
    romeo.send(f"<message to='{client.jid}' type='chat'><body>still there?</body></message>")
    romeo.flush()
    again = connect(server)
    answer = again.plain("juliet", resume(enabled.attr["id"], 1) + bind(ENABLE))
    resumed = answer.get_child("resumed", SM)
    assert resumed.attr["previd"] == enabled.attr["id"] and resumed.attr["h"] == "1"
    assert answer.get_child("bound", BIND) is None
    assert again.succeeded(answer).jid == client.jid
    # No features, says section 7.2; what was missed comes at once.
    assert again.receive().get_child_text("body") == "still there?"
    assert server.server.full_sessions[client.jid] is session
    again.send("<iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>"
               f"<message to='{client.jid}'><body>{'x' * 20000}</body></message>")
    while (element := again.receive()).attr.get("id") != "2":
        assert element.name != "features"
    assert len(again.message().get_child_text("body")) == 20000


@pytest.mark.parametrize("wrong", ["unknown", "somebody else's"])
def test_what_cannot_be_resumed_is_told_and_a_resource_bound(server, wrong):
    token = "no-such-session"
    if wrong != "unknown":
        server.user("paris")
        other = connect(server)
        answer = other.plain("paris", bind(ENABLE))
        token = answer.get_child("bound", BIND).get_child("enabled", SM).attr["id"]
    client = connect(server)
    answer = client.plain("juliet", resume(token) + bind(ENABLE))
    failed = answer.get_child("failed", SM)
    assert failed.get_child("item-not-found", ns.STANZA_ERRORS) is not None
    assert answer.get_child("bound", BIND).get_child("enabled", SM) is not None
    assert client.succeeded(answer).jid.startswith("juliet@localhost/Phone/")
    assert client.receive().name == "features"


@pytest.mark.parametrize("request_", [
    f"<resume xmlns='{SM}'/>", resume("x", "-1"), resume("x", "many"), resume("", 0)])
def test_a_request_without_sense_fails_alone(server, request_):
    client = connect(server)
    answer = client.plain("juliet", request_)
    assert answer.get_child("failed", SM).get_child("bad-request", ns.STANZA_ERRORS) is not None
    assert client.succeeded(answer).jid == "juliet@localhost"
    assert client.receive().get_child("bind", ns.BIND) is not None


def test_who_acknowledges_too_much_is_cut_off(server):
    client, enabled = managed(server)
    lose(server, client)
    other = connect(server)
    error = other.plain("juliet", resume(enabled.attr["id"], 7) + bind(ENABLE))
    assert error.get_child("undefined-condition", ns.STREAM_ERRORS) is not None
    assert error.get_child("handled-count-too-high", SM).attr == {
        "xmlns": SM, "h": "7", "send-count": "0"}
    assert other.closed_with() is None
    answer = connect(server).plain("juliet", resume(enabled.attr["id"]))
    assert answer.get_child("resumed", SM) is not None


def test_a_login_that_fails_resumes_nothing(server):
    client, enabled = managed(server)
    session = server.server.full_sessions[client.jid]
    answer = connect(server).plain("juliet", resume(enabled.attr["id"]), password="wrong")
    assert answer.name == "failure" and answer.get_child("resumed", SM) is None
    assert server.server.full_sessions[client.jid] is session and not session.destroyed
    assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_a_new_login_of_the_client_ends_the_session_that_waits(server):
    client, _enabled = managed(server)
    session = lose(server, client)
    again, _enabled = managed(server)
    assert again.jid == client.jid and session.destroyed
    assert server.server.full_sessions[again.jid] is not session


def test_a_token_comes_along_with_a_session_that_is_resumed(server):
    client, enabled = managed(server)
    lose(server, client)
    again = connect(server)
    answer = again.plain("juliet", resume(enabled.attr["id"]) + request_token())
    token = answer.get_child("token", "urn:xmpp:fast:0").attr["token"]
    assert answer.get_child("resumed", SM) is not None
    lose(server, again.succeeded(answer))
    last = connect(server, "juliet@localhost")
    answer = last.fast("juliet", token, more=resume(enabled.attr["id"]))
    assert answer.get_child("resumed", SM) is not None
    assert last.succeeded(answer).jid == client.jid


def test_what_is_sent_right_behind_the_login_is_not_lost(server):
    client, enabled = managed(server)
    session = lose(server, client)
    again = connect(server)
    again.send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>"
               "AGp1bGlldABzZWNyZXQ=</initial-response>" + resume(enabled.attr["id"])
               + "</authenticate><iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert again.receive().get_child("resumed", SM) is not None
    assert again.receive_until(lambda element: element.attr.get("id") == "p").attr["to"] == (
        session.full_jid)
