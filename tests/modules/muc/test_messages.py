"""Messages to all and to one (XEP-0045 sections 7.4 and 7.5)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import HOST, USER, codes, error

pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


def test_a_message_goes_to_everybody_as_it_is(party):
    juliet, romeo = party.pair()
    romeo.say("But soft", "<active xmlns='http://jabber.org/protocol/chatstates'/>")
    for guest in (juliet, romeo):
        said = guest.message()
        assert said.attr == {"from": romeo.address, "to": guest.jid, "type": "groupchat",
                             "id": "m1"}
        assert said.get_child_text("body") == "But soft"
        assert said.get_child("active", "http://jabber.org/protocol/chatstates") is not None


def test_special_characters_arrive(party):
    juliet, romeo = party.pair()
    romeo.say("&lt;b&gt; &amp; 'x' \U0001f339")
    assert juliet.message().get_child_text("body") == "<b> & 'x' \U0001f339"


def test_who_is_not_in_the_room_is_not_heard(party):
    juliet, tybalt = party.owner(), party.guest("tybalt")
    assert error(tybalt.say().message()) == ("cancel", "not-acceptable")
    assert juliet.messages() == []


def test_a_visitor_is_not_heard(party):
    juliet, romeo = party.pair(moderatedroom="1")
    assert error(romeo.say().message()) == ("auth", "forbidden")
    assert juliet.messages() == []


@pytest.mark.ours_alone("Debian's passes them on")
def test_status_codes_of_occupants_are_taken_out(party):
    juliet, romeo = party.pair()
    romeo.say("x", f"<x xmlns='{USER}'><status code='301'/></x>")
    assert codes(juliet.message()) == set()


@pytest.mark.ours_alone("Debian's passes them on")
def test_nobody_else_gives_ids_in_the_rooms_name(party):
    juliet, romeo = party.pair()
    romeo.say("x", f"<stanza-id xmlns='urn:xmpp:sid:0' by='{party.room}' id='forged'/>"
              "<stanza-id xmlns='urn:xmpp:sid:0' by='somebody@localhost' id='other'/>")
    ids = [tag.attr["id"] for tag in juliet.message().tags if tag.name == "stanza-id"]
    assert ids == ["other"]


@pytest.mark.ours_alone("Debian's answers that nobody answers")
def test_a_message_to_no_room_comes_back(party):
    juliet = party.owner()
    juliet.send(f"<message to='nowhere@{HOST}' type='groupchat'><body>x</body></message>")
    assert error(juliet.message()) == ("cancel", "item-not-found")


def test_a_private_message_reaches_one(party):
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    nurse.join()
    romeo.flush()
    romeo.whisper("Juliet")
    said = juliet.message()
    assert said.attr["from"] == romeo.address and said.attr["type"] == "chat"
    assert said.attr["to"] == juliet.jid and said.get_child_text("body") == "psst"
    assert said.get_child("x", USER) is not None
    assert romeo.messages() == [] and nurse.messages() == []


def test_a_private_message_is_no_groupchat(party):
    juliet, romeo = party.pair()
    romeo.whisper("Juliet", type="groupchat")
    assert error(romeo.message()) == ("modify", "bad-request")
    assert juliet.messages() == []


def test_a_private_message_to_nobody_comes_back(party):
    _juliet, romeo = party.pair()
    assert error(romeo.whisper("Nobody").message())[1] == "item-not-found"


def test_a_private_message_of_a_stranger_comes_back(party):
    juliet, tybalt = party.owner(), party.guest("tybalt")
    assert error(tybalt.whisper("Juliet").message())[1] == "not-acceptable"
    assert juliet.messages() == []


@pytest.mark.ours_alone("the option came after Debian's version")
def test_private_messages_can_be_forbidden(party):
    juliet, romeo = party.pair(allowpm="none")
    nurse = party.guest("nurse")
    nurse.join()
    nurse.whisper("Romeo")
    assert error(nurse.message()) == ("cancel", "policy-violation")
    nurse.whisper("Juliet")  # a moderator can be written to
    assert juliet.message().get_child_text("body") == "psst"
    juliet.submit({"{xmpp:prosody.im}muc#allow_modpm": "0"})
    nurse.flush().whisper("Juliet")
    assert error(nurse.message())[1] == "policy-violation"


def test_all_sessions_under_a_nickname_get_messages(party):
    juliet, romeo = party.pair()
    other = party.guest("romeo", resource="two")
    own = other.join()
    assert 110 in codes(own[-2])
    romeo.flush()
    juliet.say("twice").whisper("Romeo", "both")
    for guest in (romeo, other):
        assert guest.message().get_child_text("body") == "twice"
        assert guest.message().get_child_text("body") == "both"


def test_an_error_from_an_occupant_that_is_gone_takes_it_out(party):
    juliet, romeo = party.pair()
    romeo.send(f"<message to='{party.room}' type='error' id='m9'><error type='cancel'>"
               "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
    left = juliet.presence_of("Romeo")
    assert left.attr["type"] == "unavailable" and 333 in codes(left)
    assert error(romeo.flush().say().message())[1] == "not-acceptable"


def test_an_error_about_a_message_itself_takes_nobody_out(party):
    juliet, romeo = party.pair()
    romeo.send(f"<message to='{party.room}' type='error' id='m9'><error type='modify'>"
               "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
    romeo.say("still here")
    assert juliet.message().get_child_text("body") == "still here"
