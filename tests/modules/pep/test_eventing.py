"""XEP-0163: what accounts publish comes to those who may know and want to."""

from __future__ import annotations

import pytest

from prosody_py.pubsub.namespaces import PUBSUB
from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids, events, payload

pytestmark = pytest.mark.twins("pep", "pubsub")

TUNE, MOOD = "http://jabber.org/protocol/tune", "http://jabber.org/protocol/mood"
OURS = pytest.mark.ours_alone("Debian's does it otherwise")


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["pep", "presence"])
    yield server
    server.stop()


@pytest.fixture
def people(server):
    people = People(server)
    yield people
    people.close()


@pytest.fixture
def friends(people):
    """Return juliet and romeo, who see each other, and juliet's service."""
    people.befriend("juliet", "romeo")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    juliet.flush(), romeo.flush()
    return juliet, romeo, Asking(juliet)


@OURS
def test_contacts_who_want_to_know_are_told(friends):
    juliet, romeo, own = friends
    Wanting(TUNE).announce(romeo)
    own.publish(TUNE, "a")
    own.publish(MOOD, "b")
    (element,) = [element for element in romeo.flush() if element.name == "message"]
    assert (element.attr["from"], element.attr["to"]) == (juliet.bare_jid, romeo.jid)
    assert element.attr["type"] == "headline" and element.attr["id"]
    (event,) = events([element])
    assert event.attr["node"] == TUNE
    (item,) = event.tags
    assert item.attr["id"] == "a" and item.get_child_text("x", "urn:example:x") == "a"


def test_the_last_item_comes_with_the_first_presence(friends):
    _juliet, romeo, own = friends
    own.publish(TUNE, "a")
    own.publish(TUNE, "b")
    assert set(event_ids(Wanting(TUNE).announce(romeo))) == {(TUNE, "b")}


@OURS
def test_the_last_item_says_when_it_was_published(friends):
    _juliet, romeo, own = friends
    own.publish(TUNE, "a")
    got = Wanting(TUNE).announce(romeo)
    (message,) = [element for element in got if element.name == "message"]
    assert message.get_child("delay", "urn:xmpp:delay").attr["stamp"].endswith("Z")


def test_further_presence_brings_nothing_twice(friends):
    _juliet, romeo, own = friends
    own.publish(TUNE, "a")
    wanting = Wanting(TUNE)
    assert len(event_ids(wanting.announce(romeo))) == 1
    assert event_ids(wanting.announce(romeo)) == []


def test_a_client_that_comes_to_want_more_gets_that(friends):
    _juliet, romeo, own = friends
    own.publish(TUNE, "a")
    own.publish(MOOD, "b")
    Wanting(TUNE).announce(romeo)
    assert (MOOD, "b") in event_ids(Wanting(TUNE, MOOD).announce(romeo))


@OURS
def test_and_nothing_but_that(friends):
    _juliet, romeo, own = friends
    own.publish(TUNE, "a")
    own.publish(MOOD, "b")
    Wanting(TUNE).announce(romeo)
    assert event_ids(Wanting(TUNE, MOOD).announce(romeo)) == [(MOOD, "b")]
    assert event_ids(Wanting(TUNE).announce(romeo)) == []


def test_own_resources_are_told_too(people):
    balcony, chamber = people.login("juliet", "balcony"), people.login("juliet", "chamber")
    Wanting(TUNE).announce(balcony), Wanting(TUNE).announce(chamber)
    Asking(balcony).publish(TUNE, "a")
    assert event_ids(balcony.flush()) == event_ids(chamber.flush()) == [(TUNE, "a")]
    late = people.login("juliet", "late", available=False)
    assert event_ids(Wanting(TUNE).announce(late)) == [(TUNE, "a")]


def test_strangers_learn_nothing(people, friends):
    juliet, _romeo, own = friends
    tybalt = people.login("tybalt")
    Wanting(TUNE).announce(tybalt)
    own.publish(TUNE, "a")
    assert event_ids(tybalt.flush()) == []
    answer = Asking(tybalt, juliet.bare_jid).ask("get", f"<items node='{TUNE}'/>")
    assert answer.attr["type"] == "error"


@OURS
def test_strangers_are_told_why(people, friends):
    juliet, romeo, own = friends
    tybalt = Asking(people.login("tybalt"), juliet.bare_jid)
    for model, error in (
            ("presence", ("auth", "not-authorized", "presence-subscription-required")),
            ("roster", ("auth", "not-authorized", "not-in-roster-group")),
            ("whitelist", ("cancel", "not-allowed", "closed-node")),
            ("authorize", ("auth", "not-authorized", "not-subscribed"))):
        own.create(model, access_model=model)
        assert tybalt.refused("get", f"<items node='{model}'/>") == error
    own.create("open", access_model="open")
    assert tybalt.items("open") == []


