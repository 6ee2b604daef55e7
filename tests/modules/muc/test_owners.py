"""Making, configuring and destroying rooms (XEP-0045 section 10)."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.rooms import DATA, HOST, OWNER, USER, codes, error

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))
INFO = "http://jabber.org/protocol/disco#info"


def features(guest):
    info = guest.iq("get", f"<query xmlns='{INFO}'/>").tags[0]
    return {tag.attr["var"] for tag in info.tags if tag.name == "feature"}


def test_an_instant_room(party):
    juliet = party.guest("juliet")
    juliet.join()
    assert juliet.owner("set", f"<x xmlns='{DATA}' type='submit'/>").attr["type"] == "result"
    assert party.guest("romeo").join()


def test_a_reserved_room(party):
    juliet = party.guest("juliet")
    juliet.join()
    fields = juliet.form()
    assert {f"muc#roomconfig_{name}" for name in (
        "roomname", "roomdesc", "lang", "persistentroom", "publicroom", "roomsecret",
        "membersonly", "moderatedroom", "whois", "changesubject", "historylength",
        "presencebroadcast", "defaulthistorymessages")} <= fields.keys()
    assert fields["FORM_TYPE"].get_child_text("value").endswith("#roomconfig")
    assert juliet.configure(roomname="A Dark Cave", moderatedroom="1").attr["type"] == "result"
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") == "A Dark Cave"
    assert juliet.form()["muc#roomconfig_moderatedroom"].get_child_text("value") == "1"


@pytest.mark.ours_alone("Debian's goes on waiting")
def test_who_cancels_the_form_of_a_new_room_destroys_it(party):
    juliet = party.guest("juliet")
    juliet.join()
    assert juliet.owner("set", f"<x xmlns='{DATA}' type='cancel'/>").attr["type"] == "result"
    assert 201 in codes(party.guest("romeo").join()[0])


def test_who_cancels_the_form_later_changes_nothing(party):
    juliet = party.owner(roomname="Before")
    assert juliet.owner("set", f"<x xmlns='{DATA}' type='cancel'/>").attr["type"] == "result"
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") == "Before"


def test_only_owners_configure(party):
    juliet, romeo = party.pair()
    assert error(romeo.owner("get")) == ("auth", "forbidden")
    assert error(romeo.configure(roomname="Mine")) == ("auth", "forbidden")
    assert error(romeo.owner("set", "<destroy/>")) == ("auth", "forbidden")


def test_a_change_is_told(party):
    juliet, romeo = party.pair()
    juliet.configure(roomname="The hall")
    told = romeo.message()
    assert told.attr["from"] == party.room and told.attr["type"] == "groupchat"
    assert 104 in codes(told)
    juliet.configure(whois="anyone")
    assert 172 in codes(romeo.message())
    juliet.configure(whois="moderators")
    assert 173 in codes(romeo.message())


def test_no_change_is_not_told(party):
    juliet, romeo = party.pair(roomname="The hall")
    juliet.configure(roomname="The hall")
    assert romeo.messages() == []


@pytest.mark.ours_alone("Debian's has no feature for the contrary of everything")
def test_the_configuration_is_discovered(party):
    juliet = party.owner()
    assert {"muc_public", "muc_open", "muc_unmoderated", "muc_semianonymous", "muc_unsecured",
            "muc_temporary"} <= features(juliet)
    juliet.configure(publicroom="0", membersonly="1", moderatedroom="1", whois="anyone",
                     roomsecret="rose", persistentroom="1")
    assert {"muc_hidden", "muc_membersonly", "muc_moderated", "muc_nonanonymous",
            "muc_passwordprotected", "muc_persistent"} <= features(juliet)


@pytest.mark.ours_alone("Debian's takes it for no")
def test_what_is_no_choice_is_refused(party):
    juliet = party.owner()
    assert error(juliet.configure(moderatedroom="perhaps"))[1] in (
        "not-acceptable", "bad-request")


@pytest.mark.ours_alone("Debian's keeps the roles")
def test_a_list_can_be_emptied(party):
    juliet = party.owner()
    assert juliet.submit({"muc#roomconfig_presencebroadcast": []}).attr["type"] == "result"
    field = juliet.form()["muc#roomconfig_presencebroadcast"]
    assert [tag for tag in field.tags if tag.name == "value"] == []
    romeo = party.guest("romeo")
    assert [one.attr["from"] for one in romeo.join() if one.name == "presence"] == [romeo.address]


@pytest.mark.ours_alone("Debian's takes what it can")
def test_there_is_one_answer(party):
    juliet = party.owner()
    for name, value in (("whois", "nobody"), ("presencebroadcast", "king"), ("whois", "anyone")):
        juliet.send(f"<iq type='set' id='once' to='{party.room}'>"
                    f"<query xmlns='{OWNER}'><x xmlns='{DATA}' type='submit'>"
                    f"<field var='muc#roomconfig_{name}'><value>{value}</value></field></x>"
                    "</query></iq>")
        answers = [one for one in juliet.client.flush() if one.attr.get("id") == "once"]
        assert [one.attr["type"] for one in answers] == [
            "result" if value == "anyone" else "error"]


@pytest.mark.ours_alone("Debian's takes what it can")
def test_nothing_is_changed_by_a_wrong_form(party):
    juliet = party.owner()
    assert error(juliet.configure(whois="nobody"))[1] == "not-acceptable"
    assert error(juliet.configure(historylength="many"))[1] == "not-acceptable"
    assert error(juliet.owner("set"))[1] == "bad-request"
    assert error(juliet.owner("set", f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'>"
                              "<value>urn:other</value></field></x>"))[1] == "bad-request"


def test_a_room_is_destroyed(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    answer = juliet.owner("set", f"<destroy jid='next@{HOST}'><reason>over</reason></destroy>")
    assert answer.attr["type"] == "result"
    for guest in (romeo, nurse):
        out = guest.presence_of(guest.nick)
        assert out.attr["type"] == "unavailable"
        destroy = out.get_child("x", USER).get_child("destroy")
        assert destroy.attr["jid"] == f"next@{HOST}"
        assert destroy.get_child_text("reason") == "over"
    assert 201 in codes(party.guest("tybalt").join()[0])  # it was not persistent


def test_the_name_of_a_destroyed_room_stays_taken(party):
    juliet, romeo = party.pair(persistentroom="1")
    juliet.owner("set", f"<destroy jid='next@{HOST}'><reason>over</reason></destroy>")
    refused = romeo.flush().knock()
    assert error(refused) == ("cancel", "gone")
    assert refused.get_error()[2] == "over"
    assert refused.get_child("error").tags[0].get_text() == f"xmpp:next@{HOST}?join"
    assert error(romeo.iq("get", f"<query xmlns='{INFO}'/>"))[1] == "gone"


@pytest.mark.ours_alone("a server of its own")
def test_who_may_make_rooms(launch, tmp_path):
    components = {
        HOST: {"module": "muc", "restrict_room_creation": True, "admins": ["nurse@localhost"]},
        "muc.localhost": {"module": "muc"},
        "muc.elsewhere.example": {"module": "muc"},
        "open.elsewhere.example": {"module": "muc", "restrict_room_creation": False},
        "alone.example": {"module": "muc"},
        "few.localhost": {"module": "muc", "muc_max_rooms_per_owner": 1},
        "full.localhost": {"module": "muc", "muc_max_rooms": 1}}
    running = launch(tmp_path, ["disco"], components=components,
                     hosts={"localhost": {}, "elsewhere.example": {}})
    juliet, nurse = running.client("juliet"), running.client("nurse")

    def made(client, room):
        client.send(f"<presence to='{room}/x'><x xmlns='http://jabber.org/protocol/muc'/>"
                    "</presence>")
        answer = client.presence()
        client.flush()
        return answer.attr.get("type") is None or error(answer)

    try:
        assert made(juliet, f"a@{HOST}") == ("cancel", "not-allowed")
        assert made(nurse, f"a@{HOST}") is True
        assert made(juliet, "a@muc.localhost") is True
        assert made(juliet, "a@muc.elsewhere.example") == ("cancel", "not-allowed")
        assert made(juliet, "a@open.elsewhere.example") is True
        assert made(juliet, "a@alone.example") is True  # there is no domain above
        assert made(juliet, "a@few.localhost") is True
        assert made(juliet, "b@few.localhost") == ("wait", "resource-constraint")
        assert made(nurse, "b@few.localhost") is True
        assert made(nurse, "a@full.localhost") is True
        assert made(juliet, "b@full.localhost") == ("wait", "resource-constraint")
    finally:
        running.stop()


@pytest.mark.slow
@pytest.mark.ours_alone("a server of its own")
def test_a_room_that_nobody_configures_ends(launch, tmp_path):
    running = launch(tmp_path, ["disco"], components={
        HOST: {"module": "muc", "muc_room_lock_timeout": 1}})
    try:
        juliet = running.client("juliet")
        juliet.send(f"<presence to='a@{HOST}/x'><x xmlns='http://jabber.org/protocol/muc'/>"
                    "</presence>")
        out = juliet.receive_until(lambda one: one.attr.get("type") == "unavailable")
        assert out.get_child("x", USER).get_child("destroy") is not None
        rooms = running.server.modules.get_module(HOST, "muc").rooms
        wait_until(lambda: not rooms.live)
    finally:
        running.stop()


@pytest.mark.ours_alone("Debian's has them as commands alone")
def test_what_administrators_do_from_outside(party, rooms_server):
    muc = rooms_server.server.modules.get_module(HOST, "muc").exports
    room = muc.create_room(party.room, {"name": "Made", "persistent": True, "public": False})
    assert muc.get_room_from_jid(party.room) is room and muc.has_room(party.room)
    juliet = party.guest("juliet")
    muc.set_room_affiliation(party.room, juliet.bare_jid, "owner")
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") == "Made"
    muc.configure_room(party.room, {"muc#roomconfig_roomname": "Changed"})
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") == "Changed"
    assert {"jid": party.room, "name": "Changed", "occupants": 0, "public": False,
            "persistent": True, "members_only": False} in muc.list_rooms()
    assert room in list(muc.each_room()) and room in list(muc.live_rooms())
    muc.destroy_room(party.room, "over")
    assert error(juliet.knock()) == ("cancel", "gone")


@pytest.mark.ours_alone("Debian's keeps it in memory")
def test_an_empty_room_ends_when_it_is_not_persistent_any_more(party):
    juliet = party.owner(persistentroom="1")
    juliet.leave()
    assert juliet.configure(persistentroom="0").attr["type"] == "result"
    assert error(juliet.owner("get"))[1] == "item-not-found"
