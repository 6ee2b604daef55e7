"""Affiliations of those who are not in the room: who is told (XEP-0045 sections 9, 10 and 17.7)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import USER, codes, item

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))
OPTIONS = {"muc_affiliation_messages": True, "muc_invite_new_members": True}
NURSE = "nurse@elsewhere.localhost"


@pytest.mark.parametrize("affiliation", ["member", "admin", "owner", "outcast"])
def test_moderators_are_told_of_a_change(party, affiliation):
    """Sections 9.1, 9.3, 10.3 and 10.6."""
    juliet, romeo = party.pair()
    juliet.admin("set", nick="Romeo", role="moderator")
    paris = party.guest("paris")
    paris.join()
    romeo.flush()
    juliet.admin("set", jid=NURSE, affiliation=affiliation)
    told = romeo.message()
    assert told.attr["from"] == party.room
    assert item(told)["affiliation"] == affiliation and item(told)["jid"] == NURSE
    juliet.admin("set", jid=NURSE, affiliation="none")
    assert item(romeo.message())["affiliation"] == "none"
    assert paris.messages() == []


def test_all_are_told_where_all_see_addresses(party):
    juliet, romeo = party.pair(whois="anyone")
    romeo.flush()
    juliet.admin("set", jid=NURSE, affiliation="member")
    told = item(romeo.message())
    assert (told["affiliation"], told["jid"]) == ("member", NURSE)


@pytest.mark.ours_alone("Debian's tells it every time")
def test_what_is_no_change_is_not_told(party):
    juliet, romeo = party.pair(whois="anyone")
    juliet.admin("set", jid=NURSE, affiliation="none")
    juliet.admin("set", jid=juliet.bare_jid, affiliation="owner")
    assert romeo.messages() == []


@pytest.mark.ours_alone("Debian's has no such message")
def test_the_one_concerned_is_told(party):
    """Status code 101."""
    juliet, tybalt = party.owner(), party.guest("tybalt", available=True)
    juliet.admin("set", jid=tybalt.bare_jid, affiliation="outcast", reason="duels")
    told = tybalt.message()
    assert told.attr["from"] == party.room and codes(told) == {101}
    assert item(told) == {"affiliation": "outcast", "role": "none"}
    entry = told.get_child("x", USER).get_child("item")
    assert entry.get_child_text("reason") == "duels" and told.get_child("body") is None


@pytest.mark.ours_alone("Debian's leaves that to clients")
def test_a_new_member_of_a_room_for_members_is_invited(party):
    """Section 9.5."""
    juliet = party.owner(membersonly="1", roomsecret="rose")
    nurse = party.guest("nurse", available=True)
    juliet.admin("set", jid=nurse.bare_jid, affiliation="member")
    x = nurse.message().get_child("x", USER)
    assert x.get_child("invite").attr["from"] == juliet.bare_jid
    assert x.get_child_text("password") == "rose"
    assert nurse.messages() == []
