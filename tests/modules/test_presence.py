"""Presence over a running server: who sees whom.

All tests run twice: with nothing but mod_presence on the events of presence, when stanzas are
given to the receivers' sessions at once, and with a handler that looks at all of them.
"""

import pytest
from gevent.event import Event as Flag

from prosody_py.api import stanza
from prosody_py.events import filters
from prosody_py.hosts.subscriptions import State
from prosody_py.testing.client import wait_until
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("presence")


@pytest.fixture(scope="module")
def server(presence_server):
    return presence_server


# -- own presence --------------------------------------------------------------------------


def test_initial_presence_comes_back_and_goes_to_the_other_resources(people):
    one = people.login("romeo", "1")
    two = people.login("romeo", "2", available=False)
    two.send("<presence><show>away</show></presence>")
    own, other = two.flush()
    assert kinds([own, other]) == [(two.jid, None), (one.jid, None)]
    assert "to" not in own.attr and other.attr["to"] == two.jid
    element = one.presence()
    assert element.attr["from"] == two.jid and element.get_child_text("show") == "away"


def test_presence_goes_to_those_who_may_see_it_and_to_nobody_else(people):
    people.set("romeo", people.jid("friend"), "both")
    people.set("romeo", people.jid("fan"), "from")
    people.set("romeo", people.jid("idol"), "to")
    others = {name: people.login(name) for name in ("friend", "fan", "idol")}
    romeo = people.login("romeo", available=False)
    romeo.send("<presence><status>I &amp; you's</status></presence>")
    romeo.flush()
    for name in ("friend", "fan"):
        element = others[name].presence()
        assert element.attr["from"] == romeo.jid and element.attr["to"] == people.jid(name)
        assert element.get_child_text("status") == "I & you's"
    assert others["idol"].flush() == []


def test_every_available_resource_of_a_contact_gets_presence(people):
    people.befriend("romeo", "juliet")
    one, two = people.login("juliet", "1"), people.login("juliet", "2", inside=(
        "<priority>-5</priority>"))
    silent = people.login("juliet", "3", available=False)
    one.flush()
    two.flush()
    romeo = people.login("romeo")
    assert one.presence().attr["from"] == two.presence().attr["from"] == romeo.jid
    assert silent.flush() == []


def test_initial_presence_brings_that_of_the_contacts_with_the_time(people):
    people.befriend("romeo", "juliet")
    people.login("juliet", inside="<show>dnd</show>")
    romeo = people.login("romeo")
    (element,) = romeo.flush()
    assert element.attr["from"] == people.jid("juliet") + "/r"
    assert element.attr["to"] == romeo.jid
    assert element.get_child_text("show") == "dnd"
    assert element.get_child("delay", "urn:xmpp:delay").attr["from"] == "localhost"


def test_a_later_presence_brings_nothing(people):
    people.befriend("romeo", "juliet")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    romeo.flush()
    romeo.send("<presence><show>xa</show></presence>")
    assert kinds(romeo.flush()) == [(romeo.jid, None)]
    assert juliet.receive_until(lambda element: element.get_child_text("show") == "xa")


def test_a_contact_who_is_not_there_is_unavailable(people):
    people.befriend("romeo", "juliet")
    romeo = people.login("romeo")
    assert kinds(romeo.flush()) == [(people.jid("juliet"), "unavailable")]


@pytest.mark.ours_alone("Debian's stops its own answer")
def test_a_contact_who_denies_the_subscription_is_put_right(people):
    people.set("romeo", people.jid("juliet"), "to")
    people.server.user(people.name("juliet"))
    romeo = people.login("romeo")
    elements = romeo.flush()
    assert kinds(elements) == [(people.jid("juliet"), "unsubscribed")]
    assert people.roster("romeo").state(people.jid("juliet")) == State("none")


