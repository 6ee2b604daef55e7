"""XEP-0352, ours and Debian's: what is not urgent waits while nobody looks."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until

CSI = "urn:xmpp:csi:0"
pytestmark = pytest.mark.twins("csi_simple", "csi")
COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"


@pytest.fixture
def clients(start_server):
    """Return a client that has said that nobody looks, and one of another account."""
    running = start_server(["csi", "csi_simple"], csi_resume_inactive_delay=0.01)
    juliet = running.client("juliet", "balcony").available()
    assert juliet.features.get_child("csi", CSI) is not None
    romeo = running.client("romeo", "orchard").available()
    juliet.send(f"<inactive xmlns='{CSI}'/>")
    wait_until(lambda: held(running, juliet))
    return running, juliet, romeo


def held(running, client):
    """Whether the server holds back what it has for a client."""
    session = running.server.full_sessions[client.jid]
    return session.extras.get("state") == "inactive" and session.extras.get("csi_counter") == 0


def presence(romeo, to, show):
    romeo.send(f"<presence to='{to}'><show>{show}</show></presence>").flush()


def nothing_comes(client):
    try:
        client.receive(timeout=0.15)
    except TimeoutError:
        return True
    return False


def shows(elements):
    return [element.get_child_text("show") for element in elements if element.name == "presence"]


def test_presence_waits_until_the_client_is_looked_at(clients):
    _running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    assert nothing_comes(juliet)
    juliet.send(f"<active xmlns='{CSI}'/>")
    assert juliet.presence().get_child_text("show") == "away"
    presence(romeo, juliet.jid, "dnd")
    assert juliet.presence().get_child_text("show") == "dnd"


def test_a_message_with_a_text_comes_at_once_and_brings_what_waited(clients):
    running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    romeo.send(f"<message to='{juliet.jid}' type='chat'>{COMPOSING}</message>").flush()
    assert nothing_comes(juliet)
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>Hist!</body></message>").flush()
    assert juliet.presence().get_child_text("show") == "away"
    assert juliet.receive_until(lambda element: element.get_child_text("body") == "Hist!")
    wait_until(lambda: held(running, juliet))
    presence(romeo, juliet.jid, "dnd")
    assert nothing_comes(juliet)


def test_an_answer_to_the_client_brings_what_waited(clients):
    _running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    assert shows(juliet.flush()) == ["away"]


def test_what_waits_is_not_lost_when_the_client_ends_its_stream(clients):
    _running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    juliet.send("</stream:stream>")
    assert juliet.presence().get_child_text("show") == "away"
