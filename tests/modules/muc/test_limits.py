"""Limits of rooms: how often and how much is said, slow mode, and other small modules."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, HOST, MUC, error

OPTIONS = {"modules_enabled": ["muc_limits", "muc_slow_mode", "muc_unique", "muc_hats_api"],
           "muc_event_rate": 0.1, "muc_burst_factor": 30, "muc_max_char_count": 200,
           "muc_max_line_count": 3, "muc_max_nick_length": 20}


def test_a_room_takes_so_many_messages_at_once(party):
    juliet, romeo = party.pair()
    for number in range(3):
        assert romeo.say(f"line {number}").message().get_child_text("body") == f"line {number}"
    assert error(romeo.say().message()) == ("wait", "policy-violation")
    assert juliet.flush().say("an owner may").message().get_child_text("body") == "an owner may"
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    assert romeo.flush().say("a member may").message().attr.get("type") == "groupchat"


def test_a_message_has_so_many_characters_and_lines(party):
    juliet, romeo = party.pair()
    assert error(romeo.say("x" * 201).message()) == ("modify", "policy-violation")
    assert error(romeo.say("x\n" * 4).message()) == ("modify", "policy-violation")


def test_a_nickname_has_so_many_characters(party):
    juliet, romeo = party.pair()
    assert error(party.guest("nurse", nick="x" * 21).knock())[1] == "not-acceptable"
    romeo.send(f"<presence to='{party.room}/{'x' * 21}'/>")
    assert error(romeo.client.presence())[1] == "not-acceptable"


def test_a_slow_room(party):
    juliet, romeo = party.pair()
    assert juliet.submit({"muc#roomconfig_slow_mode_duration": "100"}).attr["type"] == "result"
    romeo.flush().say("first")
    assert juliet.message().get_child_text("body") == "first"
    refused = romeo.flush().say("second").message()
    assert error(refused) == ("wait", "policy-violation") and "wait" in refused.get_error()[2]
    juliet.say("a moderator").say("does not wait").flush()
    assert [one.get_child_text("body") for one in romeo.messages()] == [
        "a moderator", "does not wait"]
    info = romeo.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    fields = {field.attr["var"]: field.get_child_text("value")
              for field in info.get_child("x", DATA).tags}
    assert fields["muc#roominfo_slow_mode_duration"] == "100"
    juliet.submit({"muc#roomconfig_slow_mode_duration": "0"})
    assert romeo.flush().say("third").message().get_child_text("body") == "third"


def test_names_for_rooms_are_new_each_time(party):
    query = f"<unique xmlns='{MUC}#unique'/>"
    romeo = party.guest("romeo")
    names = {romeo.iq("get", query, HOST).tags[0].get_text() for _ in range(3)}
    assert len(names) == 3 and all(names)


@pytest.fixture
def api(rooms_server):
    return rooms_server.server.modules.get_module(HOST, "muc_hats_api").exports


def hats(presence):
    found = presence.get_child("hats", "urn:xmpp:hats:0")
    return {} if found is None else {hat.attr["uri"]: hat.attr["title"] for hat in found.tags}


def test_hats_are_given_and_taken(party, api):
    juliet, romeo = party.pair()
    teacher = "urn:example:teacher"
    assert api.add_user_hat(romeo.bare_jid, party.room, teacher)[1] == "item-not-found"
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    romeo.flush()
    assert api.add_user_hat(romeo.bare_jid, party.room, teacher, {"title": "Teacher"}) is True
    assert hats(romeo.presence_of("Romeo")) == {teacher: "Teacher"}
    seen = {one.attr["from"]: one for one in party.guest("nurse").join()[:2]}
    assert hats(seen[romeo.address]) == {teacher: "Teacher"} and hats(seen[juliet.address]) == {}
    assert api.remove_user_hat(romeo.bare_jid, party.room, teacher) is True
    assert hats(romeo.flush().show().presence_of("Romeo")) == {}
    assert api.remove_user_hat(romeo.bare_jid, party.room, teacher)[1] == "item-not-found"
    assert api.add_user_hat(romeo.bare_jid, "nowhere@" + HOST, teacher)[1] == "item-not-found"
