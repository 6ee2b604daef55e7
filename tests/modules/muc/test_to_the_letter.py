"""Smaller demands of XEP-0045: what an error holds, how a new room ends, what nicknames are."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import ADMIN, USER, codes, error, item

INFO = "http://jabber.org/protocol/disco#info"
pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


@pytest.mark.ours_alone("Debian's does not say which item it was")
def test_an_error_comes_with_the_item_that_is_not_allowed(party):
    """Section 8.4."""
    juliet, romeo = party.pair()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="admin")
    nurse = party.guest("nurse")
    nurse.join()
    refused = romeo.admin("set", {"nick": "Nurse", "role": "visitor"},
                          {"nick": "Juliet", "role": "visitor"})
    assert error(refused) == ("cancel", "not-allowed")
    query = refused.get_child("query", ADMIN)
    assert [dict(one.attr) for one in query.tags] == [
        {"xmlns": ADMIN, "nick": "Juliet", "role": "visitor"}]


@pytest.mark.ours_alone("Debian's takes the owner out of the list first")
def test_an_owner_steps_back_and_makes_others_at_once(party):
    juliet, romeo = party.pair()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="owner")
    nurse = "nurse@localhost"
    answer = juliet.admin("set", {"jid": juliet.bare_jid, "affiliation": "member"},
                          {"jid": nurse, "affiliation": "owner"})
    assert answer.attr["type"] == "result", str(answer)
    assert {one["jid"] for one in romeo.listed(affiliation="owner")} == {romeo.bare_jid, nurse}


@pytest.mark.ours_alone("Debian's keeps it, or has no such reservation")
def test_an_admin_gives_a_nickname_back(party):
    """Section 9.5: an empty nickname in the list of members."""
    juliet, romeo = party.owner(), party.guest("romeo")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member", nick="Montague")
    assert juliet.listed(affiliation="member")[0]["nick"] == "Montague"
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member", nick="")
    assert juliet.listed(affiliation="member") == [
        {"affiliation": "member", "jid": romeo.bare_jid}]
    query = romeo.iq("get", f"<query xmlns='{INFO}' node='x-roomuser-item'/>").tags[0]
    assert query.tags == [] and query.attr["node"] == "x-roomuser-item"


@pytest.mark.ours_alone("Debian's says nothing of it")
def test_who_leaves_before_configuring_ends_the_room(party):
    """Section 10.1.3: the room is destroyed, and the owner told so."""
    juliet = party.guest("juliet")
    juliet.join()
    out = juliet.leave()
    assert out.get_child("x", USER).get_child("destroy") is not None
    assert item(out)["role"] == "none" and 110 in codes(out)
    assert error(juliet.iq("get", f"<query xmlns='{INFO}'/>"))[1] == "item-not-found"


def test_who_leaves_later_does_not_end_it(party):
    juliet, romeo = party.pair()
    assert juliet.leave().get_child("x", USER).get_child("destroy") is None
    assert romeo.presence_of("Juliet").get_child("x", USER).get_child("destroy") is None


@pytest.mark.ours_alone("Debian's says that one is not in it")
def test_a_room_that_is_not_configured_is_not_there_for_messages(party):
    """Section 17.2."""
    party.guest("juliet").join()
    tybalt = party.guest("tybalt", available=True)
    assert error(tybalt.say().message()) == ("cancel", "item-not-found")
