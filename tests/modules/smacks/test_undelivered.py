"""What a client has not acknowledged when its session ends: never lost, never there twice."""

from __future__ import annotations

import time

import gevent
import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts import users
from prosody_py.testing.client import wait_until
from prosody_py.testing.managed import Managed, acknowledge, bodies, enable, say
from prosody_py.xmpp.datetime import parse_datetime


@pytest.fixture
def server(start_server):
    return start_server(["smacks"], smacks_hibernation_time=0.3)


@pytest.fixture
def romeo(server):
    return server.client("romeo", "orchard").available()


def gone(managed):
    """Let a session end because its client does not come back."""
    managed.cut()
    wait_until(lambda: managed.session is None)


def test_messages_are_kept_with_the_time_when_they_were_sent(server, romeo):
    juliet = Managed(server)
    say(romeo, juliet.jid, "one")
    entries = juliet.session.extras["outgoing_stanza_queue"].entries
    number, when, text = entries.pop()
    assert abs(when - time.time()) < 60
    entries.append((number, 1234567890.0, text))
    gone(juliet)
    message = server.client("juliet", "street").send("<presence/>").message()
    (delay,) = message.childtags("delay", "urn:xmpp:delay")
    assert parse_datetime(delay.attr["stamp"]) == 1234567890


def test_a_session_that_cannot_be_resumed_gives_back_at_once(server, romeo):
    client = server.client("juliet", "balcony").available()
    assert enable(client, resume=False).attr.get("id") is None
    jid = client.jid
    say(romeo, jid, "one")
    client.sock.close()
    wait_until(lambda: jid not in server.server.full_sessions)
    assert bodies([server.client("juliet", "street").send("<presence/>").message()]) == ["one"]


def test_what_was_acknowledged_is_not_kept(server, romeo):
    juliet = Managed(server)
    say(romeo, juliet.jid, "one")
    acknowledge(juliet.client, 1)
    juliet.client.flush()
    say(romeo, juliet.jid, "two")
    gone(juliet)
    came = server.client("juliet", "street").send("<presence/>").flush()
    assert bodies(came) == ["two"]


def test_a_question_is_answered_and_an_answer_is_not(server, romeo):
    juliet = Managed(server)
    juliet.cut()
    romeo.send(f"<iq type='get' id='q' to='{juliet.jid}'><a xmlns='b'/></iq>"
               f"<iq type='result' id='r' to='{juliet.jid}'/>"
               f"<presence to='{juliet.jid}'/>"
               f"<message type='error' to='{juliet.jid}'><error type='cancel'/></message>"
               f"<message type='headline' to='{juliet.jid}'><body>News</body></message>")
    wait_until(lambda: juliet.session is None)
    (error,) = [element for element in romeo.flush() if element.attr.get("type") == "error"]
    assert error.name == "iq" and error.attr["id"] == "q" and error.attr["from"] == juliet.jid
    assert error.get_error()[1] == "recipient-unavailable"


def test_without_a_place_to_keep_it_a_message_goes_back(start_server):
    server = start_server(["smacks"], smacks_hibernation_time=0.2, offline_message_limit=0)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    say(romeo, juliet.jid, "one")
    gone(juliet)
    assert romeo.message().get_error()[1] == "recipient-unavailable"


def test_what_another_resource_has_had_it_does_not_get_again(server, romeo):
    other = server.client("juliet", "desktop").available()
    juliet = Managed(server)
    say(romeo, "juliet@localhost", "to both")
    say(romeo, juliet.jid, "to the balcony")
    gone(juliet)
    assert bodies(other.flush()) == ["to both", "to the balcony"]


def test_a_resource_that_comes_later_gets_what_the_one_before_has_not(server, romeo):
    juliet = Managed(server)
    say(romeo, "juliet@localhost", "one")
    juliet.cut()
    say(romeo, "juliet@localhost", "two")
    other = server.client("juliet", "desktop").available()
    say(romeo, "juliet@localhost", "three")
    wait_until(lambda: juliet.session is None)
    assert sorted(bodies(other.flush())) == ["one", "three", "two"]


def test_carbon_copies_are_not_doubled(server, romeo):
    other = server.client("juliet", "desktop").available()
    server.server.full_sessions[other.jid].extras["want_carbons"] = "urn:xmpp:carbons:2"
    juliet = Managed(server)
    say(romeo, juliet.jid, "copied")
    gone(juliet)
    assert bodies(other.flush()) == []


@pytest.mark.parametrize("modules", [["carbons"], ["carbons", "mam"]])
def test_copies_are_not_kept_and_what_was_copied_is_not_doubled(start_server, modules):
    server = start_server(["smacks", *modules], smacks_hibernation_time=0.3)
    romeo = server.client("romeo", "orchard").available()
    first, second = Managed(server), Managed(server, resource="street")
    for managed in (first, second):
        managed.client.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    second.cut()
    say(romeo, first.jid, "to the first")      # the second has a copy of it
    say(romeo, second.jid, "to the second")    # and the other way round
    came = [element for element in first.client.flush() if element.name == "message"]
    assert bodies(came) == ["to the first", None] and came[1].tags[0].name == "received"
    say(first.client, romeo.jid, "from the first")
    wait_until(lambda: second.session is None)
    client = server.client("juliet", "garden").send("<presence/>")
    assert bodies(client.flush()) == []
    assert bodies(first.client.flush()) == []


