"""mod_strangers: what people may send to those who do not know them."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People, kinds
from prosody_py.testing.pubsub import Asking, event_ids

HOSTS = {"localhost": {}, "far.example": {}}
BODY = "<body>Buy!</body>"
INVITES = ["<x xmlns='jabber:x:conference' jid='room@x.lit'/>",
           "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b.example'/></x>"]


@pytest.fixture
def start(start_server):
    """Return a function that gives juliet, and a stranger on another host."""
    crowds = []

    def start(**options):
        running = start_server(["strangers"], hosts=HOSTS, **options)
        crowds.append(People(running))
        people = crowds[-1]
        start.people = people
        return people.login("juliet"), people.login("iago", host="far.example")

    yield start
    for people in crowds:
        people.close()


def send(client, to, inside=BODY, type="chat"):
    """Send a message; return the errors that come back as (type, condition)."""
    client.send(f"<message to='{to}' type='{type}'>{inside}</message>")
    return [found.get_error()[:2] for found in client.flush() if found.name == "message"]


def heard(client):
    return [found for found in client.flush() if found.name == "message"]


BLOCKED, TOO_MUCH = ("cancel", "policy-violation"), ("wait", "policy-violation")


@pytest.mark.parametrize("full", [True, False])
def test_messages_can_be_blocked(start, full):
    juliet, iago = start(strangers_messages="block")
    assert send(iago, juliet.jid if full else juliet.bare_jid) == [BLOCKED]
    assert heard(juliet) == []


def test_messages_are_limited_by_sender(start):
    juliet, iago = start(strangers_limit=2)
    assert [send(iago, juliet.jid) for _ in range(4)] == [[], [], [TOO_MUCH], [TOO_MUCH]]
    assert len(heard(juliet)) == 2
    other = start.people.login("emilia", host="far.example")
    assert send(other, juliet.jid) == []


def test_messages_are_limited_by_domain(start):
    juliet, iago = start(strangers_limit_domain=2)
    other = start.people.login("emilia", host="far.example")
    assert [send(client, juliet.jid) for client in (iago, other, iago, other)] == [
        [], [], [TOO_MUCH], [TOO_MUCH]]


def test_limits_hold_over_a_reload(start):
    juliet, iago = start(strangers_limit=1)
    assert send(iago, juliet.jid) == []
    start.people.server.server.modules.reload("localhost", "strangers")
    assert send(iago, juliet.jid) == [TOO_MUCH]


def test_a_limit_ends_with_its_time(start):
    juliet, iago = start(strangers_limit=1, strangers_period="1 second")
    assert send(iago, juliet.jid) == []
    module = start.people.server.server.modules.get_module("localhost", "strangers")
    ((name, (left, when)),) = module.senders.left.items()
    module.senders.left[name] = (left, when - 2)
    assert send(iago, juliet.jid) == []


@pytest.mark.parametrize("subscription", ["to", "from", "both", "asked"])
def test_contacts_are_no_strangers(start, subscription):
    juliet, iago = start(strangers_messages="block")
    asked = "subscribe" if subscription == "asked" else None
    start.people.set("juliet", iago.bare_jid, "none" if asked else subscription, ask=asked)
    assert send(iago, juliet.jid) == [] and len(heard(juliet)) == 1


def test_who_was_written_to_may_answer(start):
    juliet, iago = start(strangers_messages="block")
    send(juliet, iago.jid)
    assert send(iago, juliet.jid) == []
    start.people.server.server.modules.reload("localhost", "strangers")
    assert send(iago, juliet.jid) == []


def test_rooms_that_one_is_in_are_no_strangers(start):
    juliet, iago = start(strangers_messages="block")
    juliet.send(f"<presence to='{iago.jid}'/>").flush()
    assert send(iago, juliet.jid) == []


@pytest.mark.parametrize(("options", "refused"), [
    ({}, False), ({"strangers_trust_local": False}, True)])
def test_users_of_the_host_are_no_strangers_unless_they_shall_be(start, options, refused):
    juliet, _iago = start(strangers_messages="block", **options)
    local = start.people.login("romeo")
    assert bool(send(local, juliet.jid)) is refused


def test_domains_can_be_trusted(start):
    juliet, iago = start(strangers_messages="block", strangers_trust_domains=["far.example"])
    assert send(iago, juliet.jid) == []


@pytest.mark.parametrize("inside", INVITES)
def test_invitations_have_a_rule_of_their_own(start, inside):
    juliet, iago = start(strangers_invites="block")
    assert send(iago, juliet.jid, inside) == [BLOCKED]
    assert send(iago, juliet.jid) == []
    assert len(heard(juliet)) == 1


@pytest.mark.parametrize(("trusted", "inviter", "errors"), [
    (["far.example"], "eve@spam.example/x", [BLOCKED]), (["far.example"], "romeo@localhost", []),
    ([], "romeo@localhost", [BLOCKED])])
def test_neither_the_room_nor_who_invites_may_be_a_stranger(start, trusted, inviter, errors):
    juliet, iago = start(strangers_invites="block", strangers_trust_domains=trusted)
    invite = f"<x xmlns='http://jabber.org/protocol/muc#user'><invite from='{inviter}'/></x>"
    assert send(iago, juliet.jid, invite) == errors


@pytest.mark.parametrize(("options", "shown"), [
    ({}, True), ({"strangers_subscriptions": "block"}, False),
    ({"strangers_limit": 1, "strangers_messages": "limit"}, False)])
def test_requests_to_become_a_contact_are_dropped(start, options, shown):
    juliet, iago = start(**options)
    if "strangers_limit" in options:
        send(iago, juliet.jid)
    iago.send(f"<presence to='{juliet.bare_jid}' type='subscribe'/>")
    assert kinds(iago.flush()) == []
    assert ((iago.bare_jid, "subscribe") in kinds(juliet.flush())) is shown


@pytest.mark.parametrize(("rule", "answered"), [("allow", True), ("block", False)])
def test_requests_to_clients_have_a_rule(start, rule, answered):
    juliet, iago = start(strangers_requests=rule)
    iago.send(f"<iq to='{juliet.jid}' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>")
    errors = [found for found in iago.flush() if found.attr.get("id") == "q"]
    reached = [found for found in juliet.flush() if found.name == "iq"]
    assert bool(reached) is answered
    if not answered:
        (error,) = errors
        assert error.get_error()[1] == "service-unavailable"


def test_errors_are_let_through(start):
    juliet, iago = start(strangers_messages="block")
    assert send(iago, juliet.jid, "<error type='cancel'/>", "error") == []
    assert len(heard(juliet)) == 1


def test_memory_is_bounded(start):
    juliet, iago = start(strangers_cache_size=100)
    module = start.people.server.server.modules.get_module("localhost", "strangers")
    for number in range(300):
        module.senders.take(str(number), 0.0)
        juliet.send(f"<message to='{number}@nowhere.example'/>")
    juliet.flush()
    assert len(module.senders.left) == 100
    assert len(start.people.session(juliet).extras["spoken_to"]) == 200


# -- what strangers publish ----------------------------------------------------------------------

EVENT = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='news'/></event>"


@pytest.fixture
def publishing(start_server):
    """Return juliet, a stranger on another host, and the stranger's service, with a node."""
    running = start_server(["strangers", "pep", "message"], hosts=HOSTS, strangers_limit=2)
    people = People(running)
    juliet, iago = people.login("juliet"), people.login("iago", host="far.example")
    own = Asking(iago)
    own.create("news", access_model="open")
    yield people, juliet, own
    people.close()


