"""mod_announce: messages of administrators to everybody who is connected."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event
from prosody_py.xmpp import builders as stanza

pytestmark = pytest.mark.twins("announce", needs=["adhoc"])

MESSAGE = "<message to='localhost/announce/online' type='{}'><body>Good night</body></message>"


@pytest.fixture
def running(start_server):
    return start_server(["announce"], admins=["root@localhost"])


def bodies(client):
    return [(element.attr["from"], element.get_child_text("body"))
            for element in client.flush() if element.name == "message"]


@pytest.mark.parametrize("type", ["normal", "headline"])
def test_message_of_an_administrator_goes_to_everybody_connected(running, type):
    root = running.client("root").available()
    others = [running.client(name).available() for name in ("juliet", "romeo")]
    root.send(MESSAGE.format(type)).flush()
    for client in others:
        assert bodies(client) == [("localhost", "Good night")]


@pytest.mark.ours_alone("Debian's leaves it to others, who say service-unavailable")
def test_others_are_refused(running):
    running_root, juliet = running.client("root").available(), running.client("juliet").available()
    juliet.send(MESSAGE.format("normal"))
    assert juliet.message().get_error()[:2] == ("auth", "forbidden")
    assert bodies(running_root) == []


@pytest.mark.ours_alone("Debian's announces errors too")
def test_errors_are_not_announced(running):
    root = running.client("root").available()
    root.send(MESSAGE.format("error"))
    assert bodies(root) == []


def test_other_addresses_of_the_host_are_left_alone(running):
    root = running.client("root").available()
    root.send("<message to='localhost/other'><body>x</body></message>")
    assert root.message().get_error()[1] == "service-unavailable"


def test_modules_can_announce(running):
    juliet = running.client("juliet").available()
    send = running.server.hosts["localhost"].modules["announce"].exports.send_to_online
    assert send(stanza.message({"from": "localhost"}, "Hello"), "localhost") == 1
    assert send(stanza.message({"from": "localhost"}, "again")) == 1
    assert bodies(juliet) == [("localhost", "Hello"), ("localhost", "again")]


@pytest.mark.ours_alone("Debian's has no commands for the shell")
def test_a_message_to_those_who_have_a_role(running):
    running.server.modules.load("localhost", "admin_shell")
    root, juliet = (running.client(name).available() for name in ("root", "juliet"))

    def announce(role):
        return str(running.server.events.fire_event("admin-request", Event(
            question={"words": ["announce", "role", "localhost", role, "For", "you"]}, user=0,
            process=1, say=lambda line: None)))

    assert "sent to 1 accounts" in announce("prosody:admin")
    assert bodies(juliet) == [] and bodies(root) == [("localhost", "For you")]
    assert "sent to 1 accounts" in announce("prosody:user")
    assert bodies(root) == [] and bodies(juliet) == [("localhost", "For you")]
    assert "There is no role" in announce("prosody:nobody")
