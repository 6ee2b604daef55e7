"""XEP-0060 section 5: what anybody finds out about a service."""

from __future__ import annotations

import pytest

from prosody_py.pubsub.namespaces import META_DATA, PUBSUB
from prosody_py.testing.pubsub import form, values

pytestmark = pytest.mark.twins("pubsub")

OURS = pytest.mark.ours_alone("Debian's has not got it")
INFO, ITEMS = (f"http://jabber.org/protocol/disco#{name}" for name in ("info", "items"))


def disco(asking, xmlns, node=None):
    attribute = f" node='{node}'" if node else ""
    return asking.client.iq("get", f"<query xmlns='{xmlns}'{attribute}/>", asking.to)


def test_features(francisco):
    query = disco(francisco, INFO).tags[0]
    assert ("pubsub", "service") in [(tag.attr["category"], tag.attr["type"])
                                     for tag in query.childtags("identity")]
    features = {tag.attr["var"] for tag in query.childtags("feature")}
    assert PUBSUB in features
    assert {PUBSUB + "#" + name for name in (
        "access-open", "config-node", "create-and-configure", "create-nodes", "delete-items",
        "delete-nodes", "instant-nodes", "item-ids", "member-affiliation", "meta-data",
        "modify-affiliations", "multi-items", "outcast-affiliation", "persistent-items", "publish",
        "publish-options", "publisher-affiliation", "purge-nodes", "retract-items",
        "retrieve-default", "retrieve-items", "retrieve-subscriptions", "subscribe",
        "subscription-options")} <= features


def test_nodes_are_listed(hamlet, francisco, node):
    hamlet.create(node, title="Letters")
    (item,) = [tag for tag in disco(francisco, ITEMS).tags[0].tags if tag.attr["node"] == node]
    assert (item.attr["jid"], item.attr["name"]) == (francisco.to, "Letters")


@OURS
def test_what_may_not_be_seen_is_not_listed(hamlet, francisco, node):
    hamlet.create(node, access_model="whitelist")
    assert node not in [tag.attr["node"] for tag in disco(francisco, ITEMS).tags[0].tags]
    assert node in [tag.attr["node"] for tag in disco(hamlet, ITEMS).tags[0].tags]
    assert disco(francisco, INFO, node).get_error()[1] == "item-not-found"
    assert disco(francisco, ITEMS, node).get_error()[1] == "item-not-found"


def test_a_node_tells_what_it_is(hamlet, francisco, node):
    hamlet.create(node, title="Musings", description="Of Hamlet", type="urn:example:x")
    query = disco(francisco, INFO, node).tags[0]
    assert query.attr["node"] == node
    identity = query.get_child("identity")
    assert (identity.attr["category"], identity.attr["type"]) == ("pubsub", "leaf")
    form = values(query.get_child("x", "jabber:x:data"))
    assert form["FORM_TYPE"] == [META_DATA]
    assert form["title"] == ["Musings"] and form["description"] == ["Of Hamlet"]
    assert form["type"] == ["urn:example:x"]
    assert form["access_model"] == ["open"] and form["publish_model"] == ["publishers"]


@OURS
def test_a_node_tells_where_it_is_from(hamlet, francisco, made):
    francisco.subscribe(made)
    form = values(disco(francisco, INFO, made).tags[0].get_child("x", "jabber:x:data"))
    assert form["owner"] == form["creator"] == ["hamlet@localhost"]
    assert form["num_subscribers"] == ["1"] and form["creation_date"][0].endswith("Z")


def test_items_are_listed(hamlet, francisco, made):
    for id in "ab":
        hamlet.publish(made, id)
    items = disco(francisco, ITEMS, made).tags[0].tags
    assert {item.attr["name"] for item in items} == {"a", "b"}
    assert all("node" not in item.attr for item in items)


def test_unknown_nodes_are_not_found(francisco):
    for xmlns in (INFO, ITEMS):
        assert disco(francisco, xmlns, "missing").get_error()[1] == "item-not-found"


def test_subscriptions(hamlet, francisco, made):
    assert francisco.get("<subscriptions/>").tags == []
    francisco.subscribe(made)
    francisco.subscribe(made, francisco.client.jid)
    hamlet.create(made + "2")
    francisco.subscribe(made + "2")
    found = {(tag.attr["node"], tag.attr["jid"], tag.attr["subscription"])
             for tag in francisco.get("<subscriptions/>").tags}
    bare = francisco.client.bare_jid
    assert found == {(made, bare, "subscribed"), (made, francisco.client.jid, "subscribed"),
                     (made + "2", bare, "subscribed")}
    of_node = francisco.get(f"<subscriptions node='{made}2'/>").tags
    assert [tag.attr["node"] for tag in of_node] == [made + "2"]


@OURS
def test_affiliations(hamlet, francisco, made):
    assert francisco.get("<affiliations/>").tags == []
    hamlet.set(f"<affiliations node='{made}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='publisher'/></affiliations>", owner=True)
    for inside in ("<affiliations/>", f"<affiliations node='{made}'/>"):
        (found,) = francisco.get(inside).tags
        assert (found.attr["node"], found.attr["affiliation"]) == (made, "publisher")
    assert francisco.refused("get", "<affiliations node='missing'/>")[1] == "item-not-found"


def test_nonsense_is_refused(francisco, made):
    assert francisco.client.iq("set", f"<pubsub xmlns='{PUBSUB}'/>",
                               francisco.to).get_error()[1] == "bad-request"


@OURS
def test_metadata_name_people(hamlet, francisco, node):
    hamlet.create(node, contact=["bard@localhost", "will@localhost"], title="Musings")
    hamlet.set(f"<affiliations node='{node}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='publisher'/><affiliation jid='press@localhost' "
               "affiliation='publish-only'/></affiliations>", owner=True)
    query = f"<query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/>"
    found = values(francisco.client.iq("get", query, francisco.to).tags[0].get_child(
        "x", "jabber:x:data"))
    assert found["contact"] == ["bard@localhost", "will@localhost"]
    assert found["publisher"] == [francisco.client.bare_jid, "press@localhost"]
    assert found["owner"] == found["creator"] == [hamlet.client.bare_jid]
    assert found["title"] == ["Musings"] and found["num_subscribers"] == ["0"]
    assert hamlet.refused("set", f"<configure node='{node}'>"
                          f"{form('node_config', {'contact': '@'})}</configure>", True)[1] == \
        "not-acceptable"
