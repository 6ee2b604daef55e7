"""What admins and owners do with affiliations and moderators (XEP-0045 sections 9 and 10)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import USER, codes, error, item

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


def affiliate(owner, guest, affiliation, **more):
    answer = owner.admin("set", jid=guest.bare_jid, affiliation=affiliation, **more)
    assert answer.attr["type"] == "result", str(answer)


def result(answer):
    return answer.attr["type"] == "result"


# -- bans ----------------------------------------------------------------------------------


def test_an_admin_bans(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    affiliate(juliet, romeo, "outcast", reason="Treason")
    own = romeo.client.receive_until(lambda one: one.attr.get("type") == "unavailable")
    seen = nurse.presence_of("Romeo")
    assert {110, 301} <= codes(own) and codes(seen) == {301}
    for one in (own, seen):
        inner = one.get_child("x", USER).get_child("item")
        assert (inner.attr["affiliation"], inner.attr["role"]) == ("outcast", "none")
        assert inner.get_child_text("reason") == "Treason"
    assert error(romeo.flush().knock()) == ("auth", "forbidden")


def test_the_ban_list(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "outcast")
    assert juliet.admin("set", jid="tybalt@localhost", affiliation="outcast")
    assert {one["jid"] for one in juliet.listed(affiliation="outcast")} == {
        romeo.bare_jid, "tybalt@localhost"}
    affiliate(juliet, romeo, "none")
    assert [one["jid"] for one in juliet.listed(affiliation="outcast")] == ["tybalt@localhost"]
    assert romeo.flush().join()


def test_a_ban_by_nickname(party):
    juliet, romeo = party.pair()
    assert result(juliet.admin("set", nick="Romeo", affiliation="outcast"))
    assert [one["jid"] for one in juliet.listed(affiliation="outcast")] == [romeo.bare_jid]


def test_mere_occupants_and_strangers_ban_nobody(party):
    juliet, romeo = party.pair()
    for guest in (romeo, party.guest("tybalt")):
        assert error(guest.admin("set", jid="nurse@localhost", affiliation="outcast"))[1] in (
            "forbidden", "not-allowed")
        assert error(guest.admin("get", affiliation="outcast"))[1] == "forbidden"


def test_an_admin_does_not_ban_an_owner(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "admin")
    assert error(romeo.admin("set", jid=juliet.bare_jid, affiliation="outcast")) == (
        "cancel", "not-allowed")


@pytest.mark.ours_alone("Debian's lets the only owner do it by a list")
def test_nobody_bans_himself(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "admin")
    for guest in (juliet, romeo):
        assert error(guest.admin("set", jid=guest.bare_jid, affiliation="outcast")) == (
            "cancel", "conflict")


@pytest.mark.ours_alone("Debian's does what it can")
def test_a_list_is_applied_as_a_whole_or_not_at_all(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "admin")
    answer = romeo.admin("set", {"jid": "tybalt@localhost", "affiliation": "outcast"},
                         {"jid": juliet.bare_jid, "affiliation": "outcast"})
    assert error(answer)[1] == "not-allowed"
    assert juliet.listed(affiliation="outcast") == []


# -- members -------------------------------------------------------------------------------


def test_membership_is_granted_and_told(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "member", reason="A worthy fellow")
    seen = romeo.presence_of("Romeo")
    assert item(seen)["affiliation"] == "member" and item(seen)["role"] == "participant"


def test_who_loses_membership_leaves_a_room_for_members(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "member")
    juliet.configure(membersonly="1")
    romeo.flush()
    affiliate(juliet, romeo, "none")
    out = romeo.client.receive_until(lambda one: one.attr.get("type") == "unavailable")
    assert 321 in codes(out)


def test_a_room_that_becomes_for_members_puts_the_others_out(party):
    juliet, romeo = party.pair()
    assert result(juliet.configure(membersonly="1"))
    out = romeo.client.receive_until(lambda one: one.attr.get("type") == "unavailable")
    assert {110, 322} <= codes(out)


@pytest.mark.ours_alone("Debian's changes one at a time")
def test_the_member_list(party):
    juliet, romeo = party.pair()
    assert result(juliet.admin("set", {"jid": romeo.bare_jid, "affiliation": "member",
                                       "nick": "Romeo"},
                               {"jid": "nurse@localhost", "affiliation": "member"}))
    listed = {one["jid"]: one for one in juliet.listed(affiliation="member")}
    assert set(listed) == {romeo.bare_jid, "nurse@localhost"}
    assert listed[romeo.bare_jid]["affiliation"] == "member"
    assert listed[romeo.bare_jid]["nick"] == "Romeo"


@pytest.mark.ours_alone("Debian's shows members to all")
def test_who_may_read_the_member_list(party):
    juliet, romeo = party.pair()
    assert error(romeo.admin("get", affiliation="member")) == ("auth", "forbidden")
    affiliate(juliet, romeo, "member")
    juliet.configure(membersonly="1", whois="anyone")
    assert [one["jid"] for one in romeo.flush().listed(affiliation="member")] == [romeo.bare_jid]
    assert error(romeo.admin("get", affiliation="outcast"))[1] == "forbidden"


# -- moderators ----------------------------------------------------------------------------


def test_a_moderator_is_made_and_unmade(party):
    juliet, romeo = party.pair()
    assert result(juliet.admin("set", nick="Romeo", role="moderator"))
    assert item(romeo.presence_of("Romeo"))["role"] == "moderator"
    assert {one["nick"] for one in juliet.listed(role="moderator")} == {"Juliet", "Romeo"}
    assert result(juliet.admin("set", nick="Romeo", role="participant"))
    assert item(romeo.presence_of("Romeo"))["role"] == "participant"


@pytest.mark.ours_alone("Debian's tells a new moderator nothing")
def test_a_new_moderator_learns_the_addresses(party):
    juliet, romeo = party.pair()
    assert result(juliet.admin("set", nick="Romeo", role="moderator"))
    seen = romeo.client.receive_until(lambda one: one.attr["from"] == juliet.address
                                      and "jid" in item(one))
    assert item(seen)["jid"] == juliet.jid


def test_moderators_by_grace_make_no_moderators(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    juliet.admin("set", nick="Romeo", role="moderator")
    assert error(romeo.admin("set", nick="Nurse", role="moderator"))[1] in (
        "forbidden", "not-allowed")


@pytest.mark.ours_alone("Debian's lets admins do it to each other")
def test_nobody_takes_it_from_an_admin(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    affiliate(juliet, romeo, "admin")
    affiliate(juliet, nurse, "admin")
    assert error(romeo.admin("set", nick="Nurse", role="participant")) == (
        "cancel", "not-allowed")


def test_only_owners_make_admins_and_owners(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "admin")
    assert item(romeo.presence_of("Romeo")) == {
        "affiliation": "admin", "role": "moderator", "jid": romeo.jid}
    for affiliation in ("admin", "owner"):
        assert error(romeo.admin("set", jid="nurse@localhost", affiliation=affiliation))[1] in (
            "forbidden", "not-allowed")
        assert result(juliet.admin("set", jid="nurse@localhost", affiliation=affiliation))
    assert [one["jid"] for one in juliet.listed(affiliation="admin")] == [romeo.bare_jid]
    assert {one["jid"] for one in juliet.listed(affiliation="owner")} == {
        juliet.bare_jid, "nurse@localhost"}


def test_who_is_no_admin_any_more_is_no_moderator(party):
    juliet, romeo = party.pair()
    affiliate(juliet, romeo, "admin")
    romeo.flush()
    affiliate(juliet, romeo, "member")
    seen = romeo.presence_of("Romeo")
    assert (item(seen)["affiliation"], item(seen)["role"]) == ("member", "participant")


def test_a_room_keeps_an_owner(party):
    juliet, romeo = party.pair()
    assert error(juliet.admin("set", jid=juliet.bare_jid, affiliation="admin")) == (
        "cancel", "conflict")
    affiliate(juliet, romeo, "owner")
    assert result(juliet.admin("set", jid=juliet.bare_jid, affiliation="admin"))
    assert error(juliet.owner("get")) == ("auth", "forbidden")


# -- what is no request --------------------------------------------------------------------


@pytest.mark.ours_alone("Debian's gives the error another type")
def test_affiliation_and_role_are_changed_one_at_a_time(party):
    juliet, romeo = party.pair()
    both = juliet.admin("set", jid=romeo.bare_jid, nick="Romeo", affiliation="member",
                        role="participant")
    assert error(both) == ("modify", "bad-request")
    assert error(juliet.admin("set", nick="Romeo")) == ("modify", "bad-request")


@pytest.mark.ours_alone("Debian's takes them for addresses or ignores them")
def test_what_is_no_address_no_affiliation_and_no_role(party):
    juliet, romeo = party.pair()
    assert error(juliet.admin("set", jid="@", affiliation="member"))[1] == "jid-malformed"
    assert error(juliet.admin("set", jid="a@b", affiliation="king"))[1] == "not-acceptable"
    assert error(juliet.admin("set", nick="Romeo", role="king"))[1] == "not-acceptable"
    assert error(juliet.admin("get", affiliation="king"))[1] == "bad-request"
    assert error(juliet.admin("get", role="king"))[1] == "bad-request"
    assert error(juliet.admin("get"))[1] == "bad-request"