def test_contacts_can_read(friends):
    juliet, romeo, own = friends
    own.publish(TUNE, "a")
    assert Asking(romeo, juliet.bare_jid).items(TUNE) == ["a"]


def test_only_the_owner_publishes(friends):
    juliet, romeo, own = friends
    own.publish(TUNE, "a")
    for inside in (f"<publish node='{TUNE}'><item id='b'>{payload()}</item></publish>",
                   f"<publish node='new'><item id='b'>{payload()}</item></publish>",
                   f"<retract node='{TUNE}'><item id='a'/></retract>", "<create node='new'/>"):
        assert Asking(romeo, juliet.bare_jid).refused("set", inside)[1] == "forbidden"
    assert own.items(TUNE) == ["a"]


@OURS
def test_when_a_subscription_ends_so_do_the_events(people, friends):
    juliet, romeo, own = friends
    Wanting(TUNE).announce(romeo)
    own.publish(TUNE, "a")
    assert event_ids(romeo.flush()) == [(TUNE, "a")]
    juliet.send(f"<presence type='unsubscribed' to='{romeo.bare_jid}'/>").flush()
    own.publish(TUNE, "b")
    assert event_ids(romeo.flush()) == []
    assert Asking(romeo, juliet.bare_jid).refused("get", f"<items node='{TUNE}'/>")[1] == \
        "not-authorized"


@OURS
def test_who_becomes_a_contact_gets_the_last_items(people):
    juliet, romeo = people.login("juliet"), people.login("romeo")
    Asking(juliet).publish(TUNE, "a")
    Wanting(TUNE).announce(romeo)
    for asker, answerer in ((romeo, juliet), (juliet, romeo)):
        asker.send(f"<presence type='subscribe' to='{answerer.bare_jid}'/>").flush()
        answerer.send(f"<presence type='subscribed' to='{asker.bare_jid}'/>").flush()
    assert (TUNE, "a") in event_ids(romeo.flush())


@OURS
def test_roster_groups_decide(people, friends):
    juliet, romeo, own = friends
    Wanting(TUNE).announce(romeo)
    own.create(TUNE, access_model="roster", roster_groups_allowed=["Friends"])
    own.publish(TUNE, "a")
    assert event_ids(romeo.flush()) == []
    juliet.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{romeo.bare_jid}'>"
              "<group>Friends</group></item></query>")
    assert event_ids([romeo.message()]) == [(TUNE, "a")]  # which may be seen only now
    own.publish(TUNE, "b")
    assert event_ids(romeo.flush()) == [(TUNE, "b")]


def test_a_whitelist_is_for_members(people, friends):
    juliet, romeo, own = friends
    own.publish(TUNE, "a", access_model="whitelist")
    Wanting(TUNE).announce(romeo)
    assert event_ids(romeo.flush()) == []
    own.set(f"<affiliations node='{TUNE}'><affiliation jid='{romeo.bare_jid}' "
            "affiliation='member'/></affiliations>", owner=True)
    assert Asking(romeo, juliet.bare_jid).items(TUNE) == ["a"]


def test_retractions_and_deletions_are_told(friends):
    _juliet, romeo, own = friends
    Wanting(TUNE).announce(romeo)
    own.publish(TUNE, "a")
    own.set(f"<retract node='{TUNE}' notify='true'><item id='a'/></retract>")
    own.set(f"<delete node='{TUNE}'/>", owner=True)
    published, retracted, deleted = events(romeo.flush())
    assert (retracted.name, retracted.tags[0].name, retracted.tags[0].attr["id"]) == (
        "items", "retract", "a")
    assert (deleted.name, deleted.attr["node"]) == ("delete", TUNE)


def test_an_account_is_a_service(people, friends):
    juliet, romeo, own = friends
    own.publish(TUNE, "a")
    own.publish("secret", "a", access_model="whitelist")
    info = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    assert ("pubsub", "pep") in [(tag.attr["category"], tag.attr["type"])
                                 for tag in info.childtags("identity")]
    features = {tag.attr["var"].removeprefix(PUBSUB + "#") for tag in info.childtags("feature")}
    assert {"access-presence", "auto-create", "auto-subscribe", "config-node",
            "create-and-configure", "create-nodes", "filtered-notifications", "persistent-items",
            "publish", "retrieve-items", "subscribe", "publish-options"} <= features
    for client, wanted in ((juliet, {TUNE, "secret"}), (romeo, {TUNE})):
        listed = client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>",
                           juliet.bare_jid).tags[0]
        nodes = {tag.attr["node"] for tag in listed.tags if "node" in tag.attr}
        assert nodes >= wanted if client is juliet else nodes == wanted or nodes >= wanted