def test_contacts_on_another_host_of_the_server_see_each_other(people):
    there = people.jid("juliet", "second.example")
    people.set("romeo", there, "both")
    people.set("juliet", people.jid("romeo"), "both", "second.example")
    juliet = people.login("juliet", host="second.example")
    juliet.flush()
    romeo = people.login("romeo")
    assert kinds(romeo.flush()) == [(juliet.jid, None)]
    assert juliet.presence().attr["from"] == romeo.jid


def test_unavailable_presence_goes_to_all_who_saw_the_other(people):
    people.befriend("romeo", "juliet")
    juliet, other = people.login("juliet"), people.login("romeo", "other")
    romeo = people.login("romeo")
    juliet.flush()
    other.flush()
    romeo.send("<presence type='unavailable'><status>Bye</status></presence>")
    for client in (juliet, other, romeo):
        element = client.receive_until(lambda element: element.attr.get("type") == "unavailable")
        assert element.attr["from"] == romeo.jid and element.get_child_text("status") == "Bye"


@pytest.mark.ours_alone("Debian's says it again")
def test_who_is_unavailable_does_not_become_so_again(people):
    people.befriend("romeo", "juliet")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    romeo.send("<presence type='unavailable'/><presence type='unavailable'/>")
    romeo.flush()
    assert [type for _from, type in kinds(juliet.flush())][-2:] == [None, "unavailable"]


def test_a_lost_connection_is_unavailable(people):
    people.befriend("romeo", "juliet")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    juliet.presence()
    romeo.sock.close()
    element = juliet.receive_until(lambda element: element.attr["from"] == romeo.jid
                                   and "type" in element.attr)
    assert element.attr["type"] == "unavailable"


@pytest.mark.parametrize(("text", "priority"), [
    ("5", 5), ("-3", -3), ("1000", 127), ("-129", -128), ("much", 0), ("", 0),
    pytest.param("9" * 5000, 0, marks=pytest.mark.ours_alone("a number to Debian's"))])
def test_the_priority_is_that_of_the_last_presence(people, text, priority):
    romeo = people.login("romeo", inside=f"<priority>{text}</priority>")
    assert people.session(romeo).priority == priority


def test_a_session_with_a_filter_or_a_send_of_its_own_gets_elements(people):
    people.befriend("romeo", "juliet")
    one, two = people.login("juliet", "1"), people.login("juliet", "2")
    session, got = people.session(two), []
    filters.add_filter(people.session(one), "stanzas/out", lambda element, session: (
        element.tag("seen", xmlns="urn:x").up() if element.name == "presence" else element))
    send = session.send
    session.extras["send"] = lambda element: got.append(element) or send(element)
    one.flush()
    romeo = people.login("romeo")
    element = one.presence()
    assert element.attr["from"] == romeo.jid and element.get_child("seen", "urn:x") is not None
    element = two.presence()
    assert got[0].attr["from"] == romeo.jid and element.get_child("seen", "urn:x") is None


def test_modules_that_listen_see_every_copy_and_can_stop_it(people):
    people.befriend("romeo", "juliet")
    juliet = people.login("juliet")
    juliet.flush()
    events = people.server.server.hosts["localhost"].events
    seen = []

    def stop(event):
        if event.stanza.attr.get("to") == people.jid("juliet"):
            seen.append(event.stanza.attr.get("type"))
            return True

    events.add_handler("presence/bare", stop, 5)
    people.login("romeo")
    events.remove_handler("presence/bare", stop)
    assert seen == [None, "probe"]
    assert juliet.flush() == []


def test_modules_that_come_after_this_one_see_what_goes_out(people):
    people.befriend("romeo", "juliet")
    events, seen = people.server.server.hosts["localhost"].events, []

    def look(event):
        seen.append((event.stanza.attr.get("to"), event.stanza.attr.get("type")))

    events.add_handler("pre-presence/bare", look, -5)
    people.login("romeo").flush()
    events.remove_handler("pre-presence/bare", look)
    assert seen == [(None, None), (people.jid("juliet"), None), (people.jid("juliet"), "probe")]


