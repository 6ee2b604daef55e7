"""Modules that send stanzas, ask questions and wait for the answer."""

import gevent
import pytest

from prosody_py.api import StanzaError, stanza

PING = "<ping xmlns='urn:xmpp:ping'/>"


def question(to, **attr):
    return stanza.stanza("iq", {"type": "get", "to": to, **attr}).add_child(
        stanza.stanza("ping", xmlns="urn:xmpp:ping"))


def ask(module, *args, **more):
    """Send an iq in a greenlet of its own; return the greenlet."""
    return gevent.spawn(module.send_iq, *args, **more)


def answer(client, iq, type="result", inside="", id=None):
    client.send(f"<iq type='{type}' id='{id or iq.attr['id']}' to='{iq.attr['from']}'>{inside}"
                "</iq>")


@pytest.fixture
def juliet(client):
    return client("juliet")


@pytest.mark.parametrize("sender", [None, "localhost/part", "mallory@localhost",
                                    "mallory@localhost/x"])
def test_the_answer_is_the_event_of_the_result(module, juliet, sender):
    asking = ask(module, question(juliet.jid, **({"from": sender} if sender else {})))
    iq = juliet.receive(5)
    assert iq.attr["from"] == (sender or "localhost")
    answer(juliet, iq, inside="<done xmlns='urn:x'/>")
    event = asking.get(timeout=5)
    assert event.stanza.tags[0].name == "done"
    assert event.origin.full_jid == juliet.jid
    assert not module.pending_iqs


def test_the_host_itself_can_be_asked(module):
    assert ask(module, question("localhost")).get(timeout=5).stanza.attr["type"] == "result"


def test_an_error_is_raised_with_all_it_says(module, juliet):
    asking = ask(module, question(juliet.jid))
    answer(juliet, juliet.receive(5), "error", PING + (
        "<error type='modify'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Away</text></error>"))
    with pytest.raises(StanzaError) as caught:
        asking.get(timeout=5)
    assert (caught.value.condition, caught.value.type, caught.value.text) == (
        "gone", "modify", "Away")


def test_who_is_not_there_is_an_error_at_once(module):
    with pytest.raises(StanzaError, match="service-unavailable"):
        ask(module, question("juliet@localhost/gone")).get(timeout=5)


def test_no_answer_is_a_timeout_and_a_late_one_is_nobodys(module, juliet, server):
    asking = ask(module, question(juliet.jid), timeout=0.02)
    iq = juliet.receive(5)
    with pytest.raises(StanzaError, match="remote-server-timeout"):
        asking.get(timeout=5)
    assert not module.pending_iqs
    assert not [name for name in server.hosts["localhost"].events.index
                if name.startswith(("iq-result/", "iq-error/"))]
    answer(juliet, iq)
    assert juliet.flush() == []


def test_the_answer_of_somebody_else_does_not_count(module, juliet, client):
    romeo = client("romeo")
    asking = ask(module, question(juliet.jid))
    iq = juliet.receive(5)
    answer(romeo, iq, inside="<forged xmlns='urn:x'/>")
    answer(romeo, iq, "error", PING + "<error type='cancel'/>")
    answer(juliet, iq, id="another")
    romeo.flush(), juliet.flush()
    assert not asking.dead
    answer(juliet, iq, inside="<true xmlns='urn:x'/>")
    assert asking.get(timeout=5).stanza.tags[0].name == "true"


def test_two_questions_with_one_id_are_refused(module, juliet):
    first = ask(module, question(juliet.jid, id="same"))
    iq = juliet.receive(5)
    with pytest.raises(StanzaError, match="conflict"):
        module.send_iq(question(juliet.jid, id="same"))
    answer(juliet, iq)
    first.get(timeout=5)


@pytest.mark.parametrize("how", ["unload", "reload"])
def test_who_waits_when_the_module_goes_is_told_at_once(server, module, juliet, how):
    asking = ask(module, question(juliet.jid))
    iq = juliet.receive(5)
    getattr(server.modules, how)("localhost", "probe")
    with pytest.raises(StanzaError, match="unloaded"):
        asking.get(timeout=5)
    answer(juliet, iq)
    assert juliet.flush() == []
    assert not [name for name in server.hosts["localhost"].events.index
                if name.startswith(("iq-result/", "iq-error/"))]


def test_a_broadcast_reaches_everybody_with_a_copy(module, juliet, client):
    romeo, original = client("romeo"), stanza.message({"type": "headline"}, "Hear!")
    module.broadcast([juliet.jid, romeo.jid, "nobody@localhost"], original)
    for one in (juliet, romeo):
        message = one.message(5)
        assert (message.attr["to"], message.get_child_text("body")) == (one.jid, "Hear!")
    assert "to" not in original.attr


def test_what_a_module_sends_fires_no_pre_events(module, juliet):
    seen = []
    module.hook("pre-message/full", seen.append)
    module.hook("pre-stanza", seen.append)
    module.send(stanza.message({"to": juliet.jid, "from": "localhost"}, "Hello"))
    assert juliet.message(5).get_child_text("body") == "Hello"
    assert seen == []
