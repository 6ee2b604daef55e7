"""What no honest client sends: to rooms, in forms, in lists; and floods."""

from __future__ import annotations

import time

import pytest
from gevent.event import Event

from prosody_py.testing.rooms import ADMIN, DATA, HOST, JOIN, MUC, OWNER, USER, error

OPTIONS = {"muc_max_affiliations": 5, "max_history_size": "50 KB"}


def alive(party, *guests):
    """Whether the room still works."""
    guests[0].flush()
    guests[0].say("alive")
    return all(guest.client.receive_until(
        lambda one: one.get_child_text("body") == "alive") for guest in guests)


@pytest.mark.parametrize("nick", [
    "x" * 101, "x" * 1023, "é" * 600, "\u200f" * 50 + "x" * 101])
def test_long_nicknames(party, nick):
    juliet, romeo = party.pair()
    tybalt = party.guest("tybalt", nick=nick)
    assert error(tybalt.knock())[1] in ("not-acceptable", "jid-malformed")
    romeo.send(f"<presence to='{party.room}/{nick}'/>")
    assert error(romeo.client.presence())[1] in ("not-acceptable", "jid-malformed")
    assert alive(party, juliet, romeo)


@pytest.mark.parametrize("nick", ["x" * 2000, "\ud7ff" * 1000])
def test_nicknames_that_are_none(party, nick):
    juliet, tybalt = party.owner(), party.guest("tybalt")
    assert error(tybalt.knock(nick=nick))[1] == "jid-malformed"
    assert alive(party, juliet)


def test_names_that_look_like_markup_are_written_as_they_are(party):
    juliet = party.owner()
    tybalt = party.guest("tybalt", nick="&lt;b a=&apos;&quot;&gt;")
    tybalt.client.send(f"<presence to='{tybalt.address}'>{JOIN}</presence>")
    assert juliet.client.presence().attr["from"] == f"{party.room}/<b a='\">"
    tybalt.flush().say("x")
    assert juliet.message().attr["from"].endswith("/<b a='\">")


def test_names_of_rooms_that_are_none(party):
    tybalt = party.guest("tybalt")
    for room in ("a b", "x" * 1100, "a&amp;b"):
        tybalt.send(f"<presence to='{room}@{HOST}/x'>{JOIN}</presence>")
        assert error(tybalt.client.presence())[1] == "jid-malformed"
    tybalt.send(f"<presence to='{HOST}/x'>{JOIN}</presence>").flush()
    assert party.owner()


def test_a_form_with_too_much(party):
    juliet = party.owner()
    fields = "".join(f"<field var='f{number}'><value>x</value></field>" for number in range(300))
    assert error(juliet.owner("set", f"<x xmlns='{DATA}' type='submit'>{fields}</x>"))[1] == (
        "resource-constraint")
    assert error(juliet.configure(roomname="x" * 20000))[1] == "resource-constraint"
    assert error(juliet.configure(historylength="9" * 400))[1] == "not-acceptable"
    assert error(juliet.configure(historylength="-1"))[1] == "not-acceptable"
    assert juliet.configure(historylength="999999").attr["type"] == "result"
    assert juliet.form()["muc#roomconfig_historylength"].get_child_text("value") == "50"
    assert alive(party, juliet)


def test_a_list_with_too_much(party):
    juliet = party.owner()
    items = "".join(f"<item jid='m{number}@localhost' affiliation='member'/>"
                    for number in range(1001))
    answer = juliet.iq("set", f"<query xmlns='{ADMIN}'>{items}</query>")
    assert error(answer)[1] == "resource-constraint"
    for number in range(4):
        assert juliet.admin("set", jid=f"m{number}@localhost", affiliation="member").attr[
            "type"] == "result"
    assert error(juliet.admin("set", jid="one-more@localhost", affiliation="member"))[1] == (
        "resource-constraint")
    assert alive(party, juliet)


def test_lists_of_nonsense(party):
    juliet, romeo = party.pair()
    for inside in ("", "<item/>", "<item affiliation=''/>", "<item role=''/>",
                   "<item xmlns='urn:other' affiliation='member'/>", "<other/>",
                   "<item affiliation='member' role='none'/>"):
        for type in ("get", "set"):
            answer = juliet.iq(type, f"<query xmlns='{ADMIN}'>{inside}</query>")
            assert answer.attr["type"] == "error", (inside, type)
    for inside in ("<item jid='' affiliation='member'/>", "<item nick='' role='none'/>"):
        assert error(juliet.iq("set", f"<query xmlns='{ADMIN}'>{inside}</query>"))
    for inside in ("<destroy jid='@'/>", f"<x xmlns='{DATA}'/>",
                   f"<x xmlns='{DATA}' type='nonsense'/>", "<other/>"):
        assert error(juliet.iq("set", f"<query xmlns='{OWNER}'>{inside}</query>"))[1] in (
            "bad-request", "jid-malformed")
    assert alive(party, juliet, romeo)


