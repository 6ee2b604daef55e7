"""Who can resume the stream stays in a room while the server is started anew."""

from __future__ import annotations

import pytest

from prosody_py.testing.managed import Managed
from prosody_py.testing.server import TestServer

ROOMS, HALL = "rooms.localhost", "hall@rooms.localhost"
JOIN = "<presence to='{}/{}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
OPTIONS = {
    "storage": "sqlite", "modules_enabled": ["saslauth", "roster", "ping", "disco"],
    "components": {ROOMS: {"module": "muc", "muc_room_default_persistent": True,
                           "muc_room_locking": False}},
}


@pytest.fixture
def restarts(tmp_path):
    """Return a function that starts the server, again and again on the same data."""
    running = []

    def start():
        if running:
            running.pop().stop()
        running.append(TestServer(tmp_path, ["smacks"], **OPTIONS))
        return running[0]

    yield start
    running.pop().stop()


def join(client, nick):
    """Enter the hall; return the nicknames that are told before the subject."""
    client.send(JOIN.format(HALL, nick))
    told = []
    while (element := client.receive()).name != "message":
        if element.name == "presence":
            told.append(element.attr["from"].partition("/")[2])
    return told


def received(client):
    """Wait for a message of the room; return what was said and by whom."""
    element = client.receive_until(lambda one: one.get_child("body") is not None)
    return element.attr["from"].partition("/")[2], element.get_child_text("body")


def test_occupants_stay_in_a_room_over_a_restart(restarts):
    running = restarts()
    juliet = Managed(running)
    assert join(juliet.client, "Jule") == ["Jule"]
    got = len(juliet.client.flush())
    running = restarts()
    romeo = running.client("romeo").available()
    assert join(romeo, "Romeo") == ["Jule", "Romeo"]
    romeo.send(f"<message to='{HALL}' type='groupchat'><body>still here?</body></message>")
    assert received(romeo) == ("Romeo", "still here?")
    assert juliet.come_back(3 + got, running).name == "resumed"
    assert received(juliet.client) == ("Romeo", "still here?")
    juliet.client.send(f"<message to='{HALL}' type='groupchat'><body>yes</body></message>")
    assert received(romeo) == ("Jule", "yes")


def test_who_cannot_resume_is_not_in_the_room_after_a_restart(restarts):
    running = restarts()
    juliet = running.client("juliet").available()
    assert join(juliet, "Jule") == ["Jule"]
    running = restarts()
    romeo = running.client("romeo").available()
    assert join(romeo, "Romeo") == ["Romeo"]
