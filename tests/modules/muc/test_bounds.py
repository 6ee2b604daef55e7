"""What one account can make, say and have kept in rooms is bounded."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.rooms import ADMIN, DATA, HOST, JOIN, USER, codes, error

OPTIONS = {"muc_max_rooms_per_owner": 3, "muc_max_subject_length": 20, "muc_room_cache_size": 2,
           "muc_max_presence_size": "1 KB", "muc_max_affiliations_size": "2 KB",
           "max_history_messages": 5}
FULL = ("wait", "resource-constraint")


def room_of(party):
    return party.running.server.modules.get_module(HOST, "muc").rooms.get(party.room)


@pytest.fixture
def made(party):
    """Return a function with which somebody makes rooms, and which tells what comes of it."""
    def make(guest, *names, **config):
        answers = []
        for name in names:
            party.room = f"{name}{party.suffix}@{HOST}"
            answer = guest.flush().knock()
            answers.append(error(answer) if answer.attr.get("type") else 201 in codes(answer))
            if config and answers[-1] is True:
                assert guest.configure(**config).attr["type"] == "result"
        return answers

    return make


def test_an_account_makes_so_many_rooms(party, made):
    juliet = party.guest("juliet")
    assert made(juliet, "a", "b", "c", "d", "e") == [True, True, True, FULL, FULL]
    assert made(party.guest("romeo"), "f") == [True]
    party.room = f"b{party.suffix}@{HOST}"
    juliet.leave()
    assert made(juliet, "d", "e") == [True, FULL]


def test_configured_and_kept_rooms_count_and_also_those_that_were_given_away(party, made):
    juliet = party.guest("juliet")
    assert made(juliet, "a", "b", persistentroom="1") == [True, True]
    assert made(juliet, "c", roomname="Temporary") == [True]
    for name in "ab":
        party.room = f"{name}{party.suffix}@{HOST}"
        for account, affiliation in (("paris@far.example", "owner"), (juliet.bare_jid, "none")):
            assert juliet.admin("set", jid=account, affiliation=affiliation).attr[
                "type"] == "result"
        juliet.leave()
    assert made(juliet, "d") == [FULL]
    romeo = party.guest("romeo")  # who is given rooms has not made them
    party.room = f"c{party.suffix}@{HOST}"
    juliet.admin("set", jid=romeo.bare_jid, affiliation="owner")
    assert made(romeo, "e", "f", "g") == [True] * 3


def test_destroyed_rooms_make_place_and_do_not_pile_up(party, made):
    juliet, rooms = party.guest("juliet"), party.running.server.modules.get_module(
        HOST, "muc").rooms
    before = len(rooms.stored)
    for number in range(7):
        assert made(juliet, f"r{number}", persistentroom="1") == [True]
        assert juliet.owner("set", "<destroy/>").attr["type"] == "result"
    assert len(rooms.stored) - before == OPTIONS["muc_max_rooms_per_owner"]
    for name, left in (("r0", ("cancel", "gone")), ("r6", True)):
        assert made(juliet, name) == [left]


def test_old_tombstones_are_cleared_away(party, made):
    juliet, rooms = party.guest("juliet"), party.running.server.modules.get_module(
        HOST, "muc").rooms
    made(juliet, "old", "new", persistentroom="1")
    for name in ("old", "new"):
        party.room = f"{name}{party.suffix}@{HOST}"
        juliet.owner("set", "<destroy/>")
    rooms.get(f"old{party.suffix}@{HOST}")._data["locked"] = 1
    rooms.save(rooms.get(f"old{party.suffix}@{HOST}"), forced=True)
    rooms.clear_away()
    kept = {address for address in rooms.stored if party.suffix in address}
    assert kept == {f"new{party.suffix}@{HOST}"}


def test_a_new_account_of_the_name_begins_anew(party, made):
    juliet = party.guest("juliet")
    assert made(juliet, "a", "b", "c", persistentroom="1") == [True] * 3
    users.delete_user(party.running.server, party.name("juliet"), "localhost")
    assert made(party.guest("juliet"), "d") == [True]


def test_a_subject_has_so_many_characters(party):
    juliet, _romeo = party.pair()
    for text, answer in (("x" * 20, "groupchat"), ("x" * 21, "error")):
        juliet.send(f"<message to='{party.room}' type='groupchat'><subject>{text}</subject>"
                    "</message>")
        told = juliet.message()
        assert told.attr["type"] == answer
    assert error(told) == ("modify", "policy-violation")
    assert room_of(party).get_subject()[1] == "x" * 20


def test_a_presence_is_so_large(party):
    juliet, romeo = party.pair()
    large = "<status>" + "x" * 1100 + "</status>"
    assert error(romeo.show(large).client.presence()) == ("modify", "policy-violation")
    assert error(party.guest("nurse").knock(JOIN + large)) == ("modify", "policy-violation")
    assert juliet.client.flush() == []


def test_a_room_knows_so_much_about_accounts(party):
    juliet = party.owner()
    reason = "y" * 900
    answers = [juliet.admin("set", jid=f"t{number}@localhost", affiliation="outcast",
                            reason=reason) for number in range(3)]
    assert [one.attr["type"] for one in answers] == ["result", "result", "error"]
    assert error(answers[-1])[1] == "resource-constraint"
    for number in range(2):
        assert juliet.admin("set", jid=f"t{number}@localhost", affiliation="none").attr[
            "type"] == "result"
    assert juliet.admin("set", jid="t3@localhost", affiliation="outcast",
                        reason="z" * 5000).attr["type"] == "result"
    assert room_of(party).get_affiliation_data("t3@localhost", "reason") == "z" * 1000


def test_of_a_list_that_is_too_long_nothing_is_taken(party):
    juliet = party.owner()
    items = [{"jid": f"{number}{'x' * 500}@localhost", "affiliation": "member"}
             for number in range(5)]
    assert error(juliet.admin("set", *items))[1] == "resource-constraint"
    people = [one["jid"] for one in items]
    assert error(juliet.configure(roomadmins=people, roomname="Changed"))[1] == (
        "resource-constraint")
    assert list(room_of(party)._affiliations) == [juliet.bare_jid]
    assert room_of(party).get_name() is None


def test_a_long_list_is_written_once(party, rooms_server, monkeypatch):
    juliet = party.owner(persistentroom="1")
    rooms, written = rooms_server.server.modules.get_module(HOST, "muc").rooms, []
    put = rooms.config.set
    monkeypatch.setattr(rooms.config, "set", lambda *what: (written.append(what), put(*what)))
    assert juliet.admin("set", *({"jid": f"m{number}@localhost", "affiliation": "member"}
                                 for number in range(30))).attr["type"] == "result"
    assert juliet.configure(roomadmins=["a@localhost", "b@localhost"]).attr["type"] == "result"
    assert [len(config) - 4 for _node, config in written] == [30, 32, 32]


def test_who_asks_for_all_of_the_history_gets_what_there_is(party):
    juliet = party.owner(historylength="999")
    for number in range(9):
        juliet.say(str(number))
    juliet.flush()
    for asked in ("maxstanzas='999999'", "maxchars='99999999'", "seconds='999999999'",
                  "since='0001-01-01T00:00:00Z'", "maxstanzas='-1'", "maxstanzas='x'"):
        nurse = party.guest("nurse")
        seen = nurse.join(JOIN.replace("/>", f"><history {asked}/></x>"))
        said = [one.get_child_text("body") for one in seen if one.get_child("body") is not None]
        assert said == ["4", "5", "6", "7", "8"], asked
        nurse.leave()


def test_one_message_has_so_many_invitations(party):
    juliet, _romeo = party.pair()
    invitations = "".join(f"<invite to='p{number}@elsewhere.example'/>" for number in range(21))
    juliet.send(f"<message to='{party.room}'><x xmlns='{USER}'>{invitations}</x></message>")
    assert error(juliet.message())[1] == "resource-constraint"


def test_a_form_and_a_list_have_so_many_entries(party):
    juliet = party.owner()
    fields = "".join(f"<field var='x{number}'><value/></field>" for number in range(201))
    items = "<item jid='a@b' affiliation='none'/>" * 1001
    for name, inside in (("owner", f"<x xmlns='{DATA}' type='submit'>{fields}</x>"),
                         ("admin", items)):
        xmlns = ADMIN.replace("admin", name)
        assert error(juliet.iq("set", f"<query xmlns='{xmlns}'>{inside}</query>"))[1] == (
            "resource-constraint")
