"""What moderators do: subject, kicks, voice (XEP-0045 sections 7.13 and 8)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, MUC, USER, codes, error, item

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))
REQUEST = MUC + "#request"


def subject(guest, text):
    return guest.send(f"<message to='{guest.room}' type='groupchat' id='s1'>"
                      f"<subject>{text}</subject></message>")


def test_a_moderator_sets_the_subject(party):
    juliet, romeo = party.pair()
    subject(juliet, "Verona")
    for guest in (juliet, romeo):
        told = guest.message()
        assert told.attr["from"] == juliet.address and told.get_child("body") is None
        assert told.get_child_text("subject") == "Verona"


def test_others_do_not_set_the_subject(party):
    juliet, romeo = party.pair()
    assert error(subject(romeo, "Mantua").message()) == ("auth", "forbidden")
    juliet.configure(changesubject="1")
    subject(romeo.flush(), "Mantua")
    assert romeo.message().get_child_text("subject") == "Mantua"


def test_a_subject_with_a_body_is_a_message(party):
    juliet, romeo = party.pair()
    romeo.send(f"<message to='{party.room}' type='groupchat'><subject>s</subject>"
               "<body>b</body></message>")
    assert juliet.message().get_child_text("body") == "b"
    assert party.guest("nurse").join()[-1].get_child_text("subject") == ""


def test_the_subject_can_be_emptied(party):
    juliet, romeo = party.pair()
    subject(juliet, "Verona")
    subject(juliet, "").flush()
    assert party.guest("nurse").join()[-1].get_child_text("subject") == ""


# -- kicks ---------------------------------------------------------------------------------


def test_a_moderator_kicks(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    answer = juliet.admin("set", nick="Romeo", role="none", reason="Avaunt!")
    assert answer.attr["type"] == "result"
    own, seen = romeo.client.receive_until(lambda one: one.attr.get("type") == "unavailable"), \
        nurse.presence_of("Romeo")
    assert {110, 307} <= codes(own) and codes(seen) == {307}
    for one in (own, seen):
        inner = one.get_child("x", USER).get_child("item")
        assert inner.get_child_text("reason") == "Avaunt!" and inner.attr["role"] == "none"
        assert inner.get_child("actor").attr["nick"] == "Juliet"
    assert romeo.flush().join()


def test_nobody_else_kicks(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    for guest in (romeo, party.guest("tybalt")):  # Debian's says not-allowed
        assert error(guest.admin("set", nick="Nurse", role="none"))[1] in (
            "forbidden", "not-allowed")


def test_a_moderator_does_not_kick_who_is_above(party):
    juliet, romeo = party.pair()
    juliet.admin("set", nick="Romeo", role="moderator")
    assert error(romeo.admin("set", nick="Juliet", role="none")) == ("cancel", "not-allowed")


def test_nobody_can_be_kicked_who_is_not_there(party):
    juliet = party.owner()
    assert error(juliet.admin("set", nick="Nobody", role="none"))[1] in (
        "item-not-found", "not-acceptable")


# -- voice ---------------------------------------------------------------------------------


def test_voice_is_granted_and_taken(party):
    juliet, romeo = party.pair(moderatedroom="1")
    juliet.admin("set", nick="Romeo", role="participant", reason="A worthy fellow")
    seen = romeo.presence_of("Romeo")
    assert item(seen)["role"] == "participant"
    assert seen.get_child("x", USER).get_child("item").get_child_text(
        "reason") == "A worthy fellow"
    juliet.admin("set", nick="Romeo", role="visitor")
    assert item(romeo.presence_of("Romeo"))["role"] == "visitor"


@pytest.mark.ours_alone("Debian's lets owners do it to admins")
def test_voice_is_not_taken_from_admins(party):
    juliet, romeo = party.pair(moderatedroom="1")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="admin")
    assert error(juliet.admin("set", nick="Romeo", role="visitor")) == ("cancel", "not-allowed")
    assert error(juliet.admin("set", nick="Romeo", role="participant"))[1] == "not-allowed"


def test_the_voice_list(party):
    juliet, romeo = party.pair(moderatedroom="1")
    assert juliet.listed(role="participant") == []
    juliet.admin("set", {"nick": "Romeo", "role": "participant"})
    (listed,) = juliet.listed(role="participant")
    assert listed["nick"] == "Romeo" and listed["affiliation"] == "none"
    assert listed["role"] == "participant"
    assert error(romeo.admin("get", role="participant")) == ("auth", "forbidden")


def ask_for_voice(guest, role="participant"):
    return guest.send(
        f"<message to='{guest.room}'><x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'>"
        f"<value>{REQUEST}</value></field><field var='muc#role'><value>{role}</value></field>"
        "</x></message>")


def test_a_visitor_asks_for_voice_and_gets_it(party):
    juliet, romeo = party.pair(moderatedroom="1")
    ask_for_voice(romeo)
    x = juliet.message().get_child("x", DATA)
    values = {field.attr["var"]: field.get_child_text("value") for field in x.tags
              if field.name == "field"}
    assert x.attr["type"] == "form" and values["FORM_TYPE"] == REQUEST
    assert values["muc#jid"] == romeo.jid and values["muc#roomnick"] == "Romeo"
    fields = "".join(f"<field var='{var}'><value>{value}</value></field>"
                     for var, value in {**values, "muc#request_allow": "true"}.items())
    juliet.send(f"<message to='{party.room}'><x xmlns='{DATA}' type='submit'>{fields}</x>"
                "</message>")
    assert item(romeo.presence_of("Romeo"))["role"] == "participant"


def test_a_moderator_says_no(party):
    juliet, romeo = party.pair(moderatedroom="1")
    ask_for_voice(romeo)
    juliet.message()
    juliet.send(f"<message to='{party.room}'><x xmlns='{DATA}' type='submit'>"
                f"<field var='FORM_TYPE'><value>{REQUEST}</value></field>"
                f"<field var='muc#jid'><value>{romeo.jid}</value></field>"
                "<field var='muc#role'><value>participant</value></field>"
                "<field var='muc#request_allow'><value>0</value></field></x></message>").flush()
    assert error(romeo.flush().say().message()) == ("auth", "forbidden")


@pytest.mark.ours_alone("Debian's says nothing")
def test_who_is_no_visitor_does_not_get_more(party):
    juliet, romeo = party.pair(moderatedroom="1")
    assert error(ask_for_voice(romeo, "moderator").message())[1] == "not-acceptable"
    assert error(ask_for_voice(party.guest("tybalt")).message())[1] == "not-acceptable"
    juliet.admin("set", nick="Romeo", role="participant")
    assert error(ask_for_voice(romeo.flush()).message())[1] == "conflict"


@pytest.mark.ours_alone("Debian's forgets it")
def test_voice_lasts_over_visits_to_a_moderated_room(party):
    """Section 5.1: who has lost voice does not get it back by coming again."""
    juliet, romeo = party.owner(moderatedroom="1"), party.guest("romeo")
    nurse = party.guest("nurse")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="member")

    def comes(guest):
        return item(next(one for one in guest.join() if one.attr["from"] == guest.address))["role"]

    assert (comes(romeo), comes(nurse)) == ("visitor", "participant")
    juliet.admin("set", {"nick": "Romeo", "role": "participant"},
                 {"nick": "Nurse", "role": "visitor"})
    romeo.flush().leave()
    nurse.flush().leave()
    assert (comes(romeo), comes(nurse)) == ("participant", "visitor")
    juliet.admin("set", nick="Romeo", role="visitor")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="none")
    romeo.flush().leave()
    nurse.flush().leave()
    assert (comes(romeo), comes(nurse)) == ("visitor", "visitor")


@pytest.mark.ours_alone("Debian's lets every moderator do it")
def test_a_member_does_not_take_voice_from_a_member(party):
    """Section 8.4: nor from anybody else at or above its own level."""
    juliet, romeo = party.pair()
    nurse, paris = party.guest("nurse"), party.guest("paris")
    juliet.admin("set", {"jid": romeo.bare_jid, "affiliation": "member"},
                 {"jid": nurse.bare_jid, "affiliation": "member"})
    juliet.admin("set", nick="Romeo", role="moderator")
    nurse.join()
    paris.join()
    assert error(romeo.admin("set", nick="Nurse", role="visitor")) == ("cancel", "not-allowed")
    assert romeo.admin("set", nick="Paris", role="visitor").attr["type"] == "result"
    assert juliet.admin("set", nick="Nurse", role="visitor").attr["type"] == "result"