def test_what_one_has_subscribed_to_is_not_counted(publishing):
    people, juliet, own = publishing
    iago = own.client
    Asking(juliet, iago.bare_jid).subscribe("news")
    for id in "abcd":
        own.publish("news", id)
    assert [id for _node, id in event_ids(juliet.flush())] == list("abcd")
    # Also in a session of its own, and after a reload.
    juliet.close()
    juliet = people.login("juliet")
    people.server.server.modules.reload("localhost", "strangers")
    for id in "efgh":
        own.publish("news", id)
    assert [id for _node, id in event_ids(juliet.flush())] == list("efgh")
    # It is no licence for anything else.
    for inside in (BODY, EVENT + BODY):
        assert send(iago, juliet.jid, inside, "chat" if inside == BODY else "normal") == []
    assert send(iago, juliet.jid, EVENT + BODY, "normal") == [TOO_MUCH]
    assert send(iago, juliet.jid, EVENT, "normal") == []
    assert send(iago, juliet.jid, EVENT, "headline") == []


def test_notifications_that_nobody_has_asked_for_are_limited_like_messages(publishing):
    people, juliet, own = publishing
    for _ in range(2):
        assert send(own.client, juliet.jid, EVENT, "headline") == []
    assert send(own.client, juliet.jid, EVENT, "headline") == [TOO_MUCH]
    people.set("juliet", own.client.bare_jid, "to")
    assert send(own.client, juliet.jid, EVENT, "headline") == []


def test_who_has_unsubscribed_has_not_asked(publishing):
    _people, juliet, own = publishing
    asking = Asking(juliet, own.client.bare_jid)
    asking.subscribe("news")
    asking.set(f"<unsubscribe node='news' jid='{juliet.bare_jid}'/>")
    assert [send(own.client, juliet.jid, EVENT, "headline") for _ in range(3)] == [
        [], [], [TOO_MUCH]]


def test_so_many_subscriptions_are_remembered_and_the_oldest_go(publishing):
    people, juliet, _own = publishing
    for number in range(105):
        juliet.send(f"<iq type='set' id='s' to='service{number}.example'><pubsub xmlns="
                    "'http://jabber.org/protocol/pubsub'><subscribe node='a' "
                    f"jid='{juliet.bare_jid}'/></pubsub></iq>")
    juliet.flush()
    module = people.server.server.modules.get_module("localhost", "strangers")
    known = module.subscriptions.services(people.name("juliet"))
    assert len(known) == 100 and "service104.example" in known and "service4.example" not in known
