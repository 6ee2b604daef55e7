"""XEP-0248: nodes in collections."""

from __future__ import annotations

import secrets

import pytest

from prosody_py.pubsub import collections
from prosody_py.pubsub.namespaces import EVENT
from prosody_py.testing.pubsub import OWNER, Asking, error, event_ids, form, values

SHIM = "http://jabber.org/protocol/shim"
IMPOSSIBLE = ("cancel", "not-allowed", "invalid-options")
FULL = ("cancel", "not-allowed", "max-nodes-exceeded")
FORBIDDEN = ("cancel", "forbidden", None)
HOST = "pubsub.localhost"


@pytest.fixture
def blogs(hamlet):
    name = "blogs-" + secrets.token_hex(4)
    hamlet.create(name, node_type="collection")
    return name


@pytest.fixture
def inside(hamlet, blogs, node):
    """Return a leaf in the collection."""
    hamlet.create(node, collection=blogs)
    return node


def subscribe(who, node, **options):
    chosen = f"<options>{form('subscribe_options', options)}</options>" if options else ""
    return who.set(f"<subscribe node='{node}' jid='{who.client.bare_jid}'/>{chosen}")


def heard(who):
    """Return what somebody is told: (collection, kind, node, what is inside)."""
    found = []
    for message in who.client.flush():
        if message.name == "message":
            event = message.get_child("event", EVENT).tags[0]
            headers = message.get_child("headers", SHIM)
            names = {} if headers is None else {
                header.attr["name"]: header.get_text() for header in headers.tags}
            things = [thing.attr.get("id") or thing.attr.get("node") or thing.name
                      for thing in event.tags]
            found.append((names.get("Collection"), event.name, event.attr["node"], things))
    return found


def move(collection, word, node):
    return f"<collection node='{collection}'><{word} node='{node}'/></collection>"


def config(who, node):
    return values(who.get(f"<configure node='{node}'/>", owner=True).tags[0])


def listed(who, node=None):
    attr = f" node='{node}'" if node else ""
    query = f"<query xmlns='http://jabber.org/protocol/disco#items'{attr}/>"
    return [item.attr.get("node") for item in who.client.iq("get", query, HOST).tags[0].tags]


def test_items_come_by_the_collection(hamlet, francisco, blogs, inside):
    subscribe(francisco, blogs, subscription_type="items", subscription_depth="all")
    hamlet.publish(inside, "a")
    hamlet.set(f"<retract node='{inside}' notify='1'><item id='a'/></retract>")
    hamlet.set(f"<purge node='{inside}'/>", owner=True)
    assert heard(francisco) == [(blogs, "items", inside, ["a"]), (blogs, "items", inside, ["a"]),
                                (blogs, "purge", inside, [])]
    hamlet.set(move(blogs, "dissociate", inside), owner=True)
    hamlet.publish(inside, "b")
    assert heard(francisco) == []  # it wants items, not nodes


def test_nodes_come_and_go(hamlet, francisco, blogs, node):
    subscribe(francisco, blogs)
    hamlet.create(node, collection=blogs)
    hamlet.publish(node, "a")
    hamlet.configure(node, notify_config="1", deliver_payloads="0")
    hamlet.set(move(blogs, "dissociate", node), owner=True)
    hamlet.set(move(blogs, "associate", node), owner=True)
    hamlet.configure(node, collection="")
    hamlet.configure(node, collection=blogs)
    hamlet.set(f"<delete node='{node}'/>", owner=True)
    told = [entry for entry in heard(francisco)]
    assert [entry for entry in told if entry[1] != "configuration"] == [
        (blogs, "create", node, []), (None, "collection", blogs, [node]),
        (None, "collection", blogs, [node]), (None, "collection", blogs, [node]),
        (None, "collection", blogs, [node]), (blogs, "delete", node, [])]
    assert (blogs, "configuration", node, []) in told


def test_depth_and_type(hamlet, francisco, person, blogs, inside):
    top = "top-" + secrets.token_hex(4)
    hamlet.create(top, node_type="collection", children=[blogs])
    deep, near, nodes = (person(name) for name in ("bernardo", "marcellus", "barnardine"))
    subscribe(nodes, top)  # nodes, one level deep
    subscribe(francisco, top, subscription_type="all", subscription_depth="2")
    subscribe(deep, top, subscription_type="items", subscription_depth="all")
    subscribe(near, top, subscription_type="items", subscription_depth="1")
    hamlet.publish(inside, "a")
    assert heard(francisco) == heard(deep) == [(top, "items", inside, ["a"])]
    assert heard(near) == []
    hamlet.set(move(blogs, "dissociate", inside), owner=True)
    assert heard(francisco) == [(top, "collection", blogs, [inside])]
    assert heard(deep) == heard(nodes) == []


def test_who_is_told_already_is_not_told_again(hamlet, francisco, blogs, inside):
    subscribe(francisco, blogs, subscription_type="all")
    subscribe(francisco, inside)
    hamlet.publish(inside, "a")
    assert heard(francisco) == [(None, "items", inside, ["a"])]


