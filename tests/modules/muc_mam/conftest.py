"""What the tests of rooms' archives share: rooms, and people in them."""

from __future__ import annotations

import secrets

import pytest

from prosody_py.testing.archives import Archive

ROOMS = "rooms.localhost"
MUC = "http://jabber.org/protocol/muc"


class Guest(Archive):
    """Somebody in a room under a nickname."""

    def __init__(self, client, room, nick):
        super().__init__(client)
        self.room, self.nick = room, nick

    def join(self, inside=""):
        """Enter; return the messages that come up to the subject, which is last."""
        self.client.send(f"<presence to='{self.room}/{self.nick}'><x xmlns='{MUC}'>{inside}</x>"
                         "</presence>")
        messages = []
        while True:
            message = self.client.message()
            messages.append(message)
            if message.get_child("subject") is not None and message.get_child("body") is None:
                return messages

    def leave(self):
        """Go out."""
        self.client.send(f"<presence type='unavailable' to='{self.room}/{self.nick}'/>").flush()

    def speak(self, body=None, inside="", room=None):
        """Say something to all; return the message as it comes back."""
        id = secrets.token_hex(4)
        body = "" if body is None else f"<body>{body}</body>"
        self.client.send(f"<message to='{self.room}' id='{id}' type='groupchat'>{body}{inside}"
                         "</message>")
        return self.client.receive_until(lambda element: element.name == "message"
                                         and element.attr.get("id") == id)

    def told(self, inside=""):
        """Return what is found in the room's archive."""
        return self.query(inside, self.room)

    def owner(self, inside="", **fields):
        """Configure the room."""
        form = "".join(f"<field var='muc#roomconfig_{name}'><value>{value}</value></field>"
                       for name, value in fields.items())
        inside = inside or (f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
                            f"<value>{MUC}#roomconfig</value></field>{form}</x>")
        return self.client.iq("set", f"<query xmlns='{MUC}#owner'>{inside}</query>", self.room)

    def affiliate(self, address, affiliation):
        """Give somebody an affiliation."""
        answer = self.client.iq("set", f"<query xmlns='{MUC}#admin'><item jid='{address}' "
                                f"affiliation='{affiliation}'/></query>", self.room)
        assert answer.attr["type"] == "result", str(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    """Return a server with archived rooms, the file's own."""
    server = launch(tmp_path_factory.mktemp("server"), ["disco"], components={
        ROOMS: {"module": "muc", "modules_enabled": ["muc_mam"], "muc_log_by_default": True}})
    yield server
    server.stop()


@pytest.fixture
def guest(people):
    """Return a function that gives somebody a place in this test's room, or another."""
    own = f"hall-{secrets.token_hex(4)}@{ROOMS}"
    return lambda name, nick=None, room=own: Guest(
        people.login(name, available=False), room, nick or name.title())


@pytest.fixture
def juliet(guest):
    """Return the owner of a room, who is in it."""
    juliet = guest("juliet")
    juliet.join()
    juliet.owner(persistentroom="1")
    juliet.client.flush()
    return juliet


@pytest.fixture
def romeo(guest, juliet):
    """Return somebody else in the room."""
    romeo = guest("romeo")
    romeo.join()
    juliet.client.flush()
    return romeo


@pytest.fixture
def other_rooms(start_server):
    """Return a function `(**options)` that starts a server; gives it and the owner of a room.

    `server` is options of the server, the others are of the component.
    """
    def start(server=None, **options):
        running = start_server(["disco"], components={
            ROOMS: {"module": "muc", "modules_enabled": ["muc_mam"], **options}}, **(server or {}))
        owner = Guest(running.client("juliet"), f"hall@{ROOMS}", "Juliet")
        owner.join()
        owner.owner()
        owner.client.flush()
        return running, owner

    return start
