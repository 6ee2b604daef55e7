"""Rooms over restarts and reloads, and out of memory; also what Prosody has stored."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import wait_until
from prosody_py.testing.rooms import HOST, Party, codes, error, item


@pytest.fixture
def start(launch, tmp_path):
    """Return a function that starts a server which keeps its data in a file."""
    servers = []

    def start_one(**options):
        running = launch(tmp_path, ["disco"], storage="sqlite", components={
            HOST: {"module": "muc", **options}})
        servers.append(running)
        return running

    yield start_one
    for server in servers:
        if not server.server.stopping:
            server.stop()


def again(running, start, **options):
    running.stop()
    return start(**options)


def rooms_of(running):
    return running.server.modules.get_module(HOST, "muc").rooms


def test_a_persistent_room_is_there_after_a_restart(start):
    running = start()
    party = Party(running)
    juliet = party.owner(persistentroom="1", roomname="Kept", membersonly="1", whois="anyone")
    juliet.send(f"<message to='{party.room}' type='groupchat'><subject>Verona</subject></message>")
    ids = juliet.flush().join()[0].get_child("occupant-id", "urn:xmpp:occupant-id:0").attr
    juliet.admin("set", jid="nurse@localhost", affiliation="member", nick="Angelica")
    juliet.admin("set", jid="tybalt@localhost", affiliation="outcast", reason="fighting")
    party.running = running = again(running, start)
    juliet = party.guest("juliet")
    own, subject = juliet.join()
    assert item(own)["affiliation"] == "owner" and 100 in codes(own)
    assert own.get_child("occupant-id", "urn:xmpp:occupant-id:0").attr == ids
    assert subject.get_child_text("subject") == "Verona"
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") == "Kept"
    (member,) = juliet.listed(affiliation="member")
    assert (member["jid"], member["nick"]) == ("nurse@localhost", "Angelica")
    assert [one["jid"] for one in juliet.listed(affiliation="outcast")] == ["tybalt@localhost"]


def test_a_ban_is_there_after_a_restart_whatever_the_name_is(start):
    running = start()
    party = Party(running)
    party.owner(persistentroom="1").admin("set", jid="_tybalt@localhost", affiliation="outcast")
    party.running = running = again(running, start)
    assert rooms_of(running).get(party.room).get_affiliation("_tybalt@localhost") == "outcast"


def test_other_rooms_are_not(start):
    running = start()
    party = Party(running)
    party.owner()
    party.running = again(running, start)
    assert 201 in codes(party.guest("romeo").join()[0])


def test_a_room_that_is_not_persistent_any_more_is_forgotten(start):
    running = start()
    party = Party(running)
    juliet = party.owner(persistentroom="1")
    juliet.configure(persistentroom="0")
    party.running = again(running, start)
    assert 201 in codes(party.guest("romeo").join()[0])


def test_who_is_in_a_room_when_the_service_ends_is_told(start):
    running = start()
    juliet, _romeo = Party(running).pair(persistentroom="1")
    running.server.modules.unload(HOST, "muc")
    out = juliet.client.presence()
    assert out.attr["type"] == "unavailable" and 332 in codes(out)


def test_a_destroyed_room_is_so_after_a_restart_and_its_name_is_free_in_time(start):
    running = start()
    party = Party(running)
    party.owner(persistentroom="1").owner("set", "<destroy/>")
    party.running = running = again(running, start)
    romeo = party.guest("romeo")
    assert error(romeo.knock())[1] == "gone"
    rooms_of(running).get(party.room)._data["locked"] = 1  # long ago
    assert 201 in codes(romeo.join()[0])


def test_tombstones_can_be_switched_off(start):
    party = Party(start(muc_tombstones=False))
    party.owner(persistentroom="1").owner("set", "<destroy/>")
    assert 201 in codes(party.guest("romeo").join()[0])


def test_a_reload_is_not_noticed_by_those_in_a_room(start):
    running = start()
    party = Party(running)
    juliet, romeo = party.pair(roomname="The hall")
    other = party.guest("romeo", resource="two")
    other.join()
    juliet.say("before").flush()
    romeo.flush()
    other.flush()
    running.server.modules.reload(HOST, "muc")
    assert juliet.client.flush() == [] and romeo.client.flush() == []
    romeo.say("after")
    for guest in (juliet, romeo, other):
        assert guest.message().attr["from"] == romeo.address
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") == "The hall"
    seen = party.guest("nurse").join()
    assert [one.get_child_text("body") for one in seen if one.name == "message"][:-1] == [
        "before", "after"]
    assert item(juliet.presence_of("Nurse"))["jid"]


def test_a_reload_that_fails_changes_nothing(start, tmp_path):
    running = start()
    juliet, romeo = Party(running).pair()
    folder = tmp_path / "plugins" / "mod_muc"
    folder.mkdir(parents=True)
    (folder / "mod_muc.py").write_text("raise RuntimeError('broken')\n")
    running.server.modules.folders.insert(0, str(folder.parent))
    with pytest.raises(Exception, match="broken"):
        running.server.modules.reload(HOST, "muc")
    romeo.say("after")
    assert juliet.message().get_child_text("body") == "after"


def test_rooms_go_out_of_memory_and_come_back(start):
    running = start(muc_room_cache_size=2)
    party = Party(running)
    guest = party.guest("juliet")
    rooms = [f"room{number}@{HOST}" for number in range(5)]
    for room in rooms:
        party.room = room
        guest.join()
        guest.configure(persistentroom="1", roomname=f"Title of {room}")
        guest.say(f"in {room}").flush()
    live = rooms_of(running).live
    assert len(live) == 2 and rooms[0] not in live
    party.room = rooms[0]
    romeo = party.guest("romeo")
    seen = romeo.join()
    assert seen[0].attr["from"] == f"{rooms[0]}/Juliet"
    assert seen[2].get_child_text("body") == f"in {rooms[0]}"
    romeo.say("still heard")
    assert guest.client.receive_until(
        lambda one: one.get_child_text("body") == "still heard").attr["from"] == romeo.address
    answer = guest.iq("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", HOST)
    assert {tag.attr["name"] for tag in answer.tags[0].tags} == {
        f"Title of {room}" for room in rooms}
    assert len(live) == 2


def test_rooms_that_wait_to_be_configured_stay_in_memory(start):
    running = start(muc_room_cache_size=1)
    party = Party(running)
    guest = party.guest("juliet")
    for number in range(3):
        party.room = f"room{number}@{HOST}"
        guest.join()
    assert len(rooms_of(running).live) == 3


def test_who_is_gone_while_a_room_is_out_of_memory_is_not_in_it(start):
    running = start(muc_room_cache_size=1)
    party = Party(running)
    juliet, romeo = party.guest("juliet"), party.guest("romeo")
    room, other = party.room, f"other@{HOST}"
    juliet.join()
    juliet.configure(persistentroom="1")
    romeo.join()
    party.room = other
    juliet.join()
    assert room not in rooms_of(running).live
    del running.server.full_sessions[romeo.jid]  # as if the process had ended
    party.room = room
    seen = party.guest("nurse").join()
    assert [one.attr["from"] for one in seen if one.name == "presence"] == [
        f"{room}/Juliet", f"{room}/Nurse"]


def test_who_goes_while_a_room_is_out_of_memory_leaves_it_as_ever(start):
    running = start(muc_room_cache_size=1)
    party = Party(running)
    juliet, romeo = party.pair(persistentroom="1")
    room, party.room = party.room, f"other@{HOST}"
    juliet.join()
    assert room not in rooms_of(running).live
    romeo.client.close()
    left = juliet.client.receive_until(lambda one: one.attr.get("type") == "unavailable")
    assert left.attr["from"] == f"{room}/Romeo" and codes(left) == set()


def test_rooms_that_are_not_persistent_go_out_of_memory_with_those_in_them(start):
    running = start(muc_room_cache_size=1, muc_room_locking=False)
    party = Party(running)
    juliet, rooms = party.guest("juliet"), rooms_of(running)
    names = [f"room{number}@{HOST}" for number in range(4)]
    for party.room in names:
        juliet.join()
    assert list(rooms.live) == names[-1:]
    answer = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", HOST)
    assert {tag.attr["jid"] for tag in answer.tags[0].tags} == set(names)
    party.room = names[0]
    romeo = party.guest("romeo")
    assert romeo.join()[0].attr["from"] == f"{names[0]}/Juliet"
    for party.room in names:
        juliet.leave()
    party.room = names[0]
    romeo.leave()
    wait_until(lambda: not rooms.live and not rooms.stored)
    for name in ("config", "state", "rooms_made"):
        wait_until(lambda name=name: not list(running.server.storage.open(HOST, name).users()))


def test_who_is_deleted_is_forgotten_by_rooms_but_for_bans(start):
    running = start(muc_room_cache_size=1)
    party = Party(running)
    juliet, romeo = party.owner(persistentroom="1"), party.guest("romeo")
    room = party.room
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member", nick="Romeo")
    party.room = f"other@{HOST}"
    juliet.join()
    juliet.configure(persistentroom="1")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="outcast")
    assert room not in rooms_of(running).live
    users.delete_user(running.server, romeo.bare_jid.partition("@")[0], "localhost")
    rooms = rooms_of(running)
    assert rooms.get(room).get_affiliation(romeo.bare_jid) is None
    assert rooms.get(room).get_registered_jid("Romeo") is None
    assert rooms.get(party.room).get_affiliation(romeo.bare_jid) == "outcast"


@pytest.mark.parametrize("stored", [
    {"_jid": f"old@{HOST}", "_data": {"name": "Old", "persistent": True, "subject": "s"},
     "_affiliation_data": {"nurse@localhost": {"reserved_nickname": "Angelica"}},
     "juliet@localhost": "owner", "nurse@localhost": "member"},
    {"jid": f"old@{HOST}", "_data": {"name": "Old", "persistent": True, "subject": "s"},
     "_affiliations": {"juliet@localhost": "owner", "nurse@localhost": "member"},
     "_affiliation_data": {"nurse@localhost": {"reserved_nickname": "Angelica"}}}])
def test_what_prosody_has_stored_is_read(start, stored):
    running = start()
    storage = running.server.storage
    storage.open(HOST, "config").set("old", stored)
    storage.open(HOST, "persistent", "map").set(None, f"old@{HOST}", True)
    running = again(running, start)
    room = rooms_of(running).get(f"old@{HOST}")
    assert room.get_name() == "Old" and room.get_affiliation("juliet@localhost") == "owner"
    assert room.get_registered_jid("Angelica") == "nurse@localhost"
    running.server.modules.get_module(HOST, "muc").exports.configure_room(
        room.jid, {"muc#roomconfig_roomname": "New"})
    kept = storage_of(running).get("old")
    assert kept["_jid"] == f"old@{HOST}" and kept["juliet@localhost"] == "owner"
    assert kept["_data"]["name"] == "New"


def storage_of(running):
    return running.server.storage.open(HOST, "config")


def test_a_store_that_fails_is_told_to_who_has_asked(start, monkeypatch):
    running = start()
    party = Party(running)
    juliet = party.owner(persistentroom="1")

    def fail(_user, _value):
        raise StorageError("resource-constraint", "the disk is full")

    monkeypatch.setattr(rooms_of(running).config, "set", fail)
    assert error(juliet.configure(roomname="Lost"))[1] == "resource-constraint"
