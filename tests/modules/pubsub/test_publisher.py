"""XEP-0060 section 7: publishing and retracting."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import event_ids, events, form, payload

pytestmark = pytest.mark.twins("pubsub")

OURS = pytest.mark.ours_alone("Debian's does not say it like the XEP, or has not got it")


def publish(node, item, more=""):
    return f"<publish node='{node}'>{item}</publish>{more}"


def test_an_item_with_an_id(hamlet, francisco, made):
    francisco.subscribe(made)
    assert hamlet.publish(made, "a", payload("first")) == "a"
    assert hamlet.publish(made, "a", payload("second")) == "a"
    first, second = events(francisco.client.flush())
    assert [event.tags[0].get_child_text("x", "urn:example:x") for event in (first, second)] == [
        "first", "second"]
    (item,) = francisco.get(f"<items node='{made}'/>").tags
    assert item.get_child_text("x", "urn:example:x") == "second"


def test_an_item_gets_an_id(hamlet, francisco, made):
    francisco.subscribe(made)
    ids = [hamlet.publish(made, None) for _ in range(2)]
    assert len(set(ids)) == 2
    assert event_ids(francisco.client.flush()) == [(made, id) for id in ids]
    assert sorted(francisco.items(made)) == sorted(ids)


def test_without_payloads_only_the_id_is_told(hamlet, francisco, node):
    hamlet.create(node, deliver_payloads="0")
    francisco.subscribe(node)
    hamlet.publish(node, "a")
    (event,) = events(francisco.client.flush())
    assert event.tags[0].attr["id"] == "a" and event.tags[0].tags == []
    (item,) = francisco.get(f"<items node='{node}'/>").tags
    assert item.get_child("x", "urn:example:x") is not None


def test_notifications_can_be_off(hamlet, francisco, node):
    hamlet.create(node, deliver_notifications="0")
    francisco.subscribe(node)
    hamlet.publish(node, "a")
    assert event_ids(francisco.client.flush()) == []
    assert francisco.items(node) == ["a"]


def test_notifications_have_a_type(hamlet, francisco, node):
    francisco_jid = francisco.client.bare_jid
    for type, wanted in (("headline", "headline"), ("normal", None)):
        name = f"{node}-{type}"
        hamlet.create(name, notification_type=type)
        francisco.subscribe(name)
        hamlet.publish(name, "a")
        (message,) = [element for element in francisco.client.flush()
                      if element.name == "message"]
        assert message.attr.get("type") in (wanted, "normal" if wanted is None else wanted)
        assert message.attr["to"] == francisco_jid


def test_strangers_do_not_publish(francisco, made):
    assert francisco.refused("set", publish(made, f"<item id='a'>{payload()}</item>")) == (
        "auth", "forbidden", None)


@OURS
@pytest.mark.parametrize(("affiliation", "reads", "publishes", "retracts"), [
    ("owner", True, True, True), ("publisher", True, True, True),
    ("publish-only", False, True, False), ("member", True, False, False),
    ("outcast", False, False, False), ("none", False, False, False),
])
def test_affiliations_say_who_may_do_what(hamlet, francisco, node, affiliation, reads, publishes,
                                          retracts):
    hamlet.create(node, access_model="whitelist")
    hamlet.set(f"<affiliations node='{node}'><affiliation jid='{francisco.client.bare_jid}' "
               f"affiliation='{affiliation}'/></affiliations>", owner=True)
    hamlet.publish(node, "of hamlet")

    def result(type, inside):
        return francisco.ask(type, inside).attr["type"] == "result"

    assert result("get", f"<items node='{node}'/>") is reads
    assert result("set", publish(node, f"<item id='own'>{payload()}</item>")) is publishes
    assert result("set", f"<retract node='{node}'><item id='of hamlet'/></retract>") is retracts
    # Who may only publish takes back what was published by the same.
    assert result("set", f"<retract node='{node}'><item id='own'/></retract>") is publishes


@OURS
def test_publish_models(hamlet, francisco, node):
    inside = f"<item id='a'>{payload()}</item>"
    hamlet.create(node, publish_model="subscribers")
    assert francisco.refused("set", publish(node, inside))[1] == "forbidden"
    francisco.subscribe(node)
    francisco.set(publish(node, inside))
    hamlet.configure(node, publish_model="open")
    francisco.set(f"<unsubscribe node='{node}' jid='{francisco.client.bare_jid}'/>")
    francisco.set(publish(node, inside))
    hamlet.set(f"<affiliations node='{node}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='outcast'/></affiliations>", owner=True)
    assert francisco.refused("set", publish(node, inside))[1] == "forbidden"


def test_a_node_that_does_not_exist(hamlet):
    assert hamlet.refused("set", publish("missing", f"<item id='a'>{payload()}</item>")) == (
        "cancel", "item-not-found", None)


@OURS
@pytest.mark.parametrize(("config", "inside", "error"), [
    ({}, "", "item-required"),
    ({}, "<item id='a'/>", "payload-required"),
    ({}, f"<item id='a'>{payload()}{payload()}</item>", "invalid-payload"),
    ({"persist_items": "0"}, "", "payload-required"),
    ({"persist_items": "0"}, "<item/>", "payload-required"),
    ({"persist_items": "0", "deliver_payloads": "0"}, f"<item>{payload()}</item>",
     "item-forbidden"),
])
def test_requests_that_do_not_match_the_configuration(hamlet, node, config, inside, error):
    hamlet.create(node, **config)
    assert hamlet.refused("set", publish(node, inside)) == ("modify", "bad-request", error)


@OURS
def test_an_event_without_an_item(hamlet, francisco, node):
    hamlet.create(node, persist_items="0", deliver_payloads="0")
    francisco.subscribe(node)
    hamlet.set(publish(node, ""))
    (event,) = events(francisco.client.flush())
    assert (event.name, event.attr["node"], event.tags) == ("items", node, [])


@OURS
def test_an_item_without_a_payload(hamlet, francisco, node):
    hamlet.create(node, deliver_payloads="0")
    hamlet.set(publish(node, "<item id='a'/>"))
    (item,) = francisco.get(f"<items node='{node}'/>").tags
    assert item.attr["id"] == "a" and item.tags == []


@OURS
def test_a_payload_can_be_too_big(hamlet, node):
    hamlet.create(node, max_payload_size="100")
    hamlet.publish(node, "a")
    assert hamlet.refused("set", publish(node, f"<item id='b'>{payload('x' * 100)}</item>")) == (
        "modify", "not-acceptable", "payload-too-big")


def test_the_oldest_item_makes_room(hamlet, node):
    hamlet.create(node, max_items=2)
    for id in "abcbd":
        hamlet.publish(node, id)
    assert sorted(hamlet.items(node)) == ["b", "d"]


@OURS
def test_a_full_node_can_refuse(hamlet, node):
    hamlet.create(node, max_items=2, publish_node_full="reject")
    for id in "abb":
        hamlet.publish(node, id)
    assert hamlet.refused("set", publish(node, f"<item id='c'>{payload()}</item>")) == (
        "cancel", "conflict", "node-full")
    assert hamlet.items(node) == ["a", "b"]


def options(fields, type="publish-options"):
    return f"<publish-options>{form(type, fields)}</publish-options>"


def test_publish_options_are_preconditions(hamlet, made):
    inside = f"<item id='a'>{payload()}</item>"
    hamlet.set(publish(made, inside, options({"access_model": "open", "max_items": "20"})))
    assert hamlet.refused("set", publish(made, inside, options({"access_model": "whitelist"}))) \
        == ("cancel", "conflict", "precondition-not-met")


@OURS
def test_publish_options_that_nobody_knows(hamlet, made):
    inside = f"<item id='a'>{payload()}</item>"
    assert hamlet.refused("set", publish(made, inside, options({"unheard_of": "1"}))) == (
        "cancel", "conflict", "precondition-not-met")
    assert hamlet.refused("set", publish(made, inside, options({"access_model": "open"},
                                                               "node_config")))[1] == "bad-request"
    assert hamlet.items(made) == []


def retract(node, id="a", more=""):
    return f"<retract node='{node}'{more}><item id='{id}'/></retract>"


@OURS
def test_items_are_retracted(hamlet, francisco, node):
    hamlet.create(node, notify_retract="0")
    francisco.subscribe(node)
    for id in "abc":
        hamlet.publish(node, id)
    francisco.client.flush()
    assert hamlet.set(retract(node, "a")) is None
    assert events(francisco.client.flush()) == []
    for id, notify in (("b", "true"), ("c", "1")):
        hamlet.set(retract(node, id, f" notify='{notify}'"))
        (event,) = events(francisco.client.flush())
        assert event.attr["node"] == node and event.tags[0].name == "retract"
        assert event.tags[0].attr["id"] == id
    assert hamlet.items(node) == []


@OURS
def test_retractions_that_are_refused(hamlet, francisco, node, made):
    hamlet.publish(made, "a")
    assert francisco.refused("set", retract(made)) == ("auth", "forbidden", None)
    assert hamlet.refused("set", retract(made, "b")) == ("cancel", "item-not-found", None)
    assert hamlet.refused("set", retract("missing")) == ("cancel", "item-not-found", None)
    assert hamlet.refused("set", "<retract><item id='a'/></retract>") == (
        "modify", "bad-request", "nodeid-required")
    for inside in ("", "<item/>"):
        assert hamlet.refused("set", f"<retract node='{made}'>{inside}</retract>") == (
            "modify", "bad-request", "item-required")
    hamlet.create(node + "2", persist_items="0")
    answer = hamlet.ask("set", retract(node + "2"))
    assert answer.get_error()[3].attr["feature"] == "persistent-items"


@OURS
@pytest.mark.parametrize(("reply", "shown"), [
    ("publisher", "francisco"), ("owner", "hamlet"), ("none", None)])
def test_a_node_says_whose_address_stands_with_an_item(hamlet, francisco, node, reply, shown):
    hamlet.create(node, itemreply=reply, send_last_published_item="on_sub")
    hamlet.set(f"<affiliations node='{node}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='publisher'/></affiliations>", owner=True)
    hamlet.subscribe(node)
    francisco.publish(node, "a")
    francisco.subscribe(node)
    (told,), (last,) = (events(asking.client.flush()) for asking in (hamlet, francisco))
    (item,) = hamlet.get(f"<items node='{node}'/>").tags
    jid = {"francisco": francisco.client.bare_jid, "hamlet": hamlet.client.bare_jid}.get(shown)
    assert [each.attr.get("publisher") for each in (told.tags[0], last.tags[0], item)] == [jid] * 3
