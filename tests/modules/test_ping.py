"""mod_ping: XEP-0199 in both directions."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import Closed

pytestmark = [pytest.mark.slow, pytest.mark.twins("ping")]  # it waits for silence

PING = "<ping xmlns='urn:xmpp:ping'/>"
SILENCE = {"c2s_read_timeout": 1, "ping_timeout": 1}


def is_ping(element):
    return element.name == "iq" and element.get_child("ping", "urn:xmpp:ping") is not None


@pytest.mark.parametrize("to", [None, "localhost", "juliet@localhost", "romeo@localhost"])
def test_ping_gets_an_empty_result(start_server, to):
    answer = start_server().client("juliet").iq("get", PING, to)
    assert answer.attr["type"] == "result" and answer.tags == []


@pytest.mark.ours_alone("Debian's answers pings and sends none")
def test_silent_client_is_pinged_and_stays_when_it_answers(start_server):
    running = start_server(**SILENCE)
    client = running.client("juliet")
    ping = client.receive_until(is_ping)
    assert ping.attr["type"] == "get"
    client.send(f"<iq type='result' id='{ping.attr['id']}' to='localhost'/>")
    gevent.sleep(1.2)  # longer than the client had for its answer
    assert client.iq("get", PING).attr["type"] == "result"


@pytest.mark.ours_alone("Debian's sends no pings")
def test_anything_counts_as_an_answer_and_no_filter_stays_behind(start_server):
    running = start_server(**SILENCE)
    client = running.client("juliet")
    client.receive_until(is_ping)
    client.send(" ").flush()
    session = running.server.full_sessions[client.jid]
    assert session.filters is None and "ping_timer" not in session.extras


@pytest.mark.ours_alone("Debian's sends no pings")
def test_client_that_does_not_answer_is_dropped(start_server):
    running = start_server(**SILENCE)
    client = running.client("juliet")
    assert client.closed_with() == "connection-timeout"
    assert running.server.full_sessions == {}


@pytest.mark.ours_alone("Debian's sends no pings")
def test_client_that_has_not_logged_in_is_not_pinged_but_dropped(start_server):
    client = start_server(**SILENCE).connect()
    client.open()
    seen = []
    with pytest.raises(Closed):
        while True:
            seen.append(client.receive())
    assert not [element for element in seen if getattr(element, "name", None) == "iq"]


@pytest.mark.ours_alone("Debian's sends no pings")
def test_who_answers_in_another_way_is_not_pinged(start_server):
    running = start_server(**SILENCE)
    asked = []
    running.server.hosts["localhost"].events.add_handler(
        "c2s-read-timeout", lambda event: asked.append(event.session) or True)
    client = running.client("juliet")
    gevent.sleep(1.2)
    assert len(asked) == 1
    assert client.flush() == []
