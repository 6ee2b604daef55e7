"""Presence subscriptions over a running server: asked for, granted, refused and ended."""

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("presence")


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


def pushed(elements):
    """Return (subscription, ask) of the roster pushes among the elements."""
    return [(element.tags[0].tags[0].attr["subscription"], element.tags[0].tags[0].attr.get("ask"))
            for element in elements if element.attr.get("type") == "set"]


def test_a_subscription_is_asked_for_granted_and_ended(people):
    romeo, juliet = people.login("romeo"), people.login("juliet")
    romeo.send(f"<presence type='subscribe' to='{juliet.jid}' id='1'><status>Me</status>"
               "</presence>")
    request = juliet.presence()
    assert (request.attr["from"], request.attr["to"]) == (romeo.bare_jid, juliet.bare_jid)
    assert request.attr["id"] == "1" and request.get_child_text("status") == "Me"
    assert pushed(romeo.flush()) == [("none", "subscribe")]

    juliet.send(f"<presence type='subscribed' to='{romeo.bare_jid}'/>")
    assert pushed(juliet.flush()) == [("from", None)]
    elements = romeo.flush()
    assert kinds(elements) == [(juliet.bare_jid, "subscribed"), (juliet.jid, None)]
    assert pushed(elements) == [("to", None)]

    juliet.send(f"<presence type='unsubscribed' to='{romeo.bare_jid}'/>")
    assert pushed(juliet.flush()) == [("none", None)]
    elements = romeo.flush()
    # Debian's has the other order.
    assert sorted(kinds(elements)) == [(juliet.jid, "unavailable"),
                                       (juliet.bare_jid, "unsubscribed")][::-1]
    assert pushed(elements) == [("none", None)]


def test_a_user_ends_the_own_subscription(people):
    people.befriend("romeo", "juliet")
    romeo, juliet = people.login("romeo"), people.login("juliet")
    romeo.flush()
    juliet.flush()
    romeo.send(f"<presence type='unsubscribe' to='{juliet.bare_jid}'/>")
    elements = romeo.flush()
    assert pushed(elements) == [("from", None)]
    # Section 3.3.3 wants this presence; Debian's sends none.
    assert kinds(elements) in ([(juliet.jid, "unavailable")], [])
    elements = juliet.flush()
    assert kinds(elements) == [(romeo.bare_jid, "unsubscribe")]
    assert pushed(elements) == [("to", None)]


def test_a_request_is_refused(people):
    romeo, juliet = people.login("romeo"), people.login("juliet")
    romeo.send(f"<presence type='subscribe' to='{juliet.bare_jid}'/>")
    juliet.presence()
    juliet.send(f"<presence type='unsubscribed' to='{romeo.bare_jid}'/>")
    assert pushed(juliet.flush()) == []
    elements = romeo.flush()
    # Debian's has confirmed with "unavailable" that the request arrived.
    assert kinds(elements)[-1:] == [(juliet.bare_jid, "unsubscribed")]
    assert pushed(elements) == [("none", "subscribe"), ("none", None)]


def test_what_nobody_asked_for_does_not_arrive(people):
    romeo, juliet = people.login("romeo"), people.login("juliet")
    for type in ("subscribed", "unsubscribed", "unsubscribe"):
        romeo.send(f"<presence type='{type}' to='{juliet.bare_jid}'/>")
    romeo.flush()
    assert juliet.flush() == []
    assert juliet.bare_jid not in people.roster("juliet")


def test_a_request_waits_for_the_user_until_it_is_answered(people):
    people.server.user(people.name("juliet"))
    romeo = people.login("romeo")
    romeo.send(f"<presence type='subscribe' to='{people.jid('juliet')}'><status>Me</status>"
               "</presence>")
    romeo.flush()
    for _ in range(2):
        juliet = people.login("juliet")
        (request,) = juliet.flush()
        assert kinds([request]) == [(romeo.bare_jid, "subscribe")]
        assert request.get_child_text("status") == "Me"
        juliet.close()
    juliet = people.login("juliet")
    juliet.send(f"<presence type='subscribed' to='{romeo.bare_jid}'/>")
    juliet.flush()
    juliet = people.login("juliet", "again")
    assert (romeo.bare_jid, "subscribe") not in kinds(juliet.flush())


def test_a_request_that_waits_is_not_shown_twice(people):
    romeo, juliet = people.login("romeo"), people.login("juliet")
    for _ in range(3):
        romeo.send(f"<presence type='subscribe' to='{juliet.bare_jid}'/>")
    romeo.flush()
    assert kinds(juliet.flush()) == [(romeo.bare_jid, "subscribe")]


def test_an_unanswered_request_is_sent_again_with_initial_presence(people):
    people.set("romeo", people.jid("juliet"), "none", ask="subscribe")
    juliet = people.login("juliet")
    romeo = people.login("romeo")
    assert kinds([juliet.presence()]) == [(romeo.bare_jid, "subscribe")]


def test_a_request_of_a_subscriber_is_answered_by_the_server(people):
    people.set("juliet", people.jid("romeo"), "from")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    romeo.send(f"<presence type='subscribe' to='{juliet.bare_jid}'/>")
    wait_until(lambda: people.roster("romeo").is_user_subscribed(juliet.bare_jid))
    # Debian's sends the presence twice.
    assert list(dict.fromkeys(kinds(romeo.flush()))) == [
        (juliet.bare_jid, "subscribed"), (juliet.jid, None)]
    assert juliet.flush() == []


def test_a_request_is_approved_in_advance(people):
    juliet, romeo = people.login("juliet"), people.login("romeo")
    assert juliet.features.get_child("sub", "urn:xmpp:features:pre-approval") is not None
    juliet.send(f"<presence type='subscribed' to='{romeo.bare_jid}'/>")
    (push,) = juliet.flush()
    assert push.tags[0].tags[0].attr["approved"] == "true"
    assert romeo.flush() == []
    romeo.send(f"<presence type='subscribe' to='{juliet.bare_jid}'/>")
    assert kinds(romeo.flush()) == [(juliet.bare_jid, "subscribed"), (juliet.jid, None)]
    elements = juliet.flush()
    assert pushed(elements) == [("from", None)] and kinds(elements) == []


def test_a_full_address_means_the_account_for_subscriptions(people):
    romeo, juliet = people.login("romeo"), people.login("juliet")
    romeo.send(f"<presence type='subscribe' to='{juliet.bare_jid}/elsewhere'/>")
    assert juliet.presence().attr["to"] == juliet.bare_jid
    assert juliet.bare_jid in people.roster("romeo")


def test_subscribing_to_oneself_changes_nothing(people):
    romeo = people.login("romeo")
    romeo.send(f"<presence type='subscribe' to='{romeo.bare_jid}'/>"
               f"<presence type='subscribe' to='{romeo.jid}'/>")
    # Debian's calls the first an error, and answers the second with presence.
    assert {element.attr.get("type") for element in romeo.flush()} <= {"error", None}
    assert len(people.roster("romeo")) == 0
