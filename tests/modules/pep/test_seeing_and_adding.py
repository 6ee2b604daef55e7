"""Who sees a node since its access model was opened, and whom an account may subscribe."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids, events, form

NODE = "urn:example:node"


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
    """Return juliet's service, and romeo, who wants to know of the node."""
    people.befriend("juliet", "romeo")
    own, romeo = Asking(people.login("juliet")), people.login("romeo")
    Wanting(NODE).announce(romeo)
    return own, romeo


def test_who_sees_a_node_only_now_gets_its_last_item(friends):
    own, romeo = friends
    own.publish(NODE, "a", access_model="whitelist")
    assert event_ids(romeo.flush()) == []
    own.configure(NODE, access_model="presence")
    (message,) = [each for each in romeo.flush() if each.name == "message"]
    assert event_ids([message]) == [(NODE, "a")]
    assert message.get_child("delay", "urn:xmpp:delay") is not None
    own.configure(NODE, access_model="open")  # who has seen it before gets nothing again
    own.configure(NODE, title="T", access_model="open")
    assert event_ids(romeo.flush()) == []


def test_it_is_not_sent_where_no_last_items_are(friends):
    own, romeo = friends
    own.publish(NODE, "a", access_model="whitelist", send_last_published_item="never")
    own.configure(NODE, access_model="presence")
    assert event_ids(romeo.flush()) == []


def test_a_group_that_may_see_a_node_gets_its_last_item(friends, people):
    own, romeo = friends
    own.publish(NODE, "a", access_model="roster")
    assert event_ids(romeo.flush()) == []
    own.client.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{romeo.bare_jid}'>"
                  "<group>friends</group></item></query>")
    own.configure(NODE, roster_groups_allowed="friends")
    assert event_ids(romeo.flush()) == [(NODE, "a")]


def subscribed(own, jid):
    return own.ask("set", f"<subscriptions node='{NODE}'><subscription jid='{jid}' "
                   "subscription='subscribed'/></subscriptions>",
                   "http://jabber.org/protocol/pubsub#owner")


def test_accounts_subscribe_contacts_and_nobody_else(friends, people):
    own, romeo = friends
    nurse = people.login("nurse")
    own.publish(NODE, "a", access_model="open")
    romeo.flush()
    answer = subscribed(own, nurse.bare_jid)
    assert answer.get_error()[1] == "not-acceptable"
    (failed,) = answer.tags[0].tags[0].tags
    assert (failed.attr["jid"], failed.attr["subscription"]) == (nurse.bare_jid, "none")
    assert own.refused("set", f"<subscribe node='{NODE}' jid='{nurse.bare_jid}'/>") == (
        "auth", "forbidden", None)
    assert subscribed(own, romeo.bare_jid).attr["type"] == "result"
    own.publish(NODE, "b")
    assert events(nurse.flush()) == []
    assert "b" in [id for _node, id in event_ids(romeo.flush())]


def test_several_subscriptions_and_what_is_not_offered(friends, people):
    own, _romeo = friends
    nurse = Asking(people.login("nurse"), own.client.bare_jid)
    own.publish(NODE, "a", access_model="open")
    jid = nurse.client.bare_jid
    for fields in ({}, {"digest": "1"}):
        nurse.set(f"<subscribe node='{NODE}' jid='{jid}'/>"
                  f"<options>{form('subscribe_options', fields)}</options>")
    subids = [each.attr["subid"] for each in nurse.get("<subscriptions/>").tags]
    nurse.client.flush()
    own.publish(NODE, "b")
    (message,) = [each for each in nurse.client.flush() if each.name == "message"]
    (header,) = message.get_child("headers", "http://jabber.org/protocol/shim").tags
    assert header.get_text() == subids[0]
    x = nurse.get(f"<default node='{NODE}'/>").tags[0]
    assert {field.attr["var"] for field in x.tags} == {"FORM_TYPE"} | {
        "pubsub#" + name for name in ("deliver", "digest", "digest_frequency", "expire")}
    x = own.get(f"<configure node='{NODE}'/>", owner=True).tags[0]
    assert not {"pubsub#tempsub", "pubsub#presence_based_delivery"} & {
        field.attr["var"] for field in x.childtags("field")}


def test_collections_are_not_there(friends):
    own, _romeo = friends
    own.publish(NODE, "a")
    unsupported = ("cancel", "feature-not-implemented", "unsupported")
    for inside in (f"<collection node='{NODE}'><associate node='x'/></collection>",
                   f"<associate node='{NODE}'/>"):
        assert own.refused("set", inside, True) == unsupported
    assert own.refused("get", "<default type='collection'/>", True) == unsupported
    own.configure(NODE, node_type="collection", title="T")
    own.publish(NODE, "b")
    assert own.items(NODE) == ["b"]
