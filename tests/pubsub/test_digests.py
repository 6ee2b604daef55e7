"""Notifications that are gathered (pubsub#digest)."""

from __future__ import annotations

import gc

import pytest

from prosody_py.pubsub import digests
from prosody_py.xmpp.stanza import Stanza

OWNER, READER, OTHER = "owner@localhost", "reader@localhost", "other@localhost"
DAY = 86_400


@pytest.fixture
def service(make, clock):
    service = make(add_timer=clock.add_timer, summary=lambda payload: payload.get_text())
    service.create("node", OWNER, {"max_items": 100})
    return service


def options(seconds=None, **more):
    options = {"pubsub#digest": True, **more}
    if seconds is not None:
        options["pubsub#digest_frequency"] = seconds * 1000
    return options


def publish(service, *ids, text="x", node="node"):
    for id in ids:
        service.publish(node, OWNER, id, Stanza("x", {"xmlns": "urn:x"}).text(text))


def got(told):
    """Return (to, what, ids) of the messages so far, and forget them."""
    found = []
    for to, message in told.messages:
        things = message.tags[0].tags[0].tags
        (kind,) = {thing.name for thing in things}
        found.append((to, kind, [thing.attr["id"] for thing in things]))
    told.messages.clear()
    return found


def test_what_has_happened_comes_together(service, clock, told):
    service.subscribe("node", READER, READER, options(60))
    service.subscribe("node", OTHER, OTHER)
    publish(service, "a", "b")
    service.publish_all("node", OWNER, [(id, Stanza("x", {"xmlns": "urn:x"})) for id in "cd"])
    assert {tuple(notice[3]) for notice in told.notices} == {(OTHER,)} and got(told) == []
    clock.pass_(59)
    assert got(told) == []
    publish(service, "a")  # once more: it is one item, and the newest
    clock.pass_(1)
    assert got(told) == [(READER, "item", ["b", "c", "d", "a"])]
    clock.pass_(DAY)
    assert got(told) == [] and clock.timers == []
    publish(service, "e")
    clock.pass_(60)
    assert got(told) == [(READER, "item", ["e"])]


def test_it_is_a_day_if_nothing_is_said(service, clock, told):
    service.subscribe("node", READER, READER, options())
    publish(service, "a")
    clock.pass_(DAY - 1)
    assert got(told) == []
    clock.pass_(1)
    assert got(told) == [(READER, "item", ["a"])]


def test_what_was_retracted_is_told_as_such(service, clock, told):
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a", "b", "c")
    service.retract("node", OWNER, "a", True)
    service.retract("node", OWNER, "b", True)
    publish(service, "b")
    clock.pass_(60)
    assert got(told) == [(READER, "retract", ["a"]), (READER, "item", ["c", "b"])]


def test_items_that_are_gone_are_left_out(service, clock, told):
    service.set_node_config("node", OWNER, {"max_items": 2, "notify_retract": False})
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a", "b", "c")
    service.retract("node", OWNER, "c")
    clock.pass_(60)
    assert got(told) == [(READER, "item", ["b"])]
    publish(service, "d")
    service.purge("node", OWNER, True)
    assert told.notices[-1][:1] + told.notices[-1][3:] == ("purge", [READER])
    assert service._logs == {}
    clock.pass_(DAY)
    assert got(told) == [] and clock.timers == []


def test_everybody_has_a_rhythm_of_their_own(service, clock, told):
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a")
    clock.pass_(30)
    service.subscribe("node", OTHER, OTHER, options(60))
    publish(service, "b")
    clock.pass_(30)
    assert got(told) == [(READER, "item", ["a", "b"])]
    publish(service, "c")
    clock.pass_(30)
    assert got(told) == [(OTHER, "item", ["b", "c"])]
    clock.pass_(30)
    assert got(told) == [(READER, "item", ["c"])]


