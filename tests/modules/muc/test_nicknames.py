"""Nicknames, sessions under them, changes of presence, and leaving (sections 7.6, 7.7, 7.14)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import codes, error, item

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


def test_a_nickname_is_changed(party):
    juliet, romeo = party.pair()
    romeo.send(f"<presence to='{party.room}/Montague'/>")
    old, new = juliet.presence_of("Romeo"), juliet.presence_of("Montague")
    assert old.attr["type"] == "unavailable" and codes(old) == {303}
    assert item(old)["nick"] == "Montague" and item(new)["role"] == "participant"
    old, new = romeo.presence_of("Romeo"), romeo.presence_of("Montague")
    assert codes(old) == {110, 303} and 110 in codes(new)
    romeo.say("me")
    assert juliet.message().attr["from"] == f"{party.room}/Montague"


def test_a_nickname_of_somebody_else_cannot_be_taken(party):
    juliet, romeo = party.pair()
    romeo.send(f"<presence to='{juliet.address}'/>")
    assert error(romeo.client.presence()) == ("cancel", "conflict")
    romeo.say("me")
    assert juliet.message().attr["from"] == romeo.address


def test_a_reserved_nickname_cannot_be_taken(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="member", nick="Angelica")
    romeo.flush().send(f"<presence to='{party.room}/Angelica'/>")
    assert error(romeo.client.presence()) == ("cancel", "conflict")


def test_what_presence_says_is_passed_on(party):
    juliet, romeo = party.pair()
    romeo.show("<show>xa</show><status>gone</status>")
    seen = juliet.presence_of("Romeo")
    assert seen.get_child_text("show") == "xa" and seen.get_child_text("status") == "gone"
    assert item(seen)["role"] == "participant"
    assert 110 in codes(romeo.presence_of("Romeo"))


def test_who_enters_sees_the_last_presence_of_the_others(party):
    juliet, romeo = party.pair()
    romeo.show("<show>xa</show>").flush()
    juliet.flush()
    nurse = party.guest("nurse")
    seen = {one.attr["from"]: one for one in nurse.join()[:2]}
    assert seen[romeo.address].get_child_text("show") == "xa"


def test_who_goes_is_seen_going(party):
    juliet, romeo = party.pair()
    own = romeo.leave("<status>gone where the goblins go</status>")
    assert 110 in codes(own) and item(own)["role"] == "none"
    left = juliet.presence_of("Romeo")
    assert left.attr["type"] == "unavailable" and item(left)["role"] == "none"
    assert left.get_child_text("status") == "gone where the goblins go"


def test_a_room_that_is_not_persistent_ends_with_its_last_occupant(party):
    juliet = party.owner()
    juliet.leave()
    assert 201 in codes(party.guest("romeo").join()[0])


def test_a_connection_that_breaks_leaves_the_room(party):
    juliet, romeo = party.pair()
    romeo.client.sock.close()
    assert juliet.presence_of("Romeo").attr["type"] == "unavailable"


# -- several sessions ----------------------------------------------------------------------


@pytest.fixture
def two_sessions(party):
    """Return the owner, and two sessions of somebody under one nickname."""
    juliet, first = party.pair()
    second = party.guest("romeo", resource="two")
    second.join()
    juliet.flush()
    first.flush()
    return juliet, first, second


def test_a_second_session_is_no_second_occupant(two_sessions, party):
    nurse = party.guest("nurse")
    assert len([one for one in nurse.join() if one.name == "presence"]) == 3


def test_a_session_goes_and_the_occupant_stays(two_sessions, party):
    juliet, first, second = two_sessions
    assert 110 in codes(second.leave())
    assert all(one.attr.get("type") is None for one in juliet.client.flush())
    first.say("here")
    assert juliet.message().attr["from"] == first.address
    assert error(second.say().message())[1] == "not-acceptable"
    first.leave()
    assert juliet.presence_of("Romeo").attr["type"] == "unavailable"


def test_when_the_first_session_goes_the_second_speaks_for_the_occupant(two_sessions, party):
    juliet, first, second = two_sessions
    first.leave()
    second.flush().show("<show>dnd</show>")
    seen = juliet.client.receive_until(lambda one: one.get_child_text("show") == "dnd")
    assert seen.attr["from"] == second.address and item(seen)["jid"] == second.jid


def test_a_session_takes_a_nickname_of_its_own(two_sessions, party):
    juliet, first, second = two_sessions
    second.send(f"<presence to='{party.room}/Montague'/>")
    assert 110 in codes(second.presence_of("Montague"))
    assert juliet.presence_of("Montague").attr.get("type") is None
    first.say("one")
    second.say("two")
    assert {juliet.message().attr["from"], juliet.message().attr["from"]} == {
        first.address, f"{party.room}/Montague"}


def test_a_kick_takes_all_sessions(two_sessions, party):
    juliet, first, second = two_sessions
    assert juliet.admin("set", nick="Romeo", role="none").attr["type"] == "result"
    for guest in (first, second):
        assert {110, 307} <= codes(guest.presence_of("Romeo"))
