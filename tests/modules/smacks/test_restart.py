"""Sessions that can be resumed outlive the server's process."""

from __future__ import annotations

import time

import pytest

from prosody_py.api.roles import Role
from prosody_py.hosts import users
from prosody_py.testing.client import wait_until
from prosody_py.testing.managed import Managed, acknowledge, bodies, handled, resume, say
from prosody_py.testing.people import People, kinds
from prosody_py.testing.server import TestServer
from prosody_py.xmpp.jid import node
from prosody_py.xmpp.parser import parse_fragment

SQLITE = {"storage": "sqlite", "modules_enabled": ["saslauth", "roster", "ping", "disco", "csi"]}


class Restarts:
    """Starts a server again and again on the same data."""

    def __init__(self, folder):
        self.folder, self.running = folder, None

    def start(self, **options):
        self.running = TestServer(self.folder, ["smacks"], **{**SQLITE, **options})
        return self.running

    def again(self, **options):
        self.running.stop()
        return self.start(**options)


@pytest.fixture
def restarts(tmp_path):
    restarts = Restarts(tmp_path)
    yield restarts
    restarts.running.stop()


def test_a_connected_session_goes_on_after_a_restart(restarts):
    running = restarts.start()
    juliet, romeo = Managed(running), running.client("romeo", "orchard").available()
    say(romeo, juliet.jid, "one")
    assert bodies(juliet.client.flush()) == ["one"]
    stamp = juliet.session.presence.get_child_attr("delay", "urn:xmpp:delay", "stamp")
    running = restarts.again()
    romeo = running.client("romeo", "orchard").available()
    say(romeo, juliet.jid, "two")
    answer = juliet.come_back(1, running)
    assert (answer.name, answer.attr["h"]) == ("resumed", "1")
    assert bodies(juliet.client.flush()) == ["two"]
    presence = juliet.session.presence
    assert presence.get_child_attr("delay", "urn:xmpp:delay", "stamp") == stamp
    say(juliet.client, romeo.jid, "here")
    assert romeo.message().attr["from"] == juliet.jid


def test_a_session_that_waited_goes_on_with_what_had_come_for_it(restarts):
    running = restarts.start()
    juliet, romeo = Managed(running), running.client("romeo", "orchard").available()
    juliet.cut()
    for body in ("one", "two"):
        say(romeo, juliet.jid, body)
    romeo.send(f"<iq type='get' id='v' to='{juliet.jid}'><query xmlns='jabber:iq:version'/></iq>")
    romeo.flush()
    running = restarts.again()
    assert juliet.come_back(0, running).name == "resumed"
    came = juliet.client.flush()
    assert bodies(came) == ["one", "two"] and came[2].attr["id"] == "v"
    assert all(message.get_child("delay", "urn:xmpp:delay") for message in came[:2])


def test_what_is_acknowledged_after_a_restart_is_forgotten(restarts):
    running = restarts.start()
    juliet, romeo = Managed(running), running.client("romeo", "orchard").available()
    juliet.cut()
    say(romeo, juliet.jid, "one")
    running = restarts.again()
    juliet.come_back(0, running)
    assert bodies([juliet.client.message()]) == ["one"]
    acknowledge(juliet.client, 1)
    handled(juliet.client)
    juliet.cut()
    running = restarts.again()
    assert juliet.come_back(1, running).name == "resumed"
    assert bodies(juliet.client.flush()) == []


def test_contacts_do_not_hear_of_the_restart_and_presence_goes_on(restarts):
    running = restarts.start()
    people = People(running)
    people.befriend("juliet", "romeo")
    juliet = Managed(running, people.name("juliet"))
    people.login("romeo")
    watcher = Managed(running, people.name("romeo"), "watching")
    watcher.client.flush()
    running = restarts.again()
    assert watcher.come_back(0, running).name == "resumed"
    # Romeo's other client was not managed: it has gone, and Juliet has not.
    assert [(node(sender), type) for sender, type in kinds(watcher.client.flush())] == [
        (people.name("romeo"), "unavailable")]
    assert juliet.come_back(0, running).name == "resumed"
    juliet.client.send("<presence type='unavailable'/>")
    assert watcher.client.presence().attr["type"] == "unavailable"


def test_a_session_keeps_its_fields_but_not_the_clients_state(restarts):
    running = restarts.start()
    juliet = Managed(running)
    juliet.client.iq("get", "<query xmlns='jabber:iq:roster'/>")
    juliet.client.send("<presence to='garden@elsewhere.example/x'/>"
                       "<inactive xmlns='urn:xmpp:csi:0'/>").flush()
    session = juliet.session
    session.extras["want_carbons"] = "urn:xmpp:carbons:2"
    session.extras["caps_cache"] = parse_fragment("<query xmlns='q'><feature var='x'/></query>")
    session.extras["push_settings"] = {"jid": "push.example", "nodes": ["a", 1]}
    session.extras["of_the_process"] = object()
    session.extras["fast_token"] = "nobody else's"
    role, conntime = session.role.name, session.conntime
    running = restarts.again()
    session = running.server.full_sessions[juliet.jid]
    assert session.interested and list(session.directed) == ["garden@elsewhere.example/x"]
    assert session.extras["want_carbons"] == "urn:xmpp:carbons:2"
    assert session.extras["caps_cache"].tags[0].attr["var"] == "x"
    assert session.extras["push_settings"] == {"jid": "push.example", "nodes": ["a", 1]}
    assert not {"of_the_process", "fast_token"} & session.extras.keys()
    assert (session.role.name, session.conntime) == (role, conntime)
    assert session.extras.get("state") is None


