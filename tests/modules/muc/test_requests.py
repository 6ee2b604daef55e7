"""Requests from occupant to occupant and to oneself (XEP-0045 section 17.4, XEP-0410)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import error

PING = "<ping xmlns='urn:xmpp:ping'/>"
pytestmark = pytest.mark.twins("muc", needs=("muc_unique", "adhoc"))


def test_who_is_in_the_room_learns_that_it_is(party):
    juliet, romeo = party.pair()
    assert romeo.iq("get", PING, romeo.address).attr["type"] == "result"


def test_who_is_not_in_the_room_learns_that_it_is_not(party):
    juliet, tybalt = party.owner(), party.guest("tybalt")
    assert error(tybalt.iq("get", PING, juliet.address)) == ("cancel", "not-acceptable")


def test_nobody_of_this_name(party):
    juliet = party.owner()
    assert error(juliet.iq("get", PING, f"{party.room}/Nobody"))[1] == "item-not-found"


@pytest.mark.ours_alone("Debian's says service-unavailable")
def test_a_room_that_is_not_there_is_pinged(party):
    juliet = party.guest("juliet")
    assert error(juliet.iq("get", PING, juliet.address)) == ("cancel", "not-acceptable")
    answer = juliet.iq("get", "<x xmlns='urn:example:x'/>", juliet.address)
    assert error(answer)[1] == "item-not-found"


def test_a_request_and_its_answer_are_passed_on(party):
    juliet, romeo = party.pair()
    romeo.send(f"<iq type='get' id='q1' to='{juliet.address}'><x xmlns='urn:example:x'/></iq>")
    asked = juliet.client.receive_until(lambda one: one.name == "iq")
    assert asked.attr["from"] == romeo.address and asked.attr["to"] == juliet.jid
    juliet.send(f"<iq type='result' id='{asked.attr['id']}' to='{asked.attr['from']}'>"
                "<y xmlns='urn:example:x'/></iq>")
    answer = romeo.client.receive_until(lambda one: one.name == "iq")
    assert answer.attr == {"type": "result", "id": "q1", "from": juliet.address, "to": romeo.jid}
    assert answer.tags[0].name == "y"


@pytest.mark.ours_alone("Debian's puts the address into the id")
def test_nobody_learns_addresses_by_a_request(party):
    juliet, romeo = party.pair()
    romeo.send(f"<iq type='get' id='q1' to='{juliet.address}'><x xmlns='urn:example:x'/></iq>")
    asked = juliet.client.receive_until(lambda one: one.name == "iq")
    assert "romeo" not in str(asked).lower().replace(romeo.address.lower(), "")


def test_an_error_is_passed_back(party):
    juliet, romeo = party.pair()
    romeo.send(f"<iq type='get' id='q1' to='{juliet.address}'><x xmlns='urn:example:x'/></iq>")
    asked = juliet.client.receive_until(lambda one: one.name == "iq")
    juliet.send(f"<iq type='error' id='{asked.attr['id']}' to='{asked.attr['from']}'>"
                "<error type='cancel'><service-unavailable "
                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
    assert error(romeo.client.receive_until(lambda one: one.name == "iq"))[1] == (
        "service-unavailable")


def test_an_answer_that_nobody_asked_for_is_dropped(party):
    juliet, romeo = party.pair()
    for id in ("made-up", "made-up-and-as-long-as-ours"):
        juliet.send(f"<iq type='result' id='{id}' to='{romeo.address}'/>").flush()
    assert [one for one in romeo.client.flush() if one.name == "iq"] == []


@pytest.mark.ours_alone("the server of these tests has Debian's modules for rooms alone")
def test_the_card_of_an_occupant_is_that_of_the_account(party, rooms_server):
    rooms_server.server.modules.is_loaded("localhost", "vcard") or \
        rooms_server.server.modules.load("localhost", "vcard")
    juliet, romeo = party.pair()
    card = "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>"
    assert juliet.iq("set", card, juliet.bare_jid).attr["type"] == "result"
    answer = romeo.iq("get", "<vCard xmlns='vcard-temp'/>", juliet.address)
    assert answer.attr["from"] == juliet.address
    assert answer.tags[0].get_child_text("FN") == "Juliet"
    assert error(romeo.iq("set", card, juliet.address))[1] == "not-allowed"