def test_an_open_collection_opens_nothing_else(hamlet, francisco, blogs, inside):
    subscribe(francisco, blogs, subscription_type="all", subscription_depth="all")
    hamlet.configure(inside, access_model="whitelist")
    heard(francisco)
    hamlet.publish(inside, "a")
    assert heard(francisco) == [] and listed(francisco, blogs) == []
    hamlet.set(f"<affiliations node='{inside}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='member'/></affiliations>", owner=True)
    hamlet.publish(inside, "b")
    assert heard(francisco) == [(blogs, "items", inside, ["b"])]
    assert listed(francisco, blogs) == [inside]


def test_one_subscription_of_a_type(hamlet, francisco, blogs):
    subscribe(francisco, blogs, subscription_type="items")
    subscribe(francisco, blogs, subscription_type="nodes")
    again = (f"<subscribe node='{blogs}' jid='{francisco.client.bare_jid}'/><options>"
             + form("subscribe_options", {"subscription_type": "items",
                                          "subscription_depth": "all"}) + "</options>")
    assert francisco.refused("set", again) == ("cancel", "conflict", None)
    assert len(francisco.get(f"<subscriptions node='{blogs}'/>").tags) == 2


@pytest.mark.parametrize("wrong", [{"subscription_type": "all of it"},
                                   {"subscription_depth": "-1"}, {"subscription_depth": "deep"}])
def test_subscriptions_that_cannot_be(francisco, blogs, wrong):
    assert francisco.refused(
        "set", f"<subscribe node='{blogs}' jid='{francisco.client.bare_jid}'/>"
        f"<options>{form('subscribe_options', wrong)}</options>")[2] == "invalid-options"


def test_options_are_those_of_collections(francisco, blogs, made):
    found = values(francisco.get(f"<default node='{blogs}'/>").tags[0])
    assert found["subscription_type"] == ["nodes"] and found["subscription_depth"] == ["1"]
    assert "digest" not in found
    assert "subscription_type" not in values(francisco.get(f"<default node='{made}'/>").tags[0])


def test_the_tree_can_be_seen(hamlet, francisco, blogs, inside):
    assert blogs in listed(francisco) and inside not in listed(francisco)
    assert listed(francisco, blogs) == [inside]
    query = f"<query xmlns='http://jabber.org/protocol/disco#info' node='{blogs}'/>"
    info = francisco.client.iq("get", query, HOST).tags[0]
    assert info.get_child("identity").attr["type"] == "collection"
    of_blogs, of_inside = config(hamlet, blogs), config(hamlet, inside)
    assert (of_blogs["node_type"], of_blogs["children"]) == (["collection"], [inside])
    assert (of_inside["node_type"], of_inside["collection"]) == (["leaf"], [blogs])
    assert "max_items" not in of_blogs and "children_max" not in of_inside
    default = values(hamlet.get("<default type='collection'/>", owner=True).tags[0])
    hamlet.configure(blogs, access_model="whitelist")
    assert blogs not in listed(francisco)  # who does not see the collection sees what is in it
    assert inside in listed(francisco) and inside not in listed(hamlet)
    assert default["node_type"] == ["collection"] and default[
        "children_association_policy"] == ["owners"]


def test_children_are_what_the_configuration_says(hamlet, blogs):
    names = [f"{blogs}-{n}" for n in range(3)]
    for name in names:
        hamlet.create(name)
    hamlet.configure(blogs, children=names[:2])
    hamlet.configure(blogs, children=names[1:])
    assert config(hamlet, blogs)["children"] == names[1:]
    assert config(hamlet, names[0]).get("collection") in (None, [])
    hamlet.configure(blogs, title="T")  # which says nothing of children
    assert config(hamlet, blogs)["children"] == names[1:]


def test_collections_have_no_items(hamlet, francisco, blogs, made):
    item = "<item id='a'><x xmlns='urn:example:x'/></item>"
    for type, request, owner in (
            ("set", f"<publish node='{blogs}'>{item}</publish>", False),
            ("set", f"<publish node='{blogs}'/>", False),
            ("get", f"<items node='{blogs}'/>", False),
            ("set", f"<retract node='{blogs}'><item id='a'/></retract>", False),
            ("set", f"<purge node='{blogs}'/>", True)):
        assert hamlet.refused(type, request, owner) == (
            "cancel", "feature-not-implemented", "unsupported")
    hamlet.publish(made, "a")
    hamlet.configure(made, node_type="collection")  # and its items are gone
    assert hamlet.refused("get", f"<items node='{made}'/>")[1] == "feature-not-implemented"
    assert hamlet.refused("set", f"<configure node='{made}'>"
                          f"{form('node_config', {'node_type': 'leaf'})}</configure>",
                          True) == IMPOSSIBLE


