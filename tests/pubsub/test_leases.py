"""Subscriptions that end by themselves (XEP-0060 sections 12.4 and 12.18)."""

from __future__ import annotations

import gc
import weakref

import pytest

from prosody_py.pubsub import subscribe_options
from prosody_py.pubsub.errors import PubsubError
from prosody_py.storage.interface import StorageError
from prosody_py.testing.pubsub import form
from prosody_py.xmpp.datetime import format_datetime, parse_datetime
from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.stanza import Stanza

OWNER, READER = "owner@localhost", "reader@localhost"
HOUR, DAY = 3600, 86_400
EXPIRE = "pubsub#expire"


@pytest.fixture
def service(make, clock):
    service = make(add_timer=clock.add_timer, max_lease=30 * DAY)
    service.create("node", OWNER)
    return service


def read(service, current=True, **fields):
    return subscribe_options.read(service.setup, parse_fragment(form(
        "subscribe_options", {name.replace("_", "-"): value for name, value in fields.items()})),
        current)


def lease(service, clock, seconds, **more):
    return read(service, expire=format_datetime(clock.now + seconds), **more)


def said(told):
    return [(to, message.tags[0].tags[0].attr["subscription"],
             message.tags[0].tags[0].attr.get("expiry")) for to, message in told.messages]


def publish(service, id="a"):
    service.publish("node", OWNER, id, Stanza("x", {"xmlns": "urn:x"}))


def test_a_lease_ends(service, clock, told):
    service.subscribe("node", READER, READER, lease(service, clock, HOUR))
    clock.pass_(HOUR - 1)
    publish(service)
    assert told.notices[-1][3] == [READER]
    clock.pass_(1)
    assert said(told) == [(READER, "none", None)]
    assert service.nodes["node"].subscribers == {} and service.by_account == {}
    publish(service)
    assert told.notices[-1][3] == [] and clock.timers == []


def test_a_subscriber_is_reminded_a_day_before(service, clock, told):
    options = lease(service, clock, 3 * DAY)
    service.subscribe("node", READER, READER, options)
    clock.pass_(2 * DAY - 1)
    assert told.messages == []
    clock.pass_(1)
    assert said(told) == [(READER, "subscribed", options[EXPIRE])]
    clock.pass_(DAY)
    assert said(told)[1:] == [(READER, "none", None)]


def test_a_lease_is_renewed_by_options_and_by_subscribing(service, clock, told):
    made = service.subscribe("node", READER, READER, lease(service, clock, HOUR))
    service.set_subscription_options("node", READER, lease(service, clock, 2 * HOUR), made.subid)
    clock.pass_(HOUR)
    again = service.subscribe("node", READER, READER, lease(service, clock, 2 * HOUR))
    assert again.subid == made.subid and len(service.nodes["node"].subscriptions(READER)) == 1
    clock.pass_(HOUR)
    assert told.messages == []
    clock.pass_(HOUR)
    assert said(told) == [(READER, "none", None)]


def test_a_lease_becomes_a_subscription_without_end(service, clock, told):
    made = service.subscribe("node", READER, READER, lease(service, clock, HOUR))
    service.set_subscription_options("node", READER, read(
        service, made.options, expire=""), made.subid)
    clock.pass_(40 * DAY)
    assert told.messages == [] and READER in service.nodes["node"].subscribers


def test_one_of_several_ends_by_itself(service, clock, told):
    service.subscribe("node", READER, READER)
    ends = service.subscribe("node", READER, READER, lease(service, clock, HOUR, deliver="0"))
    assert len(service.nodes["node"].subscriptions(READER)) == 2
    clock.pass_(HOUR)
    ((to, message),) = told.messages
    assert message.tags[0].tags[0].attr["subid"] == ends.subid
    assert service.nodes["node"].subscribers == {READER: True}


def test_a_request_for_a_lease_ends_too(service, clock, told):
    service.create("closed", OWNER, {"access_model": "authorize"})
    service.subscribe("closed", READER, READER, lease(service, clock, HOUR))
    told.messages.clear()
    clock.pass_(HOUR)
    assert service.nodes["closed"].pending == {} and said(told) == [(READER, "none", None)]


