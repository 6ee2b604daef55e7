"""Examples and demands of XEP-0045, sections 7 to 11, that the other tests pass by."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, HOST, JOIN, MUC, OWNER, USER, codes, error, item
from prosody_py.xmpp import builders
from prosody_py.xmpp.ns import STANZA_ERRORS

OPTIONS = {"modules_enabled": ["muc_mam"]}
DELAY = "urn:xmpp:delay"


@pytest.fixture
def events(rooms_server):
    """Return a function that hooks an event of the rooms, until the test ends."""
    hooked = []
    bus = rooms_server.server.hosts[HOST].events

    def hook(name, handler, priority=0):
        bus.add_handler(name, handler, priority)
        hooked.append((name, handler))

    yield hook
    for entry in hooked:
        bus.remove_handler(*entry)


def delays(message):
    return [(tag.attr["from"], tag.attr["stamp"]) for tag in message.childtags("delay", DELAY)]


def test_a_nickname_that_the_service_modifies(party, events):
    """Section 7.6: with the status code 210 for who has it."""
    juliet, romeo = party.pair()

    def in_small_letters(event):
        nick = event.dest_occupant.nickname.lower()
        event.dest_occupant = event.orig_occupant.renamed(f"{party.room}/{nick}")

    events("muc-occupant-pre-change", in_small_letters)
    romeo.send(f"<presence to='{party.room}/MONTAGUE'/>")
    assert item(romeo.presence_of("Romeo"))["nick"] == "montague"
    assert codes(romeo.presence_of("montague")) == {110, 210}
    assert codes(juliet.presence_of("Romeo")) == {303}
    assert codes(juliet.presence_of("montague")) == set()
    romeo.send(f"<presence to='{party.room}/Montague'><show>away</show></presence>")
    own = romeo.client.presence()
    assert own.attr["from"] == f"{party.room}/montague" and codes(own) == {110, 210}
    other = juliet.client.presence()
    assert other.get_child_text("show") == "away" and codes(other) == set()


@pytest.mark.parametrize("archived", ["0", "1"])
def test_an_owner_brings_a_conversation_along(party, archived):
    """Section 7.9: what was said elsewhere keeps the time when it was."""
    juliet, romeo = party.pair(**{"enablearchiving": archived})
    brought = f"<delay xmlns='{DELAY}' from='{juliet.jid}' stamp='2004-09-29T01:54:37Z'/>"
    juliet.say("Thrice the brinded cat", brought)
    romeo.client.receive_until(lambda one: one.get_child("body") is not None)
    romeo.say("said by no owner", brought)
    juliet.flush()
    seen = {one.get_child_text("body"): delays(one)
            for one in party.guest("nurse").join() if one.name == "message"}
    assert seen["Thrice the brinded cat"] == [(juliet.jid, "2004-09-29T01:54:37Z")]
    assert [by for by, _when in seen["said by no owner"]] == [juliet.jid, party.room]


@pytest.mark.parametrize("by", ["{0}", "{0}/Juliet", "HALL{1}@{2}"])
def test_nobody_says_for_the_room_when_something_was_said(party, by):
    """XEP-0203 section 4: what claims to be history is none."""
    juliet, romeo = party.pair()
    address = by.format(party.room, party.suffix, HOST)
    forged = f"<delay xmlns='{DELAY}' from='{address}' stamp='2004-09-29T01:54:37Z'/>"
    romeo.say("now", forged).whisper("Juliet", inside=forged).show(forged)
    got = [juliet.client.receive() for _ in range(3)]
    assert [one.get_child("delay", DELAY) for one in got] == [None] * 3


def test_the_form_of_the_specification(party):
    """Section 10.1.3, as it stands there."""
    juliet = party.guest("juliet")
    juliet.join()
    fields = {"roomname": "A Dark Cave", "roomdesc": "The place for all good witches!",
              "enablelogging": "0", "changesubject": "1", "allowinvites": "0",
              "allowpm": "anyone", "maxusers": "10", "publicroom": "0", "persistentroom": "0",
              "moderatedroom": "0", "membersonly": "0", "passwordprotectedroom": "1",
              "roomsecret": "cauldronburn", "whois": "moderators",
              "roomadmins": ["wiccarocks@localhost", "hecate@localhost"]}
    named = {f"muc#roomconfig_{name}": value for name, value in fields.items()}
    assert juliet.submit({**named, "muc#maxhistoryfetch": "7"}).attr["type"] == "result"
    form = {name: [tag.get_text() for tag in field.tags if tag.name == "value"]
            for name, field in juliet.form().items()}
    assert form["muc#roomconfig_historylength"] == ["7"]
    for name, value in fields.items():
        if name != "enablelogging":
            wanted = value if isinstance(value, list) else [value]
            assert sorted(form[f"muc#roomconfig_{name}"]) == sorted(wanted), name
    assert juliet.configure(maxusers="none").attr["type"] == "result"
    assert juliet.form()["muc#roomconfig_maxusers"].get_child_text("value") == "0"


def test_an_owner_hands_the_room_on_in_one_request(party):
    """Section 10.5: a room needs an owner, and has one afterwards."""
    juliet, romeo = party.pair()
    own = {"jid": juliet.bare_jid, "affiliation": "none"}
    assert error(juliet.admin("set", own))[1] == "conflict"
    assert error(juliet.admin("set", own, {"jid": juliet.bare_jid, "affiliation": "owner"}))
    answer = juliet.admin("set", own, {"jid": romeo.bare_jid, "affiliation": "owner"})
    assert answer.attr["type"] == "result", str(answer)
    assert [one["jid"] for one in romeo.listed(affiliation="owner")] == [romeo.bare_jid]


def test_who_is_removed_for_an_error_was_not_kicked(party):
    """Section 11.1."""
    juliet, romeo = party.pair()
    bounced = builders.message({"to": juliet.address, "type": "error"})
    bounced.tag("error", type="cancel").tag("recipient-unavailable", xmlns=STANZA_ERRORS)
    romeo.send(str(bounced.reset()))
    assert codes(juliet.presence_of("Romeo")) == {333}
    assert codes(romeo.client.receive_until(
        lambda one: one.attr.get("type") == "unavailable")) == {110, 333}


def test_a_room_that_is_not_there_says_so(party):
    """Sections 7.10, 10.2 and 9."""
    romeo = party.guest("romeo")
    for type, query in (("get", "jabber:iq:register"), ("set", "jabber:iq:register"),
                        ("get", OWNER), ("set", OWNER), ("get", f"{MUC}#admin")):
        assert error(romeo.iq(type, f"<query xmlns='{query}'/>")) == ("cancel", "item-not-found")


def test_what_is_no_way_in_and_no_way_out(party):
    """Section 17.3: presence with a type is no request to enter, and leaves nobody out."""
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    for type in ("probe", "subscribe", "unsubscribed", "error", "unavailable"):
        nurse.send(f"<presence type='{type}' to='{nurse.address}'>{JOIN}</presence>")
    assert [one for one in nurse.client.flush() if one.attr.get("type") != "error"] == []
    for type in ("probe", "subscribe", "unsubscribed"):
        romeo.send(f"<presence type='{type}' to='{romeo.address}'/>")
    romeo.flush().say("still here")
    assert juliet.message().attr["from"] == romeo.address


def test_who_is_no_owner_destroys_nothing(party):
    """Section 10.9."""
    juliet, romeo = party.pair()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="admin")
    for request in ("<destroy/>", f"<x xmlns='{DATA}' type='submit'/>",
                    f"<x xmlns='{DATA}' type='cancel'/>"):
        assert error(romeo.owner("set", request)) == ("auth", "forbidden")
    assert error(romeo.owner("get")) == ("auth", "forbidden")


def test_a_destroyed_room_sends_each_one_presence(party):
    """Section 10.9: with another room, a reason and a password, and nothing about the others."""
    juliet, romeo = party.pair()
    juliet.owner("set", f"<destroy jid='coven@{HOST}'><reason>Macbeth doth come.</reason>"
                 "<password>cauldronburn</password></destroy>")
    (out,) = [one for one in romeo.client.flush() if one.name == "presence"]
    destroy = out.get_child("x", USER).get_child("destroy")
    assert out.attr["from"] == romeo.address and out.attr["type"] == "unavailable"
    assert destroy.attr["jid"] == f"coven@{HOST}"
    assert destroy.get_child_text("reason") == "Macbeth doth come."
    assert destroy.get_child_text("password") == "cauldronburn"
    assert (item(out)["affiliation"], item(out)["role"]) == ("none", "none")


def test_a_banned_domain_is_put_out_and_stays_out(party):
    """Section 9.2: an account of its own counts more than its domain."""
    juliet, romeo = party.pair()
    nurse = party.guest("nurse")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="member")
    nurse.join()
    assert juliet.admin("set", jid="localhost", affiliation="outcast").attr["type"] == "result"
    assert {110, 301} <= codes(romeo.client.receive_until(
        lambda one: one.attr.get("type") == "unavailable"))
    assert error(romeo.flush().knock()) == ("auth", "forbidden")
    assert error(romeo.iq("get", "<query xmlns='jabber:iq:register'/>"))[1] == "forbidden"
    nurse.flush().say("still here")
    assert juliet.message().attr["from"] == nurse.address
    juliet.admin("set", jid="localhost", affiliation="none")
    assert romeo.join()
