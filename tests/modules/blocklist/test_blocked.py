"""mod_blocklist: what does not come through, and what the sender is told (XEP-0191)."""

from __future__ import annotations

import pytest

from prosody_py.api import stanza
from prosody_py.testing.blocking import XMLNS, block, bodies, say, unblock

pytestmark = pytest.mark.twins("blocklist")

OURS = "Debian's differs here"
PING = "<ping xmlns='urn:xmpp:ping'/>"


@pytest.mark.ours_alone("Debian's drops messages to the account in silence")
def test_messages_of_who_is_blocked_come_back(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    for to in (juliet.jid, juliet.bare_jid):
        say(romeo, to)
        error = romeo.message()
        assert error.attr["from"] == to
        assert error.get_error()[:2] == ("cancel", "service-unavailable")
        assert error.get_child("error").get_child("blocked", XMLNS + ":errors") is None
    assert juliet.flush() == []


@pytest.mark.ours_alone(OURS)
@pytest.mark.parametrize("type", ["error", "headline", "groupchat"])
def test_messages_that_want_no_answer_are_dropped(couple, type):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    romeo.flush()
    say(romeo, juliet.jid, type=type)
    assert romeo.flush() == [] and juliet.flush() == []


def test_requests_of_who_is_blocked_come_back_and_answers_are_dropped(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    romeo.flush()
    for to in (juliet.jid, juliet.bare_jid):
        for type in ("get", "set"):
            assert romeo.iq(type, PING, to).get_error()[:2] == ("cancel", "service-unavailable")
        romeo.send(f"<iq type='result' id='x' to='{to}'/>")
        romeo.send(f"<iq type='error' id='x' to='{to}'><error type='cancel'/></iq>")
    assert romeo.flush() == [] and juliet.flush() == []


@pytest.mark.parametrize("type", ["", "unavailable", "probe", "subscribe", "subscribed",
                                  "unsubscribe", "unsubscribed"])
def test_presence_of_who_is_blocked_is_dropped_in_silence(people, type):
    juliet, romeo = people.login("juliet"), people.login("romeo")
    block(juliet, romeo.bare_jid)
    attr = f" type='{type}'" if type else ""
    romeo.send(f"<presence to='{juliet.bare_jid}'{attr}/><presence to='{juliet.jid}'{attr}/>")
    assert [found for found in romeo.flush() if found.name == "presence"] == []
    assert [found for found in juliet.flush() if found.name == "presence"] == []


@pytest.mark.parametrize("text", [
    "<message to='{}' type='chat'><body>hark</body></message>",
    "<iq to='{}' type='get' id='i'><ping xmlns='urn:xmpp:ping'/></iq>",
    pytest.param("<presence to='{}' type='subscribe'/>", marks=pytest.mark.ours_alone(OURS))])
def test_who_sends_to_somebody_blocked_is_told_why_not(couple, text):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid, "montague.net", "stranger@localhost")
    romeo.flush()
    for to in (romeo.jid, "a@montague.net", "montague.net", "stranger@localhost"):
        juliet.send(text.format(to))
        error = juliet.receive_until(lambda element: element.attr.get("type") == "error")
        assert error.get_error()[:2] == ("cancel", "not-acceptable")
        assert error.get_child("error").get_child("blocked", XMLNS + ":errors") is not None
        assert error.attr["from"] == to
    assert romeo.flush() == []


def test_who_is_unblocked_comes_through_both_ways(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid, "x.lit")
    unblock(juliet, romeo.bare_jid)
    say(romeo, juliet.jid)
    romeo.flush()
    say(juliet, romeo.jid, "who")
    assert (bodies(juliet), bodies(romeo)) == (["hark"], ["who"])
    block(juliet, "localhost")
    unblock(juliet)
    say(romeo, juliet.jid)
    romeo.flush()
    assert bodies(juliet) == ["hark"]


@pytest.mark.parametrize(("entry", "passes"), [
    ("{bare}", ()), ("{bare}/orchard", ("street", "other")), ("second.example", ()),
    ("second.example/orchard", ("orchard", "street", "other")), ("{bare}/gone", (
        "orchard", "street", "other")), ("example", ("orchard", "street", "other"))])
def test_addresses_match_by_bare_full_and_domain(people, entry, passes):
    juliet = people.login("juliet")
    clients = {name: people.login("romeo", name, host="second.example")
               for name in ("orchard", "street")}
    other = clients["other"] = people.login("romeo", "other", host="second.example")
    block(juliet, entry.format(bare=other.bare_jid))
    for name, client in clients.items():
        say(client, juliet.jid, name)
        client.flush()
    assert tuple(bodies(juliet)) == passes


def test_one_occupant_of_a_room_can_be_blocked(people, server):
    juliet = people.login("juliet")
    block(juliet, "room@second.example/iago")
    component = server.server.hosts["second.example"]
    for nick in ("iago", "emilia"):
        server.server.post_stanza(component, stanza.message(
            {"type": "chat", "to": juliet.jid, "from": f"room@second.example/{nick}"}, nick))
    assert bodies(juliet) == ["emilia"]


class Room:
    """Where the stanzas of a room come from; `errors` has the answers."""

    type, host, full_jid = "component", "second.example", None

    def __init__(self):
        self.errors = []

    def send(self, element):
        self.errors.append(element.get_error()[1])


@pytest.mark.ours_alone(OURS)
@pytest.mark.parametrize(("marked", "joined", "errors"), [
    (True, False, []), (False, True, []), (False, False, ["service-unavailable"])])
def test_rooms_get_no_errors_for_which_they_would_turn_one_out(people, server, marked, joined,
                                                               errors):
    juliet = people.login("juliet")
    if joined:
        juliet.send("<presence to='room@second.example/juliet'/>").flush()
    block(juliet, "room@second.example/iago")
    private = stanza.message({"type": "chat", "to": juliet.jid,
                              "from": "room@second.example/iago"}, "psst")
    if marked:
        private.tag("x", xmlns="http://jabber.org/protocol/muc#user").up()
    room = Room()
    server.server.post_stanza(room, private)
    assert room.errors == errors and bodies(juliet) == []


@pytest.mark.ours_alone(OURS)
def test_invitations_by_who_is_blocked_do_not_come_through_a_room(people, server):
    juliet = people.login("juliet")
    block(juliet, "iago@x.lit")
    room = server.server.hosts["second.example"]
    for sender in ("iago@x.lit/boat", "emilia@x.lit"):
        invitation = stanza.message({"to": juliet.bare_jid, "from": "room@second.example"})
        invitation.tag("x", xmlns="http://jabber.org/protocol/muc#user").tag(
            "invite", {"from": sender}).up().up().text_tag("body", sender)
        server.server.post_stanza(room, invitation)
    assert bodies(juliet) == ["emilia@x.lit"]


@pytest.mark.ours_alone("Debian's lets a user block the own account, and the server")
def test_own_resources_and_the_own_server_cannot_be_blocked(people):
    desk, phone = people.login("juliet", "desk"), people.login("juliet", "phone")
    block(desk, desk.bare_jid, phone.jid, "localhost")
    say(desk, phone.jid)
    desk.flush()
    assert bodies(phone) == ["hark"]
    assert desk.iq("get", PING, "localhost").attr["type"] == "result"


@pytest.mark.ours_alone("Debian's exports nothing")
def test_others_may_ask_who_is_blocked(couple, server):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    exports = server.server.modules.get_module("localhost", "blocklist").exports
    name = juliet.bare_jid.partition("@")[0]
    assert exports.is_blocked(name, romeo.jid) and not exports.is_blocked(name, "x@x.lit")