def test_a_lease_is_not_longer_than_allowed(service, clock):
    options = lease(service, clock, 400 * DAY)
    assert parse_datetime(options[EXPIRE]) == clock.now + 30 * DAY


@pytest.mark.parametrize("text", ["tomorrow", "2006-02-28T11:59:59Z", "presence", "2999-99-99T0"])
def test_ends_that_cannot_be(service, text):
    with pytest.raises(PubsubError) as caught:
        read(service, expire=text)
    assert caught.value.name == "invalid-options"


def test_leases_are_known_again_after_a_restart(service, make, clock, told):
    service.subscribe("node", READER, READER, lease(service, clock, HOUR))
    service.subscribe("node", "b@localhost", "b@localhost", lease(service, clock, 3 * HOUR))
    clock.timers.clear()
    clock.now += 2 * HOUR  # nobody was there when the first one ended
    again = make(add_timer=clock.add_timer)
    clock.pass_(0)
    assert said(told) == [(READER, "none", None)]
    assert list(again.nodes["node"].subscribers) == ["b@localhost"]
    clock.pass_(HOUR)
    assert said(told)[1:] == [("b@localhost", "none", None)]


def test_an_end_that_cannot_be_stored_comes_later(service, clock, told):
    service.setup.log_failure = lambda error: None
    service.subscribe("node", READER, READER, lease(service, clock, HOUR))
    service.setup.node_store.fail = StorageError("internal-server-error", "the disk is gone")
    clock.pass_(HOUR)
    assert told.messages == [] and READER in service.nodes["node"].subscribers
    service.setup.node_store.fail = None
    clock.pass_(HOUR)
    assert said(told) == [(READER, "none", None)]


def test_what_is_over_leaves_no_timer(service, clock):
    for number in range(20):
        jid = f"reader{number}@localhost"
        service.subscribe("node", jid, jid, lease(service, clock, 3 * DAY + number))
        for _ in range(10):
            service.set_subscription_options("node", jid, lease(service, clock, 4 * DAY))
        if number % 2:
            service.remove_subscription("node", jid, jid)
    assert len(clock.timers) == 1
    assert len(service.agenda._due) == 20 and len(service.agenda._heap) <= 4 * 20 + 17
    service.delete("node", OWNER)
    assert list(service.agenda.keys()) == []


def test_timers_do_not_keep_a_service(make, clock, told):
    service = make(add_timer=clock.add_timer)
    service.create("node", OWNER)
    service.subscribe("node", READER, READER, lease(service, clock, HOUR))
    gone = weakref.ref(service)
    del service
    gc.collect()
    assert gone() is None
    clock.pass_(2 * HOUR)
    assert told.messages == [] and clock.timers == []


def test_without_timers_there_are_no_leases(make):
    service = make()
    x = subscribe_options.form(service.setup, True)
    assert [field.attr["var"] for field in x.tags] == ["FORM_TYPE", "pubsub#deliver"]
    assert read(service, expire="2999-01-01T00:00:00Z") == {"pubsub#deliver": True} or \
        EXPIRE not in read(service, expire="2999-01-01T00:00:00Z")


# -- as long as somebody is online -----------------------------------------------------------


@pytest.fixture
def online():
    return {}


@pytest.fixture
def present(make, online):
    service = make(shows=lambda jid: online.get(jid, ()))
    service.create("node", OWNER)
    return service


def refused(function, *args):
    with pytest.raises(PubsubError) as caught:
        function(*args)
    return caught.value.name


def test_a_temporary_subscription_ends_with_the_presence(present, online, told):
    options = read(present, expire="presence")
    assert refused(present.subscribe, "node", READER, READER, options) == "not-acceptable"
    online[READER] = online[READER + "/r"] = ["online"]
    present.subscribe("node", READER, READER, options)
    present.subscribe("node", READER, READER + "/r", options)
    present.subscribe("node", READER, READER + "/stays")
    del online[READER + "/r"]
    present.went_offline(READER + "/r")
    assert set(present.nodes["node"].subscribers) == {READER, READER + "/stays"}
    del online[READER]
    present.went_offline(READER + "/other")
    assert set(present.nodes["node"].subscribers) == {READER + "/stays"}
    assert told.messages == []  # there is nobody who could be told


