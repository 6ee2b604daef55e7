"""What rooms and their service tell about themselves (XEP-0045 section 6)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, HOST, MUC, error

INFO, ITEMS = (f"http://jabber.org/protocol/disco#{what}" for what in ("info", "items"))
pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


def info(guest, to=None, node=None):
    node = f" node='{node}'" if node else ""
    return guest.iq("get", f"<query xmlns='{INFO}'{node}/>", to)


def items(guest, to=None, inside=""):
    answer = guest.iq("get", f"<query xmlns='{ITEMS}'>{inside}</query>", to)
    assert answer.attr["type"] == "result", str(answer)
    return answer.tags[0]


def test_the_service_says_what_it_is(party):
    query = info(party.guest("romeo"), HOST).tags[0]
    identity = query.get_child("identity")
    assert (identity.attr["category"], identity.attr["type"]) == ("conference", "text")
    assert MUC in {tag.attr.get("var") for tag in query.tags}


def test_the_service_lists_public_rooms_alone(party):
    juliet = party.owner(roomname="The hall", publicroom="1")
    listed = {tag.attr["jid"]: tag.attr["name"] for tag in items(juliet, HOST).tags}
    assert listed[party.room] == "The hall"
    juliet.configure(publicroom="0")
    assert party.room not in {tag.attr["jid"] for tag in items(juliet, HOST).tags}


@pytest.mark.ours_alone("Debian's gives all at once")
def test_the_list_of_rooms_comes_in_pages(party, rooms_server):
    muc = rooms_server.server.modules.get_module(HOST, "muc").exports
    rooms = [f"{letter}{party.suffix}@{HOST}" for letter in "abcde"]
    for room in rooms:
        muc.create_room(room, {"persistent": True})
    romeo, rsm = party.guest("romeo"), "http://jabber.org/protocol/rsm"

    def page(inside):
        query = items(romeo, HOST, f"<set xmlns='{rsm}'>{inside}</set>")
        listed = [tag.attr["jid"] for tag in query.tags if tag.name == "item"]
        return listed, query.get_child("set", rsm)

    listed, found = page(f"<max>2</max><after>{rooms[1]}</after>")
    assert listed == rooms[2:4] and found.get_child_text("last") == rooms[3]
    assert int(found.get_child_text("count")) >= 5
    assert page(f"<max>2</max><before>{rooms[3]}</before>")[0] == rooms[1:3]
    assert page("<max>0</max>")[0] == []


def test_a_room_says_what_it_is(party):
    juliet = party.owner(roomname="The hall", roomdesc="Capulets", publicroom="1")
    query = info(party.guest("romeo")).tags[0]
    assert query.get_child("identity").attr["name"] == "The hall"
    features = {tag.attr.get("var") for tag in query.tags}
    assert {MUC, MUC + "#stable_id", "jabber:iq:register"} <= features
    form = query.get_child("x", DATA)
    values = {field.attr["var"]: field.get_child_text("value") for field in form.tags}
    assert values["FORM_TYPE"] == MUC + "#roominfo"
    assert values["muc#roominfo_description"] == "Capulets"
    assert values["muc#roominfo_occupants"] == "1"
    assert juliet.nick


def test_what_is_no_room_says_so(party):
    romeo = party.guest("romeo")
    assert error(info(romeo))[1] == "item-not-found"
    answer = romeo.iq("get", f"<query xmlns='{ITEMS}'/>")
    assert error(answer)[1] == "item-not-found"


@pytest.mark.ours_alone("Debian's lists nobody")
def test_who_is_in_a_room_is_listed_for_those_in_it(party):
    juliet, romeo = party.pair()
    assert {tag.attr["jid"] for tag in items(romeo).tags} == {juliet.address, romeo.address}
    assert items(party.guest("tybalt")).tags == []


@pytest.mark.ours_alone("Debian's does not pass it on, or gives another error")
def test_who_is_in_no_room_asks_nobody_in_it(party):
    juliet, tybalt = party.owner(), party.guest("tybalt")
    assert error(info(tybalt, juliet.address))[1] == "bad-request"


@pytest.mark.ours_alone("a node of ours")
def test_there_are_no_other_nodes(party):
    juliet = party.owner()
    assert error(info(juliet, node="urn:other"))[1] == "item-not-found"
    assert error(info(juliet, node=MUC + "#traffic"))[1] == "service-unavailable"
