"""Which events a stanza fires, and what their results do to it."""

import pytest
from gevent.event import Event

from prosody_py.testing.client import wait_until


def do(act="nothing", on=""):
    return f"<do xmlns='urn:test:router' act='{act}' on='{on}'/>"


TO = {"full": "juliet@localhost/balcony", "bare": "juliet@localhost", "host": "localhost"}


@pytest.mark.parametrize("name", ["message", "presence", "iq"])
@pytest.mark.parametrize("kind", ["full", "bare", "host"])
def test_a_stanza_fires_pre_stanza_its_pre_event_and_its_event(
        obedient, romeo, juliet, name, kind):
    type = " type='get'" if name == "iq" else ""
    romeo.send(f"<{name} to='{TO[kind]}' id='1'{type}>{do()}</{name}>").flush()
    assert obedient.seen == [("pre-stanza", False), (f"pre-{name}/{kind}", False),
                             (f"{name}/{kind}", False)]


@pytest.mark.parametrize("to", ["", " to='romeo@localhost'", " to='ROMEO@localhost'"])
@pytest.mark.parametrize("name", ["message", "iq"])
def test_a_stanza_to_the_own_account_is_to_self(obedient, romeo, name, to):
    type = " type='get'" if name == "iq" else ""
    romeo.send(f"<{name}{to} id='1'{type}>{do()}</{name}>").flush()
    expected = [("pre-stanza", True), (f"pre-{name}/bare", True), (f"{name}/bare", True)]
    assert obedient.seen[:3] == expected
    # What nobody takes as one to the account is fired as one to oneself.
    assert obedient.seen[3:] == ([("iq/self", True)] if name == "iq" else [])


def test_another_account_and_a_resource_of_the_own_one_are_not_to_self(obedient, romeo, juliet):
    romeo.send(f"<message to='romeo@localhost/orchard'>{do()}</message>")
    romeo.send(f"<message to='juliet@localhost'>{do()}</message>").flush()
    assert not any(to_self for _event, to_self in obedient.seen)


@pytest.mark.parametrize("act", ["stop", "false"])
@pytest.mark.parametrize("event", ["pre-stanza", "pre-message/bare", "message/bare"])
def test_a_result_that_is_not_none_ends_the_way_of_a_stanza(
        obedient, romeo, juliet, event, act):
    romeo.send(f"<message to='juliet@localhost'>{do(act, event)}<body>x</body></message>")
    assert romeo.flush() == []
    assert obedient.seen[-1][0] == event
    assert juliet.flush() == []


def test_without_a_result_it_arrives(obedient, romeo, juliet):
    romeo.send(f"<message to='juliet@localhost'>{do()}<body>x</body></message>").flush()
    assert juliet.message(5).get_child_text("body") == "x"


def test_the_other_host_has_its_own_events(obedient, running, romeo):
    running.user("juliet", host="other.localhost")
    romeo.send(f"<message to='juliet@other.localhost'>{do()}<body>x</body></message>").flush()
    assert [event for event, _ in obedient.seen] == ["pre-stanza", "pre-message/bare"]
    other = running.server.modules.get_module("other.localhost", "obedient")
    assert [event for event, _ in other.seen] == ["message/bare"]
    other.seen.clear()


@pytest.mark.parametrize(("stanza", "condition"), [
    ("<iq type='get' id='1' to='juliet@localhost/gone'><q xmlns='urn:x'/></iq>",
     "service-unavailable"),
    ("<iq type='set' id='1' to='juliet@localhost/gone'><q xmlns='urn:x'/></iq>",
     "service-unavailable"),
    ("<iq type='get' id='1' to='localhost'><q xmlns='urn:x'/></iq>", "service-unavailable"),
    ("<iq type='get' id='1'><q xmlns='urn:x'/></iq>", "service-unavailable"),
    ("<message id='1' to='nobody@localhost'><body/></message>", "service-unavailable"),
    ("<message id='1' to='juliet@remote.example'><body/></message>", "not-allowed"),
    ("<iq type='get' id='1' to='remote.example'><q xmlns='urn:x'/></iq>", "not-allowed"),
])
def test_what_cannot_be_delivered_is_answered(romeo, stanza, condition):
    [answer] = romeo.send(stanza).flush()
    assert answer.attr["type"] == "error" and answer.attr["id"] == "1"
    assert answer.get_error()[1] == condition


@pytest.mark.parametrize("stanza", [
    "<iq type='result' id='1' to='juliet@localhost/gone'/>",
    "<iq type='error' id='1' to='juliet@localhost/gone'/>",
    "<iq type='result' id='1' to='localhost'/>",
    "<iq type='result' id='1' to='remote.example'/>",
    "<iq type='error' id='1' to='nobody@localhost'/>",
    "<message type='error' id='1' to='juliet@localhost/gone'/>",
    "<message type='error' id='1' to='nobody@localhost'/>",
    "<message type='error' id='1' to='remote.example'/>",
    "<presence type='error' id='1' to='juliet@localhost/gone'/>",
    "<presence id='1' to='nobody@localhost'/>",
])
def test_answers_and_presence_are_never_answered(romeo, stanza):
    assert romeo.send(stanza).flush() == []


def test_an_iq_to_a_session_that_is_ending_is_answered(obedient, running, romeo, juliet):
    events, go_on = running.server.hosts["localhost"].events, Event()

    def wait(_event):
        go_on.wait()

    events.add_handler("c2s-disconnected", wait, 1000)
    try:
        jid = juliet.jid
        conn = running.server.full_sessions[jid].conn
        juliet.sock.close()
        wait_until(lambda: conn.closed)
        assert jid in running.server.full_sessions
        answer = romeo.iq("get", "<ping xmlns='urn:xmpp:ping'/>", to=jid)
        assert answer.get_error()[1] == "service-unavailable"
        assert romeo.send(f"<iq type='result' id='1' to='{jid}'/>").flush() == []
    finally:
        go_on.set()
        events.remove_handler("c2s-disconnected", wait)
