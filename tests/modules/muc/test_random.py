"""Whatever people do in rooms, in whatever order: what a room knows of them fits together."""

from __future__ import annotations

import itertools
import random

import gevent
import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.rooms import ADMIN, DATA, HOST, JOIN, MUC, OWNER

ROOMS = [f"{name}@{HOST}" for name in ("verona", "mantua", "padua", "venice")]
NICKS = ["one", "two", "three"]
ACTIONS = ["join"] * 6 + ["leave", "leave", "show", "away", "cut", "affiliation", "role", "form",
                          "form", "destroy", "say"]


class Crowd:
    """Three people with two clients each, and the rooms as the server has them."""

    def __init__(self, running, seed: int):
        self.running, self.chance = running, random.Random(seed)
        self.names = list(itertools.product(("juliet", "romeo", "tybalt"), ("a", "b")))
        self.clients = {who: running.client(*who).available() for who in self.names}

    @property
    def rooms(self):
        return self.running.server.modules.get_module(HOST, "muc").rooms

    def act(self) -> None:
        """Let somebody do something."""
        pick = self.chance.choice
        who, room, nick, action = pick(self.names), pick(ROOMS), pick(NICKS), pick(ACTIONS)
        self.clients[who].send({
            "join": f"<presence to='{room}/{nick}'>{JOIN}</presence>",
            "leave": f"<presence type='unavailable' to='{room}/{nick}'/>",
            "show": f"<presence to='{room}/{nick}'><show>away</show></presence>",
            "away": "<presence type='unavailable'/><presence/>",
            "say": f"<message type='groupchat' to='{room}'><body>x</body></message>",
            "affiliation": self.request(room, f"<item jid='{pick(self.names)[0]}@localhost' "
                                        f"affiliation='{pick(AFFILIATIONS)}'/>"),
            "role": self.request(room, f"<item nick='{nick}' role='{pick(ROLES)}'/>"),
            "form": self.form(room, pick(["persistentroom", "membersonly", "moderatedroom"])),
            "destroy": self.request(room, "<destroy/>", OWNER) if pick([0, 0, 1]) else " ",
        }.get(action, " "))
        if action == "cut" and pick([0, 0, 1]):
            self.clients[who].sock.close()
            gevent.sleep(0.01)
            self.clients[who] = self.running.client(*who).available()

    def request(self, room: str, inside: str, xmlns: str = ADMIN) -> str:
        return f"<iq type='set' id='i' to='{room}'><query xmlns='{xmlns}'>{inside}</query></iq>"

    def form(self, room: str, name: str) -> str:
        return self.request(
            room, f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'><value>{MUC}#roomconfig"
            f"</value></field><field var='muc#roomconfig_{name}'><value>{self.chance.choice('01')}"
            "</value></field></x>", OWNER)

    def settle(self) -> None:
        for client in self.clients.values():
            client.flush()
        gevent.sleep(0)

    def check(self) -> None:
        """Assert that all rooms are in order."""
        for room in list(self.rooms.live.values()):
            sessions = {}
            for nick, occupant in room._occupants.items():
                assert occupant.nick == nick and occupant.role
                assert occupant.jid in occupant.sessions
                for address in occupant.sessions:
                    assert address not in sessions
                    assert address in self.running.server.full_sessions
                    sessions[address] = nick
            assert sessions == room._jid_nick
            assert sessions.keys() == room.addresses.keys()
            if not room._occupants:
                assert room.get_persistent() or room.destroying, "an empty room stays"
            assert not (room._data.get("destroyed") and room._occupants)


AFFILIATIONS = ["owner", "admin", "member", "none", "outcast"]
ROLES = ["moderator", "participant", "visitor", "none"]


@pytest.mark.parametrize(("seed", "steps"), [
    (1, 300), *(pytest.param(seed, 3000, marks=pytest.mark.slow) for seed in range(2, 6))])
def test_rooms_stay_in_order(start_server, seed, steps):
    running = start_server(["disco", "carbons", "blocklist"], storage="sqlite", components={
        HOST: {"module": "muc", "modules_enabled": ["muc_mam", "muc_moderation"],
               "muc_room_locking": False, "muc_room_cache_size": 2}})
    crowd = Crowd(running, seed)
    for step in range(steps):
        crowd.act()
        if step % 3 == 0:
            crowd.settle()
            crowd.check()
        if step % 100 == 99:
            running.server.modules.reload(HOST, "muc")
    wait_until(lambda: not any(room.destroying for room in crowd.rooms.live.values()))
