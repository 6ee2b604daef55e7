"""XEP-0060 section 6: subscribing, options of subscriptions, and retrieving items."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import event_ids, events, form, payload, values

pytestmark = pytest.mark.twins("pubsub")

OURS = pytest.mark.ours_alone("Debian's does not say it like the XEP, or has not got it")


# -- subscribe -------------------------------------------------------------------------------


def test_a_subscriber_is_told(hamlet, francisco, made):
    assert francisco.subscribe(made) == "subscribed"
    hamlet.publish(made, "a")
    (message,) = [element for element in francisco.client.flush() if element.name == "message"]
    assert (message.attr["from"], message.attr["to"]) == (francisco.to, francisco.client.bare_jid)
    assert event_ids([message]) == [(made, "a")]


def test_subscribing_again_changes_nothing(hamlet, francisco, made):
    assert [francisco.subscribe(made) for _ in range(2)] == ["subscribed"] * 2
    hamlet.publish(made, "a")
    assert event_ids(francisco.client.flush()) == [(made, "a")]


@OURS
def test_somebody_else_cannot_be_subscribed(francisco, made):
    assert francisco.refused("set", f"<subscribe node='{made}' jid='bernardo@localhost'/>") == (
        "modify", "bad-request", "invalid-jid")


@OURS
def test_an_address_is_needed(francisco, made):
    assert francisco.refused("set", f"<subscribe node='{made}'/>") == (
        "modify", "bad-request", "jid-required")
    assert francisco.refused("set", f"<subscribe node='{made}' jid='@'/>") == (
        "modify", "bad-request", "invalid-jid")


@OURS
@pytest.mark.parametrize(("model", "error"), [
    ("presence", ("auth", "not-authorized", "presence-subscription-required")),
    ("roster", ("auth", "not-authorized", "not-in-roster-group")),
    ("whitelist", ("cancel", "not-allowed", "closed-node")),
])
def test_access_models_keep_strangers_out(hamlet, francisco, node, model, error):
    hamlet.create(node, access_model=model)
    assert francisco.refused(
        "set", f"<subscribe node='{node}' jid='{francisco.client.bare_jid}'/>") == error
    assert francisco.refused("get", f"<items node='{node}'/>") == error


@OURS
def test_contacts_of_an_owner_may_subscribe(hamlet, people, francisco, node):
    owner = people.jid("polonius")
    people.set("polonius", francisco.client.bare_jid, "from")
    hamlet.create(node, access_model="presence")
    hamlet.set(f"<affiliations node='{node}'><affiliation jid='{owner}' affiliation='owner'/>"
               "</affiliations>", owner=True)
    assert francisco.subscribe(node) == "subscribed"
    hamlet.publish(node, "a")
    assert event_ids(francisco.client.flush()) == [(node, "a")]
    people.set("polonius", francisco.client.bare_jid, "none")  # and not any longer
    hamlet.publish(node, "b")
    got = francisco.client.flush()
    assert event_ids(got) == []
    assert [event.attr["subscription"] for event in events(got)] == ["none"]


def test_members_may_subscribe_where_there_is_a_whitelist(hamlet, francisco, node):
    hamlet.create(node, access_model="whitelist")
    hamlet.set(f"<affiliations node='{node}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='member'/></affiliations>", owner=True)
    assert francisco.subscribe(node) == "subscribed"
    assert francisco.items(node) == []


def test_outcasts_are_kept_out(hamlet, francisco, made):
    francisco.subscribe(made)
    hamlet.set(f"<affiliations node='{made}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='outcast'/></affiliations>", owner=True)
    for type, inside in (("set", f"<subscribe node='{made}' jid='{francisco.client.bare_jid}'/>"),
                         ("get", f"<items node='{made}'/>")):
        assert francisco.refused(type, inside) == ("auth", "forbidden", None)
    francisco.client.flush()
    hamlet.publish(made, "a")
    assert event_ids(francisco.client.flush()) == []


@OURS
def test_a_node_can_have_no_subscriptions(hamlet, francisco, node):
    hamlet.create(node, subscribe="false")
    answer = francisco.ask("set", f"<subscribe node='{node}' jid='{francisco.client.bare_jid}'/>")
    extra = answer.get_error()[3]
    assert (answer.get_error()[1], extra.name, extra.attr["feature"]) == (
        "feature-not-implemented", "unsupported", "subscribe")


@OURS
def test_nodes_that_do_not_exist(francisco):
    jid = francisco.client.bare_jid
    for type, inside in (
            ("set", f"<subscribe node='missing' jid='{jid}'/>"),
            ("set", f"<unsubscribe node='missing' jid='{jid}'/>"),
            ("get", f"<options node='missing' jid='{jid}'/>"), ("get", "<items node='missing'/>")):
        assert francisco.refused(type, inside) == ("cancel", "item-not-found", None)


@OURS
def test_a_node_is_needed(francisco):
    jid = francisco.client.bare_jid
    for type, inside in (("set", f"<subscribe jid='{jid}'/>"), ("get", "<items/>"),
                         ("set", f"<unsubscribe jid='{jid}'/>")):
        assert francisco.refused(type, inside) == ("modify", "bad-request", "nodeid-required")


@OURS
def test_new_subscribers_get_the_last_item(hamlet, francisco, node):
    hamlet.create(node, send_last_published_item="on_sub")
    hamlet.publish(node, "a")
    hamlet.publish(node, "b")
    francisco.subscribe(node)
    (message,) = [element for element in francisco.client.flush() if element.name == "message"]
    assert event_ids([message]) == [(node, "b")]
    assert message.get_child("delay", "urn:xmpp:delay") is not None


@OURS
def test_subscribers_who_come_online_get_the_last_item(hamlet, people, francisco, node):
    hamlet.create(node, send_last_published_item="on_sub_and_presence")
    francisco.subscribe(node)
    hamlet.publish(node, "a")
    late = people.login("francisco", "late", available=False)
    late.send("<presence/>")
    assert event_ids(late.flush()) == [(node, "a")]
    late.send("<presence><show>away</show></presence>")
    assert event_ids(late.flush()) == []


# -- unsubscribe -----------------------------------------------------------------------------


def test_who_unsubscribes_is_told_nothing(hamlet, francisco, made):
    francisco.subscribe(made)
    answer = francisco.set(f"<unsubscribe node='{made}' jid='{francisco.client.bare_jid}'/>")
    assert answer.get_child("subscription").attr["subscription"] == "none"
    hamlet.publish(made, "a")
    assert event_ids(francisco.client.flush()) == []


def test_who_is_not_subscribed_cannot_unsubscribe(francisco, made):
    error = francisco.refused("set",
                              f"<unsubscribe node='{made}' jid='{francisco.client.bare_jid}'/>")
    assert error[1:] == ("unexpected-request", "not-subscribed")


def test_nobody_unsubscribes_others(francisco, person, made):
    bernardo = person("bernardo")
    bernardo.subscribe(made)
    assert francisco.refused("set", f"<unsubscribe node='{made}' "
                             f"jid='{bernardo.client.bare_jid}'/>") == ("auth", "forbidden", None)
    assert len(bernardo.get("<subscriptions/>").tags) == 1


# -- options ---------------------------------------------------------------------------------


@OURS
def test_options(hamlet, francisco, made):
    jid = francisco.client.bare_jid
    francisco.subscribe(made)
    options = francisco.get(f"<options node='{made}' jid='{jid}'/>")
    assert (options.attr["node"], options.attr["jid"]) == (made, jid)
    x = options.tags[0]
    assert x.attr["type"] == "form"
    assert values(x)["deliver"] == ["1"] and values(x)["include_body"] == ["0"]

    def set(**fields):
        assert francisco.set(f"<options node='{made}' jid='{jid}'>"
                             f"{form('subscribe_options', fields)}</options>") is None
        hamlet.publish(made, "a")
        return event_ids(francisco.client.flush())

    assert set(deliver="0") == []
    assert set(deliver="true") == [(made, "a")]
    cancelled = form("subscribe_options", {"deliver": "0"}, "cancel")
    francisco.set(f"<options node='{made}' jid='{jid}'>{cancelled}</options>")
    hamlet.publish(made, "b")
    assert event_ids(francisco.client.flush()) == [(made, "b")]


@OURS
def test_options_that_are_refused(francisco, person, made):
    jid, bernardo = francisco.client.bare_jid, person("bernardo")
    assert francisco.refused("get", f"<options node='{made}' jid='{jid}'/>") == (
        "modify", "unexpected-request", "not-subscribed")
    assert francisco.refused("get", f"<options node='{made}'/>") == (
        "modify", "bad-request", "jid-required")
    francisco.subscribe(made)
    assert bernardo.refused("get", f"<options node='{made}' jid='{jid}'/>") == (
        "auth", "forbidden", None)
    for wrong in (form("subscribe_options", {"deliver": "perhaps"}), "",
                  form("node_config", {"deliver": "0"})):
        assert francisco.refused("set", f"<options node='{made}' jid='{jid}'>{wrong}</options>"
                                 ) == ("modify", "bad-request", "invalid-options")


def test_subscribe_with_options(hamlet, francisco, made):
    inside = (f"<subscribe node='{made}' jid='{francisco.client.bare_jid}'/>"
              f"<options>{form('subscribe_options', {'include_body': '1'})}</options>")
    answer = francisco.set(inside)
    assert answer.get_child("subscription").attr["subscription"] == "subscribed"
    x = answer.get_child("options").tags[0]
    assert values(x)["include_body"] == ["1"]


@OURS
def test_options_beside_a_subscription_have_no_address(francisco, made):
    inside = (f"<subscribe node='{made}' jid='{francisco.client.bare_jid}'/><options "
              f"node='{made}'>{form('subscribe_options', {'include_body': '1'})}</options>")
    assert francisco.refused("set", inside) == ("modify", "bad-request", None)


@OURS
def test_a_body_is_made_of_what_is_understood(hamlet, francisco, made):
    francisco.set(f"<subscribe node='{made}' jid='{francisco.client.bare_jid}'/>"
                  f"<options>{form('subscribe_options', {'include_body': '1'})}</options>")
    hamlet.publish(made, "a", "<entry xmlns='http://www.w3.org/2005/Atom'><title>Soliloquy"
                   "</title><summary>To be</summary></entry>")
    hamlet.publish(made, "b")
    first, second = (element for element in francisco.client.flush() if element.name == "message")
    assert first.get_child_text("body") == "Soliloquy\nTo be"
    assert second.get_child("body") is None


@OURS
def test_default_options(francisco, made):
    for inside in ("<default/>", f"<default node='{made}'/>"):
        x = francisco.get(inside).tags[0]
        assert x.attr["type"] == "result" and values(x)["deliver"] == ["1"]
    assert francisco.refused("get", "<default node='missing'/>")[1] == "item-not-found"


# -- items -----------------------------------------------------------------------------------


@pytest.fixture
def full(hamlet, node):
    """Return a node with items 0 to 9."""
    hamlet.create(node, max_items=10)
    for number in range(10):
        hamlet.publish(node, str(number))
    return node


def test_all_items(francisco, full):
    assert sorted(francisco.items(full)) == list("0123456789")


@OURS
def test_items_come_oldest_first(francisco, full):
    assert francisco.items(full) == list("0123456789")
    assert francisco.items(full, max_items=2) == ["8", "9"]


def test_some_items(francisco, full):
    assert sorted(francisco.items(full, max_items=2)) == ["8", "9"]
    assert sorted(francisco.items(full, "<item id='3'/><item id='5'/><item id='x'/>")) == [
        "3", "5"]
    assert francisco.items(full, "<item id='x'/>") == []
    (item,) = francisco.get(f"<items node='{full}'><item id='3'/></items>").tags
    assert item.get_child_text("x", "urn:example:x") == "3"


@OURS
@pytest.mark.parametrize(("page", "ids", "index"), [
    ("<max>3</max>", "012", "0"),
    ("<max>3</max><after>2</after>", "345", None),
    ("<max>3</max><before/>", "789", None),
    ("<max>3</max><before>7</before>", "456", None),
    ("<max>4</max><index>8</index>", "89", "8"),
    ("<max>0</max>", "", None),
])
def test_pages_of_items(francisco, full, page, ids, index):
    answer = francisco.ask("get", f"<items node='{full}'/>"
                           f"<set xmlns='http://jabber.org/protocol/rsm'>{page}</set>")
    pubsub = answer.tags[0]
    assert "".join(item.attr["id"] for item in pubsub.get_child("items").tags) == ids
    set = pubsub.get_child("set", "http://jabber.org/protocol/rsm")
    assert set.get_child_text("count") == "10"
    if ids:
        assert set.get_child_text("first") == ids[0] and set.get_child_text("last") == ids[-1]
        assert set.get_child("first").attr.get("index") == index


@OURS
def test_pages_that_are_nowhere(francisco, full):
    rsm = "<set xmlns='http://jabber.org/protocol/rsm'>{}</set>"
    for page, condition in (("<after>x</after>", "item-not-found"), ("<max>x</max>",
                                                                     "bad-request")):
        assert francisco.refused("get", f"<items node='{full}'/>" + rsm.format(page))[1] == \
            condition
    for wrong in ("0", "-1", "x"):
        assert francisco.refused("get", f"<items node='{full}' max_items='{wrong}'/>")[1] == \
            "bad-request"


@OURS
def test_items_that_are_not_kept(hamlet, francisco, node):
    hamlet.create(node, persist_items="0")
    francisco.subscribe(node)
    hamlet.publish(node, "a")
    assert event_ids(francisco.client.flush()) == [(node, "a")]
    answer = francisco.ask("get", f"<items node='{node}'/>")
    extra = answer.get_error()[3]
    assert (answer.get_error()[1], extra.name, extra.attr["feature"]) == (
        "feature-not-implemented", "unsupported", "persistent-items")


@OURS
def test_items_that_are_too_old(hamlet, francisco, node, server):
    hamlet.create(node, item_expire="100")
    hamlet.publish(node, "a")
    archive = server.server.storage.open(francisco.to, "pubsub_" + node, "archive")
    value, when, publisher = archive.get(None, "a")
    archive.set(None, "a", value, when - 101)
    hamlet.publish(node, "b", payload("b"))
    assert francisco.items(node) == ["b"]
    assert francisco.items(node, "<item id='a'/>") == []
    server.server.hosts[francisco.to].modules["pubsub"].exports.expire(
        server.server.hosts[francisco.to].modules["pubsub"])
    assert archive.get(None, "a") is None
