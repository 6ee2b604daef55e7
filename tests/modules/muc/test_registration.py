"""Reserved nicknames and invitations (XEP-0045 sections 7.8, 7.10 and 7.12)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, MUC, USER, error, item

REGISTER = "jabber:iq:register"
pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


def register(guest, nick):
    return guest.iq("set", f"<query xmlns='{REGISTER}'><x xmlns='{DATA}' type='submit'>"
                    f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
                    f"<field var='muc#register_roomnick'><value>{nick}</value></field></x>"
                    "</query>")


def reserved(guest):
    query = guest.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' "
                     "node='x-roomuser-item'/>").tags[0]
    identity = query.get_child("identity")
    return identity.attr["name"] if identity is not None else None


def test_the_form_asks_for_a_nickname(party):
    juliet = party.owner()
    x = juliet.iq("get", f"<query xmlns='{REGISTER}'/>").tags[0].get_child("x", DATA)
    assert {field.attr["var"] for field in x.tags if field.name == "field"} == {
        "FORM_TYPE", "muc#register_roomnick"}


@pytest.mark.ours_alone("Debian's registers nobody who is not affiliated")
def test_who_registers_reserves_a_nickname(party):
    juliet, romeo = party.pair()
    assert reserved(romeo) is None
    assert register(romeo, "Montague").attr["type"] == "result"
    assert reserved(romeo) == "Montague"
    query = romeo.iq("get", f"<query xmlns='{REGISTER}'/>").tags[0]
    assert query.get_child("registered") is not None
    assert query.get_child_text("username") == "Montague"
    assert error(party.guest("tybalt").knock(nick="Montague")) == ("cancel", "conflict")
    assert [one["jid"] for one in juliet.listed(affiliation="member")] == [romeo.bare_jid]


@pytest.mark.ours_alone("Debian's tells nobody")
def test_who_registers_is_told_to_be_a_member(party):
    juliet, romeo = party.pair()
    register(romeo, "Montague")
    assert item(juliet.presence_of("Romeo"))["affiliation"] == "member"


@pytest.mark.ours_alone("Debian's registers nobody who is not affiliated")
def test_a_nickname_that_is_reserved_cannot_be_registered(party):
    juliet, romeo = party.pair()
    register(romeo, "Montague")
    assert error(register(party.guest("tybalt"), "Montague")) == ("cancel", "conflict")


def test_who_is_banned_or_no_member_does_not_register(party):
    juliet, tybalt = party.owner(membersonly="1"), party.guest("tybalt")
    assert error(register(tybalt, "Prince"))[1] in ("not-allowed", "registration-required")
    juliet.admin("set", jid=tybalt.bare_jid, affiliation="outcast")
    assert error(register(tybalt, "Prince"))[1] in ("forbidden", "not-allowed")


@pytest.mark.ours_alone("Debian's gives other errors")
def test_what_is_no_registration(party):
    juliet = party.owner()
    assert error(juliet.iq("set", f"<query xmlns='{REGISTER}'/>"))[1] == "bad-request"
    assert error(register(juliet, ""))[1] == "not-acceptable"
    assert error(register(juliet, "x" * 2000))[1] == "not-acceptable"
    assert error(juliet.iq("set", f"<query xmlns='{REGISTER}'><remove/></query>"))[1] == (
        "registration-required")


@pytest.mark.ours_alone("Debian's registers nobody who is not affiliated")
def test_a_registration_is_taken_back(party):
    juliet, romeo = party.pair()
    register(romeo, "Montague")
    assert romeo.iq("set", f"<query xmlns='{REGISTER}'><remove/></query>").attr[
        "type"] == "result"
    assert reserved(romeo) is None and juliet.listed(affiliation="member") == []


# -- invitations ---------------------------------------------------------------------------


def invite(guest, *whom, reason="come"):
    entries = "".join(f"<invite to='{one}'><reason>{reason}</reason></invite>" for one in whom)
    return guest.send(f"<message to='{guest.room}' id='i1'><x xmlns='{USER}'>{entries}</x>"
                      "</message>")


def test_a_mediated_invitation(party):
    juliet, nurse = party.owner(), party.guest("nurse", available=True)
    juliet.configure(roomsecret="rose")
    invite(juliet, nurse.bare_jid)
    told = nurse.message()
    x = told.get_child("x", USER)
    assert told.attr["from"] == party.room and x.get_child_text("password") == "rose"
    assert x.get_child("invite").get_child_text("reason") == "come"
    assert x.get_child("invite").attr["from"] in (juliet.address, juliet.jid, juliet.bare_jid)
    direct = told.get_child("x", "jabber:x:conference")
    assert direct.attr["jid"] == party.room


@pytest.mark.ours_alone("Debian's sends the first alone")
def test_several_are_invited_to_go_on(party):
    juliet, nurse = party.owner(), party.guest("nurse", available=True)
    romeo = party.guest("romeo", available=True)
    juliet.send(f"<message to='{party.room}'><x xmlns='{USER}'>" + "".join(
        f"<invite to='{one}'><continue thread='t1'/></invite>"
        for one in (nurse.jid, romeo.bare_jid)) + "</x></message>")
    for guest in (nurse, romeo):
        entry = guest.message().get_child("x", USER).get_child("invite")
        assert entry.get_child("continue").attr["thread"] == "t1"


def test_who_is_invited_declines(party):
    juliet, nurse = party.owner(), party.guest("nurse", available=True)
    invite(juliet, nurse.bare_jid)
    inviter = nurse.message().get_child("x", USER).get_child("invite").attr["from"]
    nurse.send(f"<message to='{party.room}'><x xmlns='{USER}'><decline to='{inviter}'>"
               "<reason>busy</reason></decline></x></message>")
    told = juliet.message()
    declined = told.get_child("x", USER).get_child("decline")
    assert told.attr["from"] == party.room
    assert declined.get_child_text("reason") == "busy"
    assert declined.attr["from"].startswith(nurse.bare_jid)


def test_who_is_invited_into_a_room_for_members_becomes_one(party):
    juliet, nurse = party.owner(membersonly="1"), party.guest("nurse", available=True)
    invite(juliet, nurse.bare_jid)
    nurse.message()
    assert nurse.join()


@pytest.mark.ours_alone("Debian's lets some of them through")
def test_who_may_not_invite(party):
    juliet, tybalt = party.owner(), party.guest("tybalt", available=True)
    assert error(invite(tybalt, juliet.bare_jid).message())[1] == "not-acceptable"
    assert error(invite(juliet, "nobody-at-all@localhost").message())[1] == "item-not-found"
    assert error(invite(juliet, "@").message())[1] == "jid-malformed"
    juliet.admin("set", jid=tybalt.bare_jid, affiliation="member")
    juliet.configure(membersonly="1")
    tybalt.join()
    assert error(invite(tybalt, "nurse@localhost").message())[1] == "forbidden"
    juliet.submit({"{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites": "1"})
    nurse = party.guest("nurse", available=True)
    invite(tybalt, nurse.bare_jid)
    assert nurse.message().get_child("x", USER) is not None
    juliet.flush()
    assert error(invite(juliet, *["a@localhost"] * 30).message())[1] == "resource-constraint"


@pytest.mark.ours_alone("Debian's passes it on")
def test_a_room_is_not_for_declining_to_strangers(party):
    party.owner()
    tybalt = party.guest("tybalt", available=True)
    victim = party.guest("nurse", available=True)
    tybalt.send(f"<message to='{party.room}'><x xmlns='{USER}'><decline to='{victim.bare_jid}'/>"
                "</x></message>")
    tybalt.flush()
    assert [one for one in victim.messages() if one.attr.get("type") != "error"] == []