def test_a_copy_is_not_kept_for_later_either(start_server):
    server = start_server(["smacks", "carbons"], smacks_hibernation_time=0.3)
    romeo = server.client("romeo", "orchard").available()
    first, second = server.client("juliet", "balcony").available(), Managed(
        server, resource="street")
    second.client.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    second.cut()
    say(romeo, first.jid, "to the first")
    say(romeo, second.jid, "to the second")
    first.close()
    wait_until(lambda: second.session is None)
    came = server.client("juliet", "garden").send("<presence/>").flush()
    assert bodies(came) == ["to the second"]


def test_events_tell_what_was_delivered_and_what_was_not(server, romeo):
    delivered, failed = [], []
    events = server.server.hosts["localhost"].events
    events.add_handler("delivery/success", lambda event: delivered.append(
        (event.session.full_jid, *bodies([event.stanza]))))
    events.add_handler("delivery/failure", lambda event: failed.append(
        (event.session.full_jid, *bodies([event.stanza]))) or True)
    juliet = Managed(server)
    for body in ("one", "two"):
        say(romeo, juliet.jid, body)
    acknowledge(juliet.client, 1)
    juliet.client.flush()
    acknowledge(juliet.client, 1)
    gone(juliet)
    assert delivered == [(juliet.jid, "one")]
    assert [entry for entry in failed if len(entry) == 2 and entry[1]] == [(juliet.jid, "two")]
    assert bodies(server.client("juliet", "street").send("<presence/>").flush()) == []


# -- reloads -------------------------------------------------------------------------------


@pytest.fixture
def patient(start_server):
    return start_server(["smacks"])


@pytest.mark.parametrize("names", [["smacks"], ["c2s"], ["c2s", "smacks"], ["smacks", "smacks"]])
def test_sessions_outlive_reloads(patient, names):
    waiting, romeo = Managed(patient), patient.client("romeo", "orchard").available()
    connected = Managed(patient, resource="street")
    session = waiting.cut()
    for managed in (waiting, connected):
        say(romeo, managed.jid, "before")
    for name in names:
        where = "*" if name == "c2s" else "localhost"
        patient.server.modules.reload(where, name)
    for managed in (waiting, connected):
        assert_is_new(patient, managed.session)
        say(romeo, managed.jid, "after")
    assert waiting.come_back(0).name == "resumed" and waiting.session is session
    assert bodies(waiting.client.flush()) == ["before", "after"]
    assert bodies(connected.client.flush()) == ["before", "after"]
    acknowledge(connected.client, 1)
    connected.client.flush()
    connected.cut()
    assert connected.come_back(1).name == "resumed"
    assert bodies(connected.client.flush()) == ["after"]


def assert_is_new(running, session):
    """Fail when code of an instance that was replaced still has to do with a session."""
    modules = running.server.modules
    smacks = modules.get_module("localhost", "smacks")
    assert type(session) is modules.get_module("*", "c2s").exports.ClientSession
    assert session.keep.__func__.__module__.startswith(smacks.exports.__name__ + ".")
    assert session.extras["smacks_tracker"].module is smacks


def test_the_time_to_wait_goes_on_over_a_reload(server, romeo):
    juliet = Managed(server)
    say(romeo, juliet.jid, "one")
    juliet.cut()
    left = juliet.session.extras["hibernating_watchdog"].left()
    server.server.modules.reload("localhost", "smacks")
    assert juliet.session.extras["hibernating_watchdog"].left() <= left
    wait_until(lambda: juliet.session is None)
    assert bodies(server.client("juliet", "street").send("<presence/>").flush()) == ["one"]


def test_unloading_ends_what_waits_and_leaves_the_others(patient):
    waiting, romeo = Managed(patient), patient.client("romeo", "orchard").available()
    connected = Managed(patient, resource="street")
    waiting.cut()
    say(romeo, waiting.jid, "one")
    patient.server.modules.unload("localhost", "smacks")
    assert waiting.session is None
    assert sorted(bodies(connected.client.flush())) == ["one"]
    assert connected.session.extras.get("smacks") is None and connected.session.keep is None
    connected.client.sock.close()
    wait_until(lambda: connected.session is None)


def test_a_stopped_account_loses_its_waiting_sessions(patient):
    juliet, other = Managed(patient), Managed(patient, resource="street")
    juliet.cut()
    answer = other.client.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    assert answer.attr["type"] == "result"
    users.set_password(patient.server, "juliet", "new", "localhost", "street")
    assert juliet.session is None and other.session is not None
    nurse = Managed(patient, "nurse")
    nurse.cut()
    patient.server.hosts["localhost"].events.fire_event("user-disabled", Event(
        username="nurse", host="localhost"))
    assert nurse.session is None
    users.delete_user(patient.server, "juliet", "localhost")
    gevent.sleep(0.02)
    for name in ("smacks_sessions", "smacks_h"):
        assert list(patient.server.storage.open("localhost", name, "keyval").users()) == []