def test_messages_of_nonsense(party):
    juliet, romeo = party.pair()
    for inside in (f"<x xmlns='{USER}'><invite/></x>", f"<x xmlns='{USER}'><decline/></x>",
                   f"<x xmlns='{USER}'><invite to=''/></x>", f"<x xmlns='{USER}'/>",
                   f"<x xmlns='{DATA}' type='submit'/>",
                   f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'>"
                   f"<value>{MUC}#request</value></field></x>"):
        romeo.send(f"<message to='{party.room}'>{inside}</message>")
        assert romeo.message().attr["type"] == "error", inside
    for type in ("probe", "subscribe", "subscribed", "error"):
        romeo.send(f"<presence type='{type}' to='{party.room}/Romeo'/>")
    romeo.flush()
    assert party.guest("nurse").join()


def test_presence_that_is_too_much_is_refused(party):
    juliet, romeo = party.pair()
    romeo.show("<status>" + "x" * 3000 + "</status>")
    assert len(juliet.presence_of("Romeo").get_child_text("status")) == 3000
    assert alive(party, juliet, romeo)


def test_a_flood_of_comings_and_goings(party):
    juliet = party.owner()
    tybalt = party.guest("tybalt")
    one = (f"<presence to='{tybalt.address}'>{JOIN}</presence>"
           f"<presence type='unavailable' to='{tybalt.address}'/>")
    begin = time.process_time()
    tybalt.send(one * 300).flush()
    assert time.process_time() - begin < 10
    assert alive(party, juliet)
    room = party.running.server.modules.get_module(HOST, "muc").rooms.live[party.room]
    assert len(room._occupants) == len(room._jid_nick) == len(room.addresses) == 1


def test_a_history_of_large_messages_stays_small(party):
    juliet = party.owner(historylength="50")
    for number in range(8):
        juliet.send(f"<message to='{party.room}' type='groupchat'><body>{number}</body>"
                    f"<x xmlns='urn:example:x'><y>{'x' * 20000}</y></x></message>")
    juliet.flush()
    room = party.running.server.modules.get_module(HOST, "muc").rooms.live[party.room]
    assert [one["stanza"].get_child_text("body") for one in room._history] == ["6", "7"]


def test_a_flood_of_rooms_leaves_nothing_behind(party):
    tybalt = party.guest("tybalt")
    rooms = party.running.server.modules.get_module(HOST, "muc").rooms
    before = len(rooms.live)
    for number in range(200):
        address = f"flood{number}{party.suffix}@{HOST}/x"
        tybalt.client.send(f"<presence to='{address}'>{JOIN}</presence>"
                           f"<presence type='unavailable' to='{address}'/>")
    tybalt.flush()
    assert len(rooms.live) == before


def test_an_answer_for_somebody_else_is_not_passed_on(party):
    juliet, romeo = party.pair()
    tybalt = party.guest("tybalt")
    romeo.send(f"<iq type='get' id='q1' to='{juliet.address}'><x xmlns='urn:example:x'/></iq>")
    asked = juliet.client.receive_until(lambda one: one.name == "iq")
    tybalt.send(f"<iq type='result' id='{asked.attr['id']}' to='{romeo.address}'/>").flush()
    assert [one for one in romeo.client.flush() if one.name == "iq"] == []


@pytest.fixture
def slow_entry(rooms_server):
    """Let everybody wait at the door; return what tells that somebody does, and opens it."""
    waits, go_on = Event(), Event()

    def handler(_event):
        waits.set()
        go_on.wait(20)

    events = rooms_server.server.hosts[HOST].events
    events.add_handler("muc-occupant-pre-join", handler, -900)
    yield waits, go_on
    events.remove_handler("muc-occupant-pre-join", handler)


def occupants(party):
    muc = party.running.server.modules.get_module(HOST, "muc")
    room = muc.rooms.get(party.room)
    return None if room is None else sorted(one.nickname for one in room._occupants.values())


def test_who_goes_while_waiting_at_the_door_is_not_in_the_room(party, slow_entry):
    waits, go_on = slow_entry
    juliet = party.guest("juliet")
    juliet.send(f"<presence to='{juliet.address}'>{JOIN}</presence>")
    waits.wait(20)
    old = party.running.server.full_sessions[juliet.jid]
    party.guest("juliet", resource=juliet.jid.partition("/")[2])
    assert old.destroyed
    go_on.set()
    party.guest("romeo").client.flush()
    assert occupants(party) is None


def test_who_is_banned_while_waiting_at_the_door_stays_outside(party, slow_entry):
    waits, go_on = slow_entry
    go_on.set()
    juliet, tybalt = party.owner(), party.guest("tybalt")
    waits.clear(), go_on.clear()
    tybalt.send(f"<presence to='{tybalt.address}'>{JOIN}</presence>")
    waits.wait(20)
    assert juliet.admin("set", jid=tybalt.bare_jid, affiliation="outcast").attr[
        "type"] == "result"
    go_on.set()
    assert error(tybalt.client.presence())[1] == "forbidden"
    assert occupants(party) == ["Juliet"]
