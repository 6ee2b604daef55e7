"""XEP-0060 section 12.9: several items in one request, all of them or none."""

from __future__ import annotations

from prosody_py.testing.pubsub import EVENT, event_ids, events, payload


def batch(node, *ids, name="publish", inside=payload, **attr):
    items = "".join(f"<item id='{id}'>{inside(id) if inside else ''}</item>" for id in ids)
    more = "".join(f" {key}='{value}'" for key, value in attr.items())
    return f"<{name} node='{node}'{more}>{items}</{name}>"


def retract(node, *ids, **attr):
    return batch(node, *ids, name="retract", inside=None, **attr)


def test_several_items_are_published_at_once(hamlet, francisco, made):
    francisco.subscribe(made)
    answer = hamlet.set(batch(made, "a", "b", "c"))
    assert [item.attr["id"] for item in answer.get_child("publish").tags] == ["a", "b", "c"]
    (message,) = [each for each in francisco.client.flush() if each.name == "message"]
    items = message.get_child("event", EVENT).tags[0].tags
    assert [(item.attr["id"], item.get_child_text("x", "urn:example:x")) for item in items] == [
        ("a", "a"), ("b", "b"), ("c", "c")]
    assert francisco.items(made) == ["a", "b", "c"]
    hamlet.set(batch(made, "a", "d"))
    assert francisco.items(made) == ["b", "c", "a", "d"]
    assert francisco.items(made, max_items=1) == ["d"]


def test_items_without_ids_get_one_each(hamlet, made):
    answer = hamlet.set(f"<publish node='{made}'><item>{payload('1')}</item>"
                        f"<item>{payload('2')}</item></publish>")
    ids = [item.attr["id"] for item in answer.get_child("publish").tags]
    assert len(set(ids)) == 2 and hamlet.items(made) == ids


def test_the_oldest_make_room_for_several(hamlet, node):
    hamlet.create(node, max_items=3)
    hamlet.set(batch(node, "a", "b"))
    hamlet.set(batch(node, "c", "d"))
    assert hamlet.items(node) == ["b", "c", "d"]
    hamlet.publish(node, "e")
    assert hamlet.items(node) == ["c", "d", "e"]


def test_more_items_than_a_node_has_are_refused(hamlet, francisco, node):
    hamlet.create(node, max_items=2)
    francisco.subscribe(node)
    too_many = ("cancel", "not-allowed", "max-items-exceeded")
    assert hamlet.refused("set", batch(node, "a", "b", "c")) == too_many
    hamlet.configure(node, max_items="max")
    assert hamlet.refused("set", batch(node, *map(str, range(101)))) == too_many
    assert hamlet.items(node) == [] and event_ids(francisco.client.flush()) == []


def test_a_node_that_refuses_when_it_is_full_takes_all_or_none(hamlet, node):
    hamlet.create(node, max_items=3, publish_node_full="reject")
    hamlet.set(batch(node, "a", "b"))
    assert hamlet.refused("set", batch(node, "c", "d")) == ("cancel", "conflict", "node-full")
    assert hamlet.items(node) == ["a", "b"]
    hamlet.set(batch(node, "b", "c"))
    assert hamlet.items(node) == ["a", "b", "c"]


def test_one_wrong_item_is_enough(hamlet, francisco, node):
    hamlet.create(node, max_payload_size="100")
    francisco.subscribe(node)
    good = f"<item id='a'>{payload()}</item>"
    for wrong, condition in (
            (f"<item id='b'>{payload('x' * 100)}</item>", "payload-too-big"),
            ("<item id='b'/>", "payload-required"),
            (f"<item id='b'>{payload()}{payload()}</item>", "invalid-payload")):
        assert hamlet.refused("set", f"<publish node='{node}'>{good}{wrong}</publish>"
                              )[2] == condition
    assert hamlet.refused("set", batch(node, "a", "a")) == ("modify", "bad-request", None)
    assert hamlet.refused("set", f"<publish node='{node}'>{good}<item id='{'x' * 1024}'>"
                          f"{payload()}</item></publish>")[1] == "not-acceptable"
    assert francisco.refused("set", batch(node, "a", "b"))[1] == "forbidden"
    assert hamlet.items(node) == [] and event_ids(francisco.client.flush()) == []


def test_several_items_that_are_not_kept_are_told(hamlet, francisco, node):
    hamlet.create(node, persist_items="0")
    francisco.subscribe(node)
    hamlet.set(batch(node, "a", "b"))
    assert event_ids(francisco.client.flush()) == [(node, "a"), (node, "b")]


def test_several_items_are_retracted_at_once(hamlet, francisco, made):
    hamlet.set(batch(made, "a", "b", "c"))
    francisco.subscribe(made)
    hamlet.set(retract(made, "a", "c", notify="true"))
    (event,) = events(francisco.client.flush())
    assert [(each.name, each.attr["id"]) for each in event.tags] == [
        ("retract", "a"), ("retract", "c")]
    assert hamlet.items(made) == ["b"]


def test_what_is_not_there_lets_the_others_stay(hamlet, francisco, made):
    hamlet.set(batch(made, "a", "b"))
    francisco.subscribe(made)
    assert hamlet.refused("set", retract(made, "a", "x", "b", notify="1")) == (
        "cancel", "item-not-found", None)
    assert hamlet.refused("set", f"<retract node='{made}'><item id='a'/><item/></retract>") == (
        "modify", "bad-request", "item-required")
    assert hamlet.refused("set", retract(made, *map(str, range(101))))[2] == "max-items-exceeded"
    assert francisco.refused("set", retract(made, "a", "b"))[1] == "forbidden"
    assert hamlet.items(made) == ["a", "b"] and events(francisco.client.flush()) == []


def test_of_own_items_and_others_none_is_retracted(hamlet, francisco, made):
    hamlet.set(f"<affiliations node='{made}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='publish-only'/></affiliations>", owner=True)
    hamlet.publish(made, "a")
    francisco.set(batch(made, "b", "c"))
    assert francisco.refused("set", retract(made, "b", "a"))[1] == "forbidden"
    assert hamlet.items(made) == ["a", "b", "c"]
    francisco.set(retract(made, "b", "c"))
    assert hamlet.items(made) == ["a"]