def test_trees_that_cannot_be(hamlet, blogs, inside):
    other = "other-" + secrets.token_hex(4)
    hamlet.create(other, node_type="collection", collection=blogs)

    def configured(node, **fields):
        return hamlet.refused("set", f"<configure node='{node}'>{form('node_config', fields)}"
                              "</configure>", True)

    assert configured(other, collection=inside) == IMPOSSIBLE  # in a leaf
    assert configured(inside, children=[other]) == IMPOSSIBLE
    for node, parent in ((blogs, blogs), (blogs, other)):  # in itself
        assert configured(node, collection=parent) == IMPOSSIBLE
        assert configured(parent, children=[node]) == IMPOSSIBLE
        assert hamlet.refused("set", move(parent, "associate", node), True) == IMPOSSIBLE
    assert configured(inside, collection="missing")[1] == "item-not-found"
    assert hamlet.refused("set", move(other, "dissociate", inside), True) == (
        "modify", "bad-request", None)
    for wrong in ("<collection node='{0}'/>",
                  "<collection node='{0}'><associate node='x'/><associate node='y'/></collection>"):
        assert hamlet.refused("set", wrong.format(blogs), True)[1] == "bad-request"


def test_a_tree_has_bounds(hamlet, blogs, monkeypatch):
    monkeypatch.setattr(collections, "MAX_DEPTH", 2)
    for name, parent in (("b", blogs), ("c", f"{blogs}-b")):
        hamlet.create(f"{blogs}-{name}", node_type="collection", collection=parent)
    too_high = (f"<create node='x'/><configure>"
                f"{form('node_config', {'collection': f'{blogs}-c'})}</configure>")
    assert hamlet.refused("set", too_high) == IMPOSSIBLE
    hamlet.create(f"{blogs}-top", node_type="collection")
    for request in (move(f"{blogs}-top", "associate", blogs),
                    f"<configure node='{blogs}-top'>"
                    f"{form('node_config', {'children': [blogs]})}</configure>"):
        assert hamlet.refused("set", request, True) == IMPOSSIBLE
    monkeypatch.setattr(collections, "MAX_MOVED", 1)
    assert hamlet.refused("set", f"<configure node='{blogs}-c'>"
                          f"{form('node_config', {'children': ['x', 'y']})}</configure>", True
                          ) == ("modify", "not-acceptable", None)
    hamlet.configure(blogs, children_max="1")
    hamlet.create(f"{blogs}-d")
    for request in (move(blogs, "associate", f"{blogs}-d"),
                    f"<configure node='{blogs}'>"
                    f"{form('node_config', {'children': ['x', 'y']})}</configure>"):
        assert hamlet.refused("set", request, True) == FULL


@pytest.mark.parametrize(("policy", "may"), [
    ("owners", False), ("all", True), ("whitelist", False), ("listed", True)])
def test_who_adds_to_a_collection(start_server, policy, may):
    running = start_server(["presence"], admins=["hamlet@localhost"], components={
        HOST: {"module": "pubsub", "pubsub_create_nodes": "accounts"}})
    hamlet, francisco = (Asking(running.client(name).available(), HOST)
                         for name in ("hamlet", "francisco"))
    listed = {"children_association_whitelist": ["francisco@localhost"]} if policy == "listed" \
        else {}
    hamlet.create("blogs", node_type="collection", **listed,
                  children_association_policy=policy.replace("listed", "whitelist")
                  if policy == "listed" else policy)
    francisco.create("own")
    answer = francisco.ask("set", move("blogs", "associate", "own"), OWNER)
    assert answer.attr["type"] == "result" if may else error(answer) == FORBIDDEN
    hamlet.create("hamlets", collection="blogs")
    for word in ("associate", "dissociate"):  # it is somebody else's
        assert francisco.refused("set", move("blogs", word, "hamlets"), True) == FORBIDDEN
    if may:
        francisco.set(move("blogs", "dissociate", "own"), owner=True)
        hamlet.set("<affiliations node='blogs'><affiliation jid='francisco@localhost' "
                   "affiliation='owner'/></affiliations>", owner=True)
        francisco.set(move("blogs", "dissociate", "hamlets"), owner=True)


def test_a_collection_that_goes_leaves_its_nodes(hamlet, francisco, blogs, inside):
    subscribe(francisco, blogs)
    hamlet.set(f"<delete node='{blogs}'/>", owner=True)
    assert heard(francisco) == [(None, "delete", blogs, [])]
    assert config(hamlet, inside).get("collection") in (None, [])
    hamlet.create(blogs, node_type="collection")  # another one, and not theirs
    assert "children" not in config(hamlet, blogs) or config(hamlet, blogs)["children"] == []
    subscribe(francisco, blogs, subscription_type="items")
    hamlet.publish(inside, "a")
    assert event_ids(francisco.client.flush()) == []


def test_trees_survive_a_restart(tmp_path, launch):
    for step in range(2):
        running = launch(tmp_path, ["presence"], storage="sqlite", admins=["hamlet@localhost"],
                         components={HOST: {"module": "pubsub", "modules_enabled": ["disco"]}})
        try:
            hamlet = Asking(running.client("hamlet").available(), HOST)
            if step == 0:
                hamlet.create("blogs", node_type="collection")
                hamlet.create("leaf", collection="blogs")
                subscribe(hamlet, "blogs", subscription_type="items")
            hamlet.publish("leaf", "a")
            assert heard(hamlet) == [("blogs", "items", "leaf", ["a"])]
            assert listed(hamlet, "blogs") == ["leaf"]
        finally:
            running.stop()
