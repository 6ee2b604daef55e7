"""How what is said in a room reaches sessions: at once, or past those who look at it."""

from __future__ import annotations

from functools import partial

import pytest

from prosody_py.events import filters
from prosody_py.events.bystanders import bystander, meddlers
from prosody_py.testing.rooms import HOST, codes
from prosody_py.xmpp import builders


@pytest.fixture
def events(rooms_server):
    """Return the events of the host with the users, as they were afterwards."""
    events = rooms_server.server.hosts["localhost"].events
    added = []
    add = events.add_handler

    def add_for_now(name, handler, priority=0):
        added.append((name, handler))
        add(name, handler, priority)

    yield type("ForNow", (), {"add": staticmethod(add_for_now), "events": events})
    for name, handler in added:
        events.remove_handler(name, handler)


def both_ways(party):
    """Say something and change presence; return what the other one has got."""
    juliet, romeo = party.pair()
    romeo.say("hello").show("<show>away</show>").flush()
    return juliet, [one for one in juliet.client.flush() if one.name in ("message", "presence")]


def nobody_looks(events, name):
    return meddlers(events.events, "room", name.partition("/")[0], name) == []


def test_nobody_looks_and_it_goes_straight_to_the_connection(party, events):
    assert nobody_looks(events, "message/full") and nobody_looks(events, "presence/full")
    juliet, got = both_ways(party)
    assert [one.name for one in got] == ["message", "presence"]
    assert {one.attr["to"] for one in got} == {juliet.jid}


def test_who_looks_sees_every_stanza_with_its_address(party, events):
    seen = []
    for name in ("message/full", "presence/full"):
        events.add(name, lambda event: seen.append(
            (event.stanza.name, event.stanza.attr["to"])), 10)
    assert not nobody_looks(events, "message/full")
    juliet, got = both_ways(party)
    assert [one.name for one in got] == ["message", "presence"]
    assert ("message", juliet.jid) in seen and ("presence", juliet.jid) in seen
    assert len([to for name, to in seen if name == "message" and to == juliet.jid]) == 2


def test_who_looks_can_change_what_one_gets_and_nobody_else(party, events):
    def mark(event):
        if event.stanza.attr["to"].startswith("juliet"):
            event.stanza.tag("mark", xmlns="urn:example:mark").up()

    events.add("message/full", mark, 10)
    juliet, romeo = party.pair()
    romeo.say("hello")
    assert juliet.message().get_child("mark", "urn:example:mark") is not None
    assert romeo.message().get_child("mark", "urn:example:mark") is None


def test_who_looks_can_swallow_it(party, events):
    juliet, romeo = party.pair()
    events.add("message/full", lambda event: True, 10)
    romeo.say("hello").flush()
    assert juliet.messages() == []


def test_who_does_not_mind_is_passed_by(party, events):
    seen = []

    @bystander("room")
    def look(module, event):
        seen.append(event)

    events.add("message/full", partial(look, None), 10)
    assert nobody_looks(events, "message/full")
    juliet, got = both_ways(party)
    assert [one.name for one in got] == ["message", "presence"]
    # What goes to one alone, the subject for who enters, takes the common way.
    assert all(event.stanza.get_child("subject") for event in seen)


def test_a_session_with_a_filter_gets_elements_through_it(party, rooms_server):
    juliet, romeo = party.pair()
    session = rooms_server.server.full_sessions[juliet.jid]
    seen = []

    def note(stanza, _session):
        seen.append((stanza.name, stanza.attr["to"]))
        return stanza

    filters.add_filter(session, "stanzas/out", note)
    romeo.say("hello").show("<show>away</show>").flush()
    got = [one.name for one in juliet.client.flush() if one.name in ("message", "presence")]
    assert got == ["message", "presence"]
    assert seen[:2] == [("message", juliet.jid), ("presence", juliet.jid)]
    nurse = party.guest("nurse")
    nurse.join()
    assert ("presence", juliet.jid) in seen[2:]


def test_a_session_that_is_gone_leaves_the_room(party, rooms_server):
    juliet, romeo = party.pair()
    session = rooms_server.server.full_sessions.pop(romeo.jid)  # as if it had never said so
    juliet.say("anybody?")
    left = juliet.presence_of("Romeo")
    assert left.attr["type"] == "unavailable" and 333 in codes(left)
    rooms_server.server.full_sessions[romeo.jid] = session


def test_who_enters_a_room_that_is_too_large_to_tell_at_once(party, rooms_server):
    """The list of occupants is larger than what may wait for a client."""
    juliet = party.owner()
    room = rooms_server.server.modules.get_module(HOST, "muc").rooms.live[party.room]
    far = rooms_server.server.hosts[HOST].events
    far.add_handler("route/remote", lambda event: True)
    for number in range(2000):
        occupant = room.new_occupant(f"u{number}@far.example", f"{party.room}/u{number}")
        presence = builders.presence().text_tag("status", "x" * 8000)
        occupant.set_session(f"u{number}@far.example/r", presence)
        room.save_occupant(occupant)
    seen = [one for one in party.guest("romeo").join() if one.name == "presence"]
    assert len(seen) == 2002 and 110 in codes(seen[-1])
    assert len({one.attr["from"] for one in seen}) == 2002
    assert juliet.nick
