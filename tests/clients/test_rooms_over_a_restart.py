"""Who can resume the stream stays in a room while the server is started anew."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.managed import Managed
from prosody_py.testing.rooms import codes, item
from prosody_py.testing.server import TestServer
from prosody_py.xmpp import builders

ROOMS, HALL = "rooms.localhost", "hall@rooms.localhost"
JOIN = "<presence to='{}/{}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
OPTIONS = {"storage": "sqlite", "modules_enabled": ["saslauth", "roster", "ping", "disco"]}
COMPONENT = {"module": "muc", "muc_room_locking": False, "modules_enabled": ["muc_mam"],
             "muc_log_presences": True}


@pytest.fixture
def restarts(tmp_path):
    """Return a function that starts the server, again and again on the same data."""
    running = []

    def start(more=("smacks",), components=True, **component):
        if running:
            running.pop().stop()
        hosts = {ROOMS: {**COMPONENT, **component}} if components else {}
        running.append(TestServer(tmp_path, list(more), **OPTIONS, components=hosts))
        return running[0]

    yield start
    running.pop().stop()


@pytest.fixture(params=[True, False], ids=["persistent", "temporary"])
def rooms(request, restarts):
    """Return such a function for both kinds of rooms."""
    def start(**options):
        return restarts(muc_room_default_persistent=request.param, **options)

    return start


def join(client, nick):
    """Enter the hall; return the nicknames that are told before the subject."""
    client.send(JOIN.format(HALL, nick))
    told = []
    while (element := client.receive()).get_child("subject") is None:
        if element.name == "presence":
            told.append(element.attr["from"].partition("/")[2])
    return told


def said(client):
    """Wait for a message of the room; return what was said and by whom."""
    element = client.receive_until(lambda one: one.get_child("body") is not None)
    return element.attr["from"].partition("/")[2], element.get_child_text("body")


def say(client, text):
    client.send(f"<message to='{HALL}' type='groupchat'><body>{text}</body></message>")


def live(running):
    return running.server.modules.get_module(ROOMS, "muc").rooms


def stored(running):
    """Return what is stored of rooms: the names in each of their stores."""
    names = {name: set(running.server.storage.open(ROOMS, name).users())
             for name in ("config", "state", "rooms_made")}
    names["persistent"] = set(running.server.storage.open(ROOMS, "persistent").get(None) or ())
    return {name: found for name, found in names.items() if found}


def unavailable(client):
    return client.receive_until(lambda one: one.name == "presence"
                                and one.attr.get("type") == "unavailable")


def test_occupants_stay_in_a_room_over_a_restart(rooms):
    running = rooms()
    juliet = Managed(running)
    assert join(juliet.client, "Jule") == ["Jule"]
    got = len(juliet.client.flush())
    running = rooms()
    romeo = running.client("romeo").available()
    assert join(romeo, "Romeo") == ["Jule", "Romeo"]
    say(romeo, "still here?")
    assert said(romeo) == ("Romeo", "still here?")
    assert juliet.come_back(3 + got, running).name == "resumed"
    assert said(juliet.client) == ("Romeo", "still here?")
    say(juliet.client, "yes")
    assert said(romeo) == ("Jule", "yes")
    assert live(running).get(HALL).get_affiliation("juliet@localhost") == "owner"


def test_who_cannot_resume_is_not_in_the_room_after_a_restart(rooms):
    running = rooms()
    juliet = running.client("juliet").available()
    assert join(juliet, "Jule") == ["Jule"]
    running = rooms()
    romeo = running.client("romeo").available()
    assert join(romeo, "Romeo") == ["Romeo"]


def test_who_resumes_is_told_who_has_left_because_of_the_restart(rooms):
    running = rooms()
    juliet, romeo = Managed(running), running.client("romeo").available()
    join(juliet.client, "Jule")
    join(romeo, "Romeo")
    juliet.client.receive_until(lambda one: one.attr["from"] == f"{HALL}/Romeo")
    running = rooms()
    assert list(live(running).get(HALL)._occupants) == [f"{HALL}/Jule"]
    juliet.come_back(0, running)
    assert unavailable(juliet.client).attr["from"] == f"{HALL}/Romeo"


def test_who_is_lost_with_the_restart_is_taken_out_and_the_others_are_told(rooms):
    running = rooms()
    juliet = Managed(running)
    join(juliet.client, "Jule")
    room = live(running).get(HALL)
    lost = room.new_occupant("nurse@localhost", f"{HALL}/Nurse")
    lost.set_session("nurse@localhost/gone", builders.presence())
    room.save_occupant(lost)
    running = rooms()
    juliet.come_back(0, running)
    told = unavailable(juliet.client)
    assert told.attr["from"] == f"{HALL}/Nurse" and codes(told) == {333}
    assert list(live(running).get(HALL)._occupants) == [f"{HALL}/Jule"]
    log = running.server.modules.get_module(ROOMS, "muc_mam").archive.find("hall", {})[0]
    assert [(element.attr["from"].partition("/")[2], with_) for _id, element, _when, with_ in log
            if element.name == "presence"] == [("Jule", "presence"), ("Nurse",
                                                                      "presence<unavailable")]


def test_a_temporary_room_ends_when_nobody_comes_back(restarts):
    running = restarts()
    juliet = Managed(running)
    join(juliet.client, "Jule")
    running = restarts()
    assert HALL in live(running).live
    running.server.full_sessions[juliet.jid].extras["hibernating_watchdog"].bark(0)
    wait_until(lambda: HALL not in live(running).live)
    assert stored(running) == {}
    romeo = running.client("romeo").available()
    romeo.send(JOIN.format(HALL, "Romeo"))
    assert 201 in codes(romeo.presence())


def test_a_temporary_room_whose_occupants_are_all_lost_leaves_nothing(restarts):
    running = restarts()
    join(Managed(running).client, "Jule")
    running = restarts(more=["time"])
    assert not live(running).live and stored(running) == {}


def test_a_room_that_waits_to_be_configured_does_so_after_a_restart(restarts):
    running = restarts(muc_room_locking=True)
    juliet = Managed(running)
    join(juliet.client, "Jule")
    running = restarts(muc_room_locking=True)
    assert live(running).get(HALL).lock_timer is not None
    romeo = running.client("romeo").available()
    romeo.send(JOIN.format(HALL, "Romeo"))
    assert romeo.presence().get_error()[1] == "item-not-found"


def test_a_room_that_is_lost_with_the_server_tells_who_comes_back(restarts):
    running = restarts()
    juliet = Managed(running)
    join(juliet.client, "Jule")
    live(running).save = lambda *_room, **_how: False  # as when the process is killed
    running = restarts()
    juliet.come_back(0, running)
    told = unavailable(juliet.client)
    assert told.attr["from"] == f"{HALL}/Jule" and codes(told) == {110, 332}
    assert (item(told)["affiliation"], item(told)["role"]) == ("none", "none")
    assert join(juliet.client, "Jule") == ["Jule"]


def test_what_a_crash_has_left_of_a_temporary_room_is_cleared_away(restarts):
    running = restarts()
    storage = running.server.storage
    storage.open(ROOMS, "config").set("half", {"_jid": f"half@{ROOMS}", "_data": {}})
    storage.open(ROOMS, "state").set("half", {f"half@{ROOMS}/x": {"bare_jid": "x@localhost"}})
    assert stored(restarts()) == {}


def test_a_temporary_room_that_was_in_memory_in_a_crash_has_ended(restarts):
    running = restarts()
    join(Managed(running).client, "Jule")
    running = restarts()
    assert stored(running)["persistent"] == {HALL} and "state" not in stored(running)
    live(running).save = lambda *_room, **_how: False  # as when the process is killed
    running = restarts()
    assert HALL not in live(running).live and stored(running) == {}


def test_rooms_wait_for_their_host_to_be_configured_again(rooms):
    running = rooms()
    juliet = Managed(running)
    join(juliet.client, "Jule")
    rooms(components=False)
    running = rooms()
    assert juliet.come_back(0, running).name == "resumed"
    say(juliet.client, "here")
    assert said(juliet.client) == ("Jule", "here")


def test_users_of_other_servers_are_not_waited_for_longer_than_an_hour(rooms):
    running = rooms()
    juliet = Managed(running)
    join(juliet.client, "Jule")
    room = live(running).get(HALL)
    far = room.new_occupant("mercutio@far.example", f"{HALL}/Mercutio")
    far.set_session("mercutio@far.example/r", builders.presence())
    room.save_occupant(far)
    running = rooms()
    room, state = live(running).get(HALL), live(running).state
    assert len(room._occupants) == 2
    put = state.set
    state.set = lambda node, value: put(node, value and {**value, "_written_at": 1})
    running = rooms()
    assert list(live(running).get(HALL)._occupants) == [f"{HALL}/Jule"]