def test_the_events_of_prosody_are_fired(people):
    events, fired = people.server.server.hosts["localhost"].events, []
    for name in ("presence/initial", "message/offline/broadcast"):
        events.add_handler(name, lambda event, name=name: fired.append(
            (name, event.origin.resource)), 100)
    romeo = people.login("romeo", inside="<priority>1</priority>")
    romeo.send("<presence><priority>2</priority></presence>")
    romeo.flush()
    assert fired == [("presence/initial", "r"), ("message/offline/broadcast", "r")]


@pytest.mark.ours_alone("to Debian's only the first presence counts")
def test_a_priority_that_is_raised_above_zero_brings_what_waited(people):
    events, fired = people.server.server.hosts["localhost"].events, []
    events.add_handler("message/offline/broadcast", lambda event: fired.append(event.origin))
    romeo = people.login("romeo", inside="<priority>-1</priority>")
    assert fired == []
    romeo.send("<presence><priority>1</priority></presence>")
    romeo.flush()
    assert fired == [people.session(romeo)]


# -- sessions that end in the middle of it -------------------------------------------------


@pytest.mark.ours_alone("Prosody's handlers do not wait")
@pytest.mark.parametrize("event", ["pre-presence/bare", "presence/bare"])
def test_the_presence_of_a_session_that_has_ended_meanwhile_is_not_told(people, event):
    people.befriend("romeo", "juliet")
    juliet, one = people.login("juliet"), people.login("romeo", "one")
    two = people.login("romeo", "two", available=False)
    session, events = people.session(two), people.server.server.hosts["localhost"].events
    juliet.flush(), one.flush()
    begun, go_on = Flag(), Flag()

    def wait(data):
        if data.origin is session and "type" not in data.stanza.attr:
            begun.set()
            go_on.wait()

    events.add_handler(event, wait, 1000)
    try:
        two.send("<presence/>")
        assert begun.wait(10)
        session.close("conflict")
        assert session.destroyed
        go_on.set()
        wait_until(lambda: session.in_hand is None)
    finally:
        events.remove_handler(event, wait)
    assert kinds(juliet.flush()) == kinds(one.flush()) == []


@pytest.mark.ours_alone("Prosody's handlers do not wait")
def test_directed_presence_of_a_session_that_has_ended_meanwhile_is_not_told(people):
    juliet, romeo = people.login("juliet"), people.login("romeo")
    session, events = people.session(romeo), people.server.server.hosts["localhost"].events
    begun, go_on = Flag(), Flag()

    def wait(data):
        if data.origin is session and "type" not in data.stanza.attr:
            begun.set()
            go_on.wait()

    events.add_handler("pre-presence/full", wait, 1000)
    try:
        romeo.send(f"<presence to='{juliet.jid}'/>")
        assert begun.wait(10)
        session.close("conflict")
        go_on.set()
        wait_until(lambda: session.in_hand is None)
    finally:
        events.remove_handler("pre-presence/full", wait)
    assert kinds(juliet.flush()) == []


def test_a_module_sends_the_presence_of_all_resources_to_an_address(people):
    one, two = people.login("romeo", "1"), people.login("romeo", "2")
    people.login("romeo", "3", available=False)
    other = people.login("tybalt")
    other.flush()
    send = people.server.server.modules.get_module(
        "localhost", "presence").exports.send_presence_of_available_resources
    romeo = people.jid("romeo").partition("@")[0]
    assert send(romeo, "localhost", other.jid, people.session(one)) == 2
    assert sorted(kinds(other.flush())) == [(one.jid, None), (two.jid, None)]
    gone = stanza.presence({"type": "unavailable"})
    assert send(romeo, "localhost", other.jid, None, gone) == 2
    assert sorted(kinds(other.flush())) == [
        (one.jid, "unavailable"), (two.jid, "unavailable")]
    assert send("nobody", "localhost", other.jid) == send(romeo, "elsewhere.example", "x@y") == 0
