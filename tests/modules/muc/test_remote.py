"""Occupants from other servers: what goes to them and comes from them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from prosody_py.testing.rooms import HOST, MUC, Party, codes, item
from prosody_py.xmpp import builders
from prosody_py.xmpp.ns import STANZA_ERRORS

FAR = "mercutio@far.example/r"


class Far:
    """The stream with another server, as its module would make it."""

    def __init__(self, running):
        self.running, self.got = running, []
        running.server.hosts[HOST].events.add_handler("route/remote", self.take)

    def take(self, event):
        assert event.to_host == "far.example"
        self.got.append(event.stanza)
        return True

    def send(self, stanza):
        """Let a stanza come in; what is answered to it at once is remembered as well."""
        stanza.attr.setdefault("from", FAR)
        origin = SimpleNamespace(type="s2sin", host="far.example", host_object=None,
                                 send=self.got.append, full_jid=None, bare_jid=None, dummy=True)
        self.running.server.post_stanza(origin, stanza)

    def join(self, room, nick="Mercutio"):
        presence = builders.presence({"to": f"{room}/{nick}"})
        self.send(presence.tag("x", xmlns=MUC).reset())

    def taken(self):
        got, self.got[:] = list(self.got), []
        return got


@pytest.fixture
def start(launch, tmp_path):
    servers = []

    def start_one():
        servers.append(launch(tmp_path, ["disco"], storage="sqlite",
                              components={HOST: {"module": "muc"}}))
        return servers[-1]

    yield start_one
    for server in servers:
        if not server.server.stopping:
            server.stop()


@pytest.fixture
def far(start):
    """Return the owner of a persistent room, and another server that has somebody in it."""
    running = start()
    juliet = Party(running).owner(persistentroom="1")
    far = Far(running)
    far.join(juliet.room)
    return juliet, far


def test_somebody_from_another_server_enters_and_hears(far):
    juliet, server = far
    other, own, subject = server.taken()
    assert other.attr["from"] == juliet.address and other.attr["to"] == FAR
    assert 110 in codes(own) and subject.get_child("subject") is not None
    assert item(juliet.presence_of("Mercutio"))["jid"] == FAR
    juliet.say("welcome").flush()
    (said,) = server.taken()
    assert said.attr["to"] == FAR and said.get_child_text("body") == "welcome"
    message = builders.message({"to": juliet.room, "type": "groupchat"}, "a plague")
    server.send(message)
    assert juliet.client.receive_until(
        lambda one: one.get_child_text("body") == "a plague").attr["from"].endswith("/Mercutio")


def test_an_error_from_another_server_takes_its_user_out(far):
    juliet, server = far
    juliet.presence_of("Mercutio")
    bounced = builders.message({"to": f"{juliet.room}/Juliet", "type": "error"})
    bounced.tag("error", type="cancel").tag("remote-server-not-found", xmlns=STANZA_ERRORS)
    server.send(bounced.reset())
    left = juliet.presence_of("Mercutio")
    assert left.attr["type"] == "unavailable" and 333 in codes(left)


def test_a_server_that_cannot_be_reached_costs_nothing_but_its_users(far):
    juliet, server = far
    juliet.presence_of("Mercutio")
    events = juliet.party.running.server.hosts[HOST].events
    events.remove_handler("route/remote", server.take)

    def unreachable(event):
        answer = builders.error_reply(event.stanza, "cancel", "remote-server-not-found")
        event.origin.send(answer.reset())
        return True

    events.add_handler("route/remote", unreachable)
    juliet.say("anybody?")
    assert juliet.message().get_child_text("body") == "anybody?"
    assert juliet.presence_of("Mercutio").attr["type"] == "unavailable"


def test_a_server_that_is_lost_takes_all_its_users_along(far):
    juliet, server = far
    running = juliet.party.running
    room = running.server.modules.get_module(HOST, "muc").rooms.live[juliet.room]
    for number in range(500):
        occupant = room.new_occupant(f"u{number}@far.example", f"{juliet.room}/u{number}")
        occupant.set_session(f"u{number}@far.example/r", builders.presence())
        room.save_occupant(occupant)
    events = running.server.hosts[HOST].events
    events.remove_handler("route/remote", server.take)
    sent = []

    def unreachable(event):
        sent.append(event.stanza)
        if event.stanza.attr.get("type") != "error":
            event.origin.send(builders.error_reply(
                event.stanza, "cancel", "remote-server-not-found").reset())
        return True

    events.add_handler("route/remote", unreachable)
    juliet.say("anybody?")
    left = {juliet.client.receive_until(lambda one: one.attr.get("type") == "unavailable").attr[
        "from"] for _ in range(501)}
    assert len(left) == 501 and list(room._occupants) == [juliet.address]
    assert len(sent) < 501 * 3
    juliet.flush().say("alone")
    assert juliet.message().get_child_text("body") == "alone"


def test_somebody_from_another_server_stays_over_a_restart(far, start):
    juliet, server = far
    juliet.party.running.stop()
    server.taken()
    running = start()
    again = Far(running)
    juliet.party.running = running
    nurse = juliet.party.guest("nurse")
    assert [one.attr["from"] for one in nurse.join() if one.name == "presence"] == [
        f"{juliet.room}/Mercutio", nurse.address]
    nurse.say("still here?").flush()
    assert [one.get_child_text("body") for one in again.taken() if one.name == "message"] == [
        "still here?"]
