"""Entering a room (XEP-0045 sections 7.2 and 10.1)."""

from __future__ import annotations

import time

import pytest

from prosody_py.testing.rooms import HOST, JOIN, MUC, USER, Party, codes, error, item
from prosody_py.xmpp.datetime import format_datetime

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))
OCCUPANT_ID = "urn:xmpp:occupant-id:0"


def test_who_makes_a_room_owns_it(party):
    own, subject = party.guest("juliet").join()
    assert codes(own) == {110, 201}
    assert item(own)["affiliation"] == "owner" and item(own)["role"] == "moderator"
    assert subject.attr["from"] == party.room and subject.get_child_text("subject") == ""


def test_who_enters_sees_the_others_first_and_itself_last(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    *others, own, _subject = nurse.join()
    assert {one.attr["from"] for one in others} == {juliet.address, romeo.address}
    assert own.attr["from"] == nurse.address and 110 in codes(own)
    assert own.attr["to"] == nurse.jid
    for guest in (juliet, romeo):
        seen = guest.presence_of("Nurse")
        assert item(seen)["affiliation"] == "none" and item(seen)["role"] == "participant"
        assert seen.attr["to"] == guest.jid and 110 not in codes(seen)


def test_only_moderators_see_addresses_in_a_semianonymous_room(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    others = {one.attr["from"]: one for one in nurse.join()[:2]}
    assert "jid" not in item(others[juliet.address])
    assert item(juliet.presence_of("Nurse"))["jid"] == nurse.jid
    assert "jid" not in item(romeo.presence_of("Nurse"))


def test_everybody_sees_addresses_in_a_nonanonymous_room(party):
    juliet, romeo = party.pair(whois="anyone")
    nurse = party.guest("nurse")
    seen = {one.attr["from"]: one for one in nurse.join()[:3]}
    assert item(seen[juliet.address])["jid"] == juliet.jid
    assert {100, 110} <= codes(seen[nurse.address])
    assert item(romeo.presence_of("Nurse"))["jid"] == nurse.jid


@pytest.mark.ours_alone("Debian's leaves this without an answer")
def test_a_nickname_is_needed(party):
    juliet = party.owner()
    juliet.send(f"<presence to='{party.room}'>{JOIN}</presence>")
    assert error(juliet.client.presence()) == ("modify", "jid-malformed")


def test_a_password_is_needed(party):
    party.owner(roomsecret="rose")
    romeo = party.guest("romeo")
    assert error(romeo.knock()) == ("auth", "not-authorized")
    wrong = f"<x xmlns='{MUC}'><password>thorn</password></x>"
    assert error(romeo.knock(wrong)) == ("auth", "not-authorized")
    assert romeo.join(f"<x xmlns='{MUC}'><password>rose</password></x>")


def test_the_error_says_which_room_and_what_was_asked(party):
    party.owner(roomsecret="rose")
    romeo = party.guest("romeo")
    refused = romeo.knock()
    assert refused.attr["from"] == romeo.address
    assert refused.get_child("error").attr["by"] == party.room


def test_only_members_enter_a_room_for_members(party):
    juliet = party.owner(membersonly="1")
    romeo = party.guest("romeo")
    assert error(romeo.knock()) == ("auth", "registration-required")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    own = romeo.join()[1]
    assert item(own)["affiliation"] == "member" and item(own)["role"] == "participant"


def test_who_is_banned_stays_out(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="outcast")
    assert error(romeo.knock()) == ("auth", "forbidden")


@pytest.mark.ours_alone("Debian's bans accounts alone")
def test_a_domain_is_banned(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    assert juliet.admin("set", jid="localhost", affiliation="outcast").attr["type"] == "result"
    assert error(romeo.knock()) == ("auth", "forbidden")


def test_a_nickname_in_use_is_refused(party):
    party.pair()
    other = party.guest("tybalt")
    assert error(other.knock(nick="Romeo")) == ("cancel", "conflict")


def test_a_reserved_nickname_is_refused_to_others(party):
    juliet, nurse = party.owner(), party.guest("nurse")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="member", nick="Angelica")
    other = party.guest("tybalt")
    assert error(other.knock(nick="Angelica")) == ("cancel", "conflict")


@pytest.mark.ours_alone("Debian's has no limit of its own")
def test_a_full_room_is_refused_but_to_owners_and_admins(party):
    juliet, romeo = party.pair(maxusers="2")
    nurse = party.guest("nurse")
    assert error(nurse.knock()) == ("wait", "service-unavailable")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="admin")
    assert nurse.join()


def test_a_room_is_locked_until_it_is_configured(party):
    juliet, romeo = party.guest("juliet"), party.guest("romeo")
    juliet.join()
    assert error(romeo.knock()) == ("cancel", "item-not-found")
    assert juliet.configure().attr["type"] == "result"
    assert romeo.join()


@pytest.mark.ours_alone("Debian's sends other codes")
def test_who_is_not_in_the_room_any_more_is_told_so(party):
    party.owner()
    romeo = party.guest("romeo")
    told = romeo.knock(inside="<show>away</show>")
    assert told.attr["type"] == "unavailable" and codes(told) == {110, 307, 333}
    assert item(told) == {"affiliation": "none", "role": "none"}


def test_who_asks_again_gets_everything_again(party):
    juliet, romeo = party.pair()
    juliet.say("line").flush()
    romeo.flush()
    seen = romeo.join()
    assert [one.attr["from"] for one in seen if one.name == "presence"] == [
        juliet.address, romeo.address]
    assert 110 in codes(seen[1])
    assert [one.get_child_text("body") for one in seen[2:-1]] == ["line"]


@pytest.mark.ours_alone("Debian's tells all of it anyway")
def test_the_others_learn_of_it_only_if_something_has_changed(party):
    juliet, romeo = party.pair()
    romeo.join()
    assert juliet.client.flush() == []
    romeo.join(JOIN + "<show>dnd</show>")
    assert juliet.presence_of("Romeo").get_child_text("show") == "dnd"


def test_a_moderated_room_makes_visitors(party):
    party.owner(moderatedroom="1")
    assert item(party.guest("romeo").join()[1])["role"] == "visitor"


def test_what_only_rooms_say_is_taken_out_of_presence(party):
    juliet, romeo = party.pair()
    romeo.show(f"<x xmlns='{USER}'><status code='301'/></x><show>away</show>")
    seen = juliet.presence_of("Romeo")
    assert seen.get_child_text("show") == "away" and codes(seen) == set()
    assert len([tag for tag in seen.tags if tag.attr.get("xmlns") == USER]) == 1


@pytest.mark.ours_alone("Debian's hides less")
def test_the_roles_that_are_not_told_are_not_told(party):
    juliet = party.owner(moderatedroom="1")
    assert juliet.submit({"muc#roomconfig_presencebroadcast": ["moderator", "participant"]}
                         ).attr["type"] == "result"
    juliet.flush()
    romeo = party.guest("romeo")
    assert [one.attr["from"] for one in romeo.join() if one.name == "presence"] == [
        juliet.address, romeo.address]
    nurse = party.guest("nurse")
    assert [one.attr["from"] for one in nurse.join() if one.name == "presence"] == [
        juliet.address, nurse.address]
    assert [one for one in juliet.client.flush() if one.name == "presence"] == []
    juliet.admin("set", nick="Romeo", role="participant")
    seen = nurse.presence_of("Romeo")
    assert seen.attr.get("type") is None and item(seen)["role"] == "participant"
    juliet.admin("set", nick="Romeo", role="visitor")
    assert nurse.presence_of("Romeo").attr["type"] == "unavailable"


@pytest.mark.ours_alone("Debian's lets it in")
def test_a_nickname_is_not_made_of_spaces(party):
    party.owner()
    assert error(party.guest("romeo").knock(nick="  "))[1] in ("not-acceptable", "jid-malformed")


@pytest.mark.ours_alone("Debian's waits until the time is over")
def test_a_room_that_its_maker_leaves_unconfigured_ends(launch, tmp_path):
    running = launch(tmp_path, ["disco"], components={
        HOST: {"module": "muc", "muc_room_default_persistent": True}})
    try:
        party = Party(running)
        juliet = party.guest("juliet")
        juliet.join()
        juliet.leave()
        assert 201 in codes(party.guest("romeo").join()[0])
    finally:
        running.stop()


@pytest.mark.ours_alone("Debian's leaves it without an answer")
def test_an_occupant_asks_how_it_is_with_another(party):
    juliet, romeo = party.pair()
    juliet.show("<show>dnd</show>").flush()
    romeo.flush().send(f"<presence type='probe' to='{juliet.address}'/>")
    seen = romeo.client.presence()
    assert seen.attr["from"] == juliet.address and seen.get_child_text("show") == "dnd"
    assert "jid" not in item(seen)
    tybalt = party.guest("tybalt")
    assert tybalt.send(f"<presence type='probe' to='{juliet.address}'/>").client.flush() == []


# -- history -------------------------------------------------------------------------------


def history(party, guest, attributes=None):
    """Return the texts that a guest gets who enters, and leaves again."""
    inside = JOIN if attributes is None else (
        f"<x xmlns='{MUC}'><history {attributes}/></x>")
    seen = [one for one in guest.join(inside)[:-1] if one.name == "message"]
    guest.leave()
    for one in seen:
        delay = one.get_child("delay", "urn:xmpp:delay")
        assert delay.attr["from"] == party.room and one.attr["to"] == guest.jid
    return [one.get_child_text("body") for one in seen]


def test_who_enters_gets_the_history(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    for number in range(4):
        juliet.say(f"line {number}")
    juliet.flush()
    assert history(party, romeo) == [f"line {number}" for number in range(4)]


def test_who_enters_gets_as_much_history_as_it_wants(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    for number in range(4):
        juliet.say(f"line {number}")
    juliet.flush()
    assert history(party, romeo, "maxstanzas='2'") == ["line 2", "line 3"]
    assert history(party, romeo, "maxstanzas='0'") == []
    assert history(party, romeo, "maxchars='0'") == []
    assert history(party, romeo, "maxchars='65000'") == [f"line {n}" for n in range(4)]
    assert len(history(party, romeo, "maxchars='700'")) in (1, 2)
    assert len(history(party, romeo, "seconds='180'")) == 4
    assert len(history(party, romeo, "since='1970-01-01T00:00:00Z'")) == 4
    assert history(party, romeo, f"since='{format_datetime(time.time() + 60)}'") == []
    assert len(history(party, romeo, "maxstanzas='nonsense' since='nonsense'")) == 4


def test_a_room_keeps_as_much_history_as_its_owner_says(party):
    juliet, romeo = party.owner(historylength="2"), party.guest("romeo")
    for number in range(4):
        juliet.say(f"line {number}")
    juliet.send(f"<message to='{party.room}' type='groupchat' id='x'>"
                "<active xmlns='http://jabber.org/protocol/chatstates'/></message>").flush()
    assert history(party, romeo) == ["line 2", "line 3"]


def test_the_subject_comes_after_the_history(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    juliet.say("line").send(f"<message to='{party.room}' type='groupchat'>"
                            "<subject>Verona</subject></message>").flush()
    *_before, line, subject = romeo.join()
    assert line.get_child_text("body") == "line"
    assert subject.get_child_text("subject") == "Verona"
    assert subject.attr["from"] == juliet.address
    assert subject.get_child("delay", "urn:xmpp:delay") is not None


# -- who is who ----------------------------------------------------------------------------


def test_an_occupant_keeps_its_id_under_another_nickname(party):
    juliet, romeo = party.pair()
    romeo.show(f"<occupant-id xmlns='{OCCUPANT_ID}' id='forged'/>")
    first = juliet.presence_of("Romeo").get_child("occupant-id", OCCUPANT_ID).attr["id"]
    romeo.leave()
    romeo.nick = "Montague"
    romeo.join()
    seen = juliet.presence_of("Montague")
    ids = [tag.attr["id"] for tag in seen.tags if tag.name == "occupant-id"]
    assert ids == [first] and first != "forged"
    romeo.say(inside=f"<occupant-id xmlns='{OCCUPANT_ID}' id='forged'/>")
    said = juliet.message()
    assert [tag.attr["id"] for tag in said.tags if tag.name == "occupant-id"] == [first]
    info = romeo.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", HOST).tags[0]
    assert OCCUPANT_ID in {tag.attr.get("var") for tag in info.tags}