def test_one_of_several_subscriptions_gathers(service, clock, told):
    service.subscribe("node", READER, READER)
    digest = service.subscribe("node", READER, READER, options(60))
    publish(service, "a")
    (wish,) = told.receivers.values()
    assert told.notices[-1][3] == [READER] and digest.subid not in wish.subids
    clock.pass_(60)
    ((_to, message),) = told.messages
    headers = message.tags[-1]
    assert headers.name == "headers" and [tag.get_text() for tag in headers.tags] == [digest.subid]
    assert message.get_child("delay", "urn:xmpp:delay") is not None


def test_a_text_beside_it(service, clock, told):
    service.subscribe("node", READER, READER, options(60, **{"pubsub#include_body": True}))
    publish(service, "a", text="first")
    publish(service, "b", text="second")
    clock.pass_(60)
    ((_to, message),) = told.messages
    assert message.get_child_text("body") == "first\n\nsecond"


def test_who_may_not_know_any_longer_is_not_told(service, clock, told):
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a")
    service.set_affiliation("node", OWNER, READER, "outcast")
    assert service._logs == {}
    told.messages.clear()
    clock.pass_(60)
    assert got(told) == [] and clock.timers == []


def test_a_node_that_is_deleted_has_nothing_to_come(service, clock, told):
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a")
    service.delete("node", OWNER)
    assert told.notices[-1][0] == "delete" and told.notices[-1][3] == [READER]
    assert service._logs == {}
    clock.pass_(60)
    assert got(told) == []


def test_items_that_are_not_kept_come_with_their_payloads(service, clock, told):
    service.create("transient", OWNER, {"persist_items": False})
    service.subscribe("transient", READER, READER, options(60))
    publish(service, "a", node="transient")
    clock.pass_(60)
    assert got(told) == [(READER, "item", ["a"])]


def test_an_event_without_an_item_comes_at_once(service, clock, told):
    service.create("bell", OWNER, {"persist_items": False, "include_payload": False})
    service.subscribe("bell", READER, READER, options(60))
    service.publish_nothing("bell", OWNER)
    assert told.notices[-1][3] == [READER]


@pytest.mark.parametrize(("persist", "most"), [(True, digests.MOST), (False, digests.MOST_HELD)])
def test_what_is_gathered_is_bounded(make, clock, told, persist, most):
    service = make(add_timer=clock.add_timer, max_items=1000)
    service.create("busy", OWNER, {"persist_items": persist, "max_items": "max"})
    service.subscribe("busy", READER, READER, options())
    publish(service, *map(str, range(most)), node="busy")
    assert got(told) == []
    publish(service, "more", node="busy")  # which is too much: it goes out early
    assert [id for _to, _kind, ids in got(told) for id in ids] == [
        str(number) for number in range(most)]
    assert [len(log.entries) for log in service._logs.values()] == [1]
    service.flush()
    assert got(told) == [(READER, "item", ["more"])] and service._logs == {}


def test_large_items_come_in_several_messages(service, clock, told):
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a", "b", "c", text="x" * (digests.MAX_SIZE // 2))
    clock.pass_(60)
    assert got(told) == [(READER, "item", [id]) for id in "abc"]


def test_a_service_lives_until_its_digests_are_sent(make, clock, told):
    service = make(add_timer=clock.add_timer)
    service.create("node", OWNER)
    service.subscribe("node", READER, READER, options(60))
    publish(service, "a")
    del service
    gc.collect()
    clock.pass_(60)
    assert got(told) == [(READER, "item", ["a"])]


def test_everything_goes_out_when_a_service_ends(service, told):
    for jid in (READER, OTHER):
        service.subscribe("node", jid, jid, options())
    publish(service, "a")
    service.flush()
    assert sorted(got(told)) == [(OTHER, "item", ["a"]), (READER, "item", ["a"])]
    service.flush()
    assert got(told) == [] and list(service.agenda.keys()) == []
