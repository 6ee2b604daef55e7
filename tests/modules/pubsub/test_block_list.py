"""Rooms that follow a list which our component publishes."""

from __future__ import annotations

import hashlib

import pytest

from prosody_py.testing.pubsub import Asking

LISTS, ROOMS, NODE = "lists.localhost", "rooms.localhost", "muc_bans_sha256"
MUC = "http://jabber.org/protocol/muc"
TYBALT = hashlib.sha256(b"tybalt@localhost").hexdigest()


@pytest.fixture
def running(start_server):
    """Return a server with rooms that follow a node which is there already."""
    running = start_server(["presence", "message", "disco"], components={
        LISTS: {"module": "pubsub", "admins": ["nurse@localhost"]},
        ROOMS: {"module": "muc", "muc_rtbl_jid": LISTS}})
    nurse = running.client("nurse").available()
    Asking(nurse, LISTS).create(NODE, access_model="open")
    for room in ("hall", "yard"):
        enter(nurse, room)
        nurse.iq("set", f"<query xmlns='{MUC}#owner'><x xmlns='jabber:x:data' type='submit'/>"
                 "</query>", f"{room}@{ROOMS}")
    running.server.modules.load(ROOMS, "muc_rtbl")
    return running


def enter(client, room):
    """Go into a room; return the condition of the error, or None."""
    client.send(f"<presence to='{room}@{ROOMS}/{client.bare_jid[0]}'><x xmlns='{MUC}'/></presence>")
    answer = client.receive_until(lambda element: element.name == "presence"
                                  and element.attr["from"].startswith(room))
    return answer.get_error()[1] if answer.attr.get("type") == "error" else None


def test_rooms_follow_what_is_published_and_retracted(running):
    lists = Asking(running.client("nurse", "lists"), LISTS)
    tybalt = running.client("tybalt").available()
    tybalt.flush()
    assert lists.get(f"<subscriptions node='{NODE}'/>", True).tags[0].attr["jid"] == ROOMS
    lists.publish(NODE, TYBALT)
    assert enter(tybalt, "hall") == "forbidden"
    lists.set(f"<retract node='{NODE}' notify='true'><item id='{TYBALT}'/></retract>")
    assert enter(tybalt, "hall") is None
    lists.publish(NODE, TYBALT)
    assert enter(tybalt, "yard") == "forbidden"
    lists.set(f"<purge node='{NODE}'/>", True)
    assert enter(tybalt, "yard") is None


def test_a_list_is_read_from_the_start(running):
    lists = Asking(running.client("nurse", "lists"), LISTS)
    lists.publish(NODE, TYBALT)
    running.server.modules.unload(ROOMS, "muc_rtbl")
    running.server.modules.load(ROOMS, "muc_rtbl")
    assert enter(running.client("tybalt").available(), "hall") == "forbidden"