def test_after_a_restart_nobody_is_online(make, present, online):
    online[READER] = ["online"]
    present.subscribe("node", READER, READER, read(present, expire="presence"))
    present.subscribe("node", "b@localhost", "b@localhost", read(present, deliver="0"))
    again = make(shows=lambda jid: ())
    again.end_absent(again.nodes["node"])
    assert set(again.nodes["node"].subscribers) == {"b@localhost"}


def test_a_node_can_make_all_subscriptions_temporary(present, online):
    online[READER] = ["online"]
    for jid in (READER, "b@localhost"):
        present.subscribe("node", jid, jid)
    present.set_node_config("node", OWNER, {"tempsub": True})
    node = present.nodes["node"]
    assert node.subscribers == {READER: {EXPIRE: "presence"}}
    assert refused(present.subscribe, "node", "b@localhost", "b@localhost") == "not-acceptable"
    online.clear()
    present.went_offline(READER + "/r")
    assert node.subscribers == {}


@pytest.mark.parametrize(("wanted", "shows", "told_of_it"), [
    (["chat", "online"], ["away", "chat"], True), (["chat", "online"], ["away"], False),
    ([], [], True), (["dnd"], [], False)])
def test_some_are_told_only_when_they_are_online(present, online, told, wanted, shows, told_of_it):
    present.subscribe("node", READER, READER, read(present, show_values=wanted))
    online[READER] = shows
    publish(present)
    assert told.notices[-1][3] == ([READER] if told_of_it else [])


def test_each_state_is_kept_once(present):
    assert read(present, show_values=["dnd", "chat"] * 1000)["pubsub#show-values"] == [
        "chat", "dnd"]


def test_states_that_there_are_not(present):
    assert refused(lambda: read(present, show_values=["online", "asleep"])) == "invalid-options"


def test_a_node_can_tell_only_who_is_online(present, online, told):
    present.set_node_config("node", OWNER, {"presence_based_delivery": True})
    for jid in (READER, "b@localhost"):
        present.subscribe("node", jid, jid)
    online[READER] = ["xa"]
    publish(present)
    assert told.notices[-1][3] == [READER]


# -- items that go with their publishers -------------------------------------------------------


@pytest.fixture
def passing(present, online):
    present.set_node_config("node", OWNER, {
        "purge_offline": True, "publish_model": "open", "notify_retract": True})
    online[OWNER] = online[READER] = ["online"]
    return present


def ids(service):
    return [item.id for item in service.get_items("node", OWNER).items]


def put(service, actor, *names):
    for id in names:
        service.publish("node", actor + "/r", id, Stanza("x", {"xmlns": "urn:x"}))


def test_items_go_with_their_publisher(passing, online, told):
    put(passing, OWNER, "a", "b")
    put(passing, READER, "c")
    passing.went_offline(READER + "/other")
    assert ids(passing) == ["a", "b", "c"]  # it is online with another client
    del online[READER]
    passing.went_offline(READER + "/r")
    assert ids(passing) == ["a", "b"] and told.notices[-1][:3] == ("retract", "node", "c")
    del online[OWNER]
    passing.went_offline(OWNER + "/r")
    assert ids(passing) == [] and told.notices[-1][0] == "purge"


def test_items_stay_where_nothing_is_said(present, online):
    put(present, OWNER, "a")
    online.clear()
    present.went_offline(OWNER + "/r")
    assert ids(present) == ["a"]


def test_items_of_who_is_gone_go_when_the_node_says_so(passing, make, online):
    put(passing, OWNER, "a")
    put(passing, READER, "b")
    del online[READER]
    again = make(shows=lambda jid: online.get(jid, ()))  # a restart: nobody has heard of it
    again.purge_absent(again.nodes["node"])
    assert ids(again) == ["a"]
    del online[OWNER]
    again.went_offline(OWNER + "/r")
    assert ids(again) == []
    put(again, OWNER, "c")
    again.set_node_config("node", OWNER, {"purge_offline": False})
    again.went_offline(OWNER + "/r")
    assert ids(again) == ["c"]
    again.set_node_config("node", OWNER, {"purge_offline": True})
    assert ids(again) == []
