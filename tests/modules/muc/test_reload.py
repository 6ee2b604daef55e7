"""Rooms whose module is reloaded while much is going on in them: nothing is lost or doubled."""

from __future__ import annotations

import gevent
import gevent.event
import pytest

from prosody_py.testing.rooms import HOST, JOIN, Party

LINES, RELOADS = 200, 6


@pytest.fixture
def running(launch, tmp_path):
    running = launch(tmp_path, ["disco"], storage="sqlite", components={
        HOST: {"module": "muc", "muc_room_cache_size": 1}})
    yield running
    running.stop()


def test_everything_is_heard_once_and_in_order(running):
    juliet, romeo = Party(running).pair(persistentroom="1")
    reloaded = []

    def reload():
        for _ in range(RELOADS):
            running.server.modules.reload(HOST, "muc")
            reloaded.append(True)
            gevent.sleep(0.005)

    reloading = gevent.spawn(reload)
    for number in range(LINES):
        juliet.say(f"line {number}")
        gevent.sleep(0.0002)
    reloading.join()
    heard = []
    while len(heard) < LINES:
        heard.append(romeo.message().get_child_text("body"))
    assert heard == [f"line {number}" for number in range(LINES)]
    assert romeo.messages() == [] and len(reloaded) == RELOADS


def test_who_enters_while_the_room_is_loaded_and_the_module_replaced_is_in_it(running):
    party = Party(running)
    juliet = party.owner(persistentroom="1")
    juliet.leave()
    party.room, room = f"other@{HOST}", party.room
    juliet.join()
    module = running.server.modules.get_module(HOST, "muc")
    assert room not in module.rooms.live
    get = module.rooms.config.get

    def slow(name):
        running.server.modules.reload(HOST, "muc")
        return get(name)

    module.rooms.config.get = slow
    party.room = room
    romeo = party.guest("romeo")
    assert romeo.join(JOIN)
    romeo.say("here")
    assert romeo.message().get_child_text("body") == "here"
    rooms = running.server.modules.get_module(HOST, "muc").rooms
    assert rooms.live[room].get_occupant_by_real_jid(romeo.jid) is not None


def test_a_room_that_ends_while_the_module_is_replaced_does_not_stay(running):
    party = Party(running)
    juliet = party.owner()
    events, ending = running.server.hosts[HOST].events, gevent.event.Event()

    def slow(_event):
        ending.set()
        gevent.sleep(0.2)

    events.add_handler("muc-room-destroyed", slow, 10)
    leaving = gevent.spawn(juliet.leave)
    ending.wait()
    running.server.modules.reload(HOST, "muc")
    leaving.join()
    events.remove_handler("muc-room-destroyed", slow)
    juliet.client.flush()
    assert party.room not in running.server.modules.get_module(HOST, "muc").rooms.live