def test_the_time_to_wait_goes_on_counting_while_the_server_is_down(restarts):
    running = restarts.start(smacks_hibernation_time=0.5)
    juliet, romeo = Managed(running), running.client("romeo", "orchard").available()
    juliet.cut()
    say(romeo, juliet.jid, "late")
    end = time.monotonic() + juliet.session.extras["hibernating_watchdog"].left()
    running.stop()
    wait_until(lambda: time.monotonic() > end)
    running = restarts.start(smacks_hibernation_time=0.5)
    answer = juliet.come_back(0, running)
    assert (answer.name, answer.attr.get("h")) == ("failed", "0")
    juliet.client.bind("balcony").send("<presence/>")
    assert bodies([juliet.client.message()]) == ["late"]


def test_an_account_that_is_gone_meanwhile_has_no_session(restarts):
    running = restarts.start()
    juliet = Managed(running)
    running.stop()
    running = restarts.start(modules_disabled=["smacks"])
    users.delete_user(running.server, "juliet", "localhost")
    running = restarts.again(modules_disabled=[])
    assert not running.server.full_sessions
    running.user("juliet")
    assert resume(running, "juliet", juliet.token, 0)[1].name == "failed"
    store = running.server.storage.open("localhost", "smacks_sessions", "keyval")
    assert list(store.users()) == []


def test_a_session_may_no_more_than_its_account(restarts):
    running = restarts.start(admins=["juliet@localhost", "nurse@localhost"])
    juliet, nurse = Managed(running), Managed(running, "nurse")
    nurse.session.role = Role(running.server, "localhost", "prosody:restricted")
    assert juliet.session.role.name == "prosody:admin"
    running = restarts.again(admins=["nurse@localhost"])
    found = running.server.full_sessions
    assert found[juliet.jid].role.name == "prosody:user"
    assert found[nurse.jid].role.name == "prosody:restricted"
    nurse.come_back(0, running)  # having logged in with her password
    assert nurse.session.role.name == "prosody:admin"


def put_down(restarts, state):
    """Put down what a killed server leaves of a session with three messages, numbered 5 to 7."""
    running = restarts.start(modules_disabled=["smacks"])
    running.user("juliet")
    entries = {f"token/{serial}": {"n": number, "when": 1234567890.0, "text": (
        f"<message from='romeo@localhost/x' to='juliet@localhost/balcony' type='chat'>"
        f"<body>{number}</body></message>")} for serial, number in ((8, 5), (9, 6), (10, 7))}
    running.server.storage.open("localhost", "smacks_sessions", "map").set_keys(
        "juliet", {**({"token": state} if state else {}), **entries})
    return restarts.again(modules_disabled=[])


def left(running):
    """Return whether anything is left in the store."""
    return list(running.server.storage.open("localhost", "smacks_sessions", "keyval").users())


@pytest.mark.parametrize("state", [{"connected": True, "numbers": {}}, None, {
    "connected": True, "numbers": {"8": 105, "9": 106, "10": 107}}])
def test_what_a_killed_server_leaves_is_given_to_who_comes(restarts, state):
    running = put_down(restarts, state)
    client = running.client("juliet", "street").send("<presence/>")
    messages = [client.message() for _ in range(3)]
    assert bodies(messages) == ["5", "6", "7"]
    assert messages[0].get_child_attr("delay", "urn:xmpp:delay", "stamp")[:4] == "2009"
    assert bodies(client.flush()) == []
    wait_until(lambda: left(running) == [])


@pytest.mark.parametrize(("numbers", "h"), [({}, 6), ({"8": 105, "9": 106, "10": 107}, 106)])
def test_a_client_says_what_it_has_got_of_what_is_left(restarts, numbers, h):
    running = put_down(restarts, {"connected": True, "numbers": numbers})
    client, failed = resume(running, "juliet", "token", h)
    assert failed.name == "failed" and "h" not in failed.attr
    client.bind("balcony").send("<presence/>")
    assert bodies([client.message()]) == ["7"] and bodies(client.flush()) == []
    wait_until(lambda: left(running) == [])


def test_what_nobody_comes_for_is_kept_for_later(restarts):
    running = put_down(restarts, None)
    running.server.modules.get_module("localhost", "smacks").revival.release("juliet")
    wait_until(lambda: left(running) == [])
    running = restarts.again()
    client = running.client("juliet", "street").send("<presence/>")
    assert bodies([client.message() for _ in range(3)]) == ["5", "6", "7"]
