"""Taking back what was said in a room (XEP-0425, XEP-0424)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import HOST, error

OPTIONS = {"modules_enabled": ["muc_moderation"]}
MODERATE, RETRACT = "urn:xmpp:message-moderate:1", "urn:xmpp:message-retract:1"
OLD_MODERATE, OLD_RETRACT, FASTEN = ("urn:xmpp:message-moderate:0", "urn:xmpp:message-retract:0",
                                     "urn:xmpp:fasten:0")
SID = "urn:xmpp:sid:0"


def moderate(guest, id, reason="<reason>rude</reason>"):
    return guest.iq("set", f"<moderate xmlns='{MODERATE}' id='{id}'><retract xmlns='{RETRACT}'/>"
                    f"{reason}</moderate>")


def said(party, guest, text="A rude word", inside=""):
    """Say something; return the id that the room has given it."""
    message = guest.say(text, inside).message()
    (found,) = [tag for tag in message.tags if tag.name == "stanza-id"
                and tag.attr["by"] == party.room]
    return found.attr["id"]


def test_it_is_discovered(party):
    info = party.owner().iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert {MODERATE, OLD_MODERATE, RETRACT} <= {tag.attr.get("var") for tag in info.tags[0].tags}


def test_a_moderator_takes_back_what_somebody_has_said(party, rooms_server):
    juliet, romeo = party.pair()
    events = []
    rooms_server.server.hosts[HOST].events.add_handler("muc-moderated", events.append)
    id = said(party, romeo)
    assert moderate(juliet.flush(), id).attr["type"] == "result"
    told = romeo.message()
    retract = told.get_child("retract", RETRACT)
    assert told.attr["from"] == party.room and retract.attr["id"] == id
    moderated = retract.get_child("moderated", MODERATE)
    assert moderated.attr["by"] == juliet.address
    assert moderated.get_child("occupant-id", "urn:xmpp:occupant-id:0") is not None
    assert retract.get_child_text("reason") == "rude"
    old = told.get_child("apply-to", FASTEN).get_child("moderated", OLD_MODERATE)
    assert old.attr["by"] == juliet.address and old.get_child("retract", OLD_RETRACT) is not None
    (event,) = events
    assert (event.stanza_id, event.reason, event.retract) == (id, "rude", True)
    assert event.moderator.nick == juliet.address
    assert event.stanza.get_child_text("body") == "A rude word"


def test_who_enters_later_sees_a_tombstone(party):
    juliet, romeo = party.pair()
    moderate(juliet, said(party, romeo))
    kept = next(one for one in party.guest("nurse").join() if one.name == "message"
                and one.get_child("subject") is None)
    assert kept.get_child("body") is None and kept.attr["from"] == romeo.address
    tomb = kept.get_child("retracted", RETRACT)
    assert tomb.get_child("moderated", MODERATE).attr["by"] == juliet.address
    assert tomb.get_child_text("reason") == "rude"
    assert kept.get_child("occupant-id", "urn:xmpp:occupant-id:0") is not None


def test_the_old_form_of_a_request(party):
    juliet, romeo = party.pair()
    id = said(party, romeo)
    answer = juliet.iq("set", f"<apply-to xmlns='{FASTEN}' id='{id}'><moderate "
                       f"xmlns='{OLD_MODERATE}'><retract xmlns='{OLD_RETRACT}'/></moderate>"
                       "</apply-to>")
    assert answer.attr["type"] == "result"
    assert romeo.message().get_child("retract", RETRACT).attr["id"] == id


def test_who_does_not(party):
    juliet, romeo = party.pair()
    id = said(party, juliet)
    assert error(moderate(romeo, id)) == ("auth", "forbidden")
    assert error(moderate(party.guest("tybalt"), id))[1] == "forbidden"
    assert error(moderate(juliet, "unknown"))[1] == "item-not-found"
    assert error(moderate(juliet, ""))[1] == "bad-request"
    assert error(juliet.iq("set", f"<moderate xmlns='{MODERATE}' id='{id}'/>"))[1] == (
        "feature-not-implemented")


def test_nobody_pretends_to_be_the_room(party):
    juliet, romeo = party.pair()
    id = said(party, juliet, inside=f"<stanza-id xmlns='{SID}' by='{party.room}' id='forged'/>")
    assert id != "forged"
    romeo.flush().say("x", f"<retract xmlns='{RETRACT}' id='{id}'>"
                      f"<moderated xmlns='{MODERATE}' by='{juliet.address}'/></retract>")
    assert error(romeo.message())[1] == "forbidden"


@pytest.mark.parametrize("of_romeo", [True, False])
def test_authors_take_back_what_they_have_said_and_nothing_else(party, of_romeo):
    juliet, romeo = party.pair()
    id = said(party, romeo if of_romeo else juliet)
    romeo.flush().send(f"<message to='{party.room}' type='groupchat' id='r1'>"
                       f"<retract xmlns='{RETRACT}' id='{id}'/></message>")
    if of_romeo:
        assert juliet.client.receive_until(lambda one: one.get_child("retract", RETRACT)
                                           is not None).attr["from"] == romeo.address
    else:
        assert error(romeo.message())[1] == "forbidden"
    kept = next(one for one in party.guest("nurse").join() if one.name == "message"
                and one.get_child("subject") is None)
    assert (kept.get_child("retracted", RETRACT) is not None) is of_romeo
