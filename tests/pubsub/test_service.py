"""A service by itself: what is kept, what happens when a store fails, and at the same time."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from prosody_py.pubsub import commands
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.items import MAX_KEPT
from prosody_py.pubsub.node import UNKNOWN
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp.rsm import PageRequest
from prosody_py.xmpp.stanza import Stanza

HOST, OWNER, READER = "pubsub.localhost", "owner@localhost", "reader@localhost"


def payload(text="x"):
    return Stanza("x", {"xmlns": "urn:x"}).text(text)


def ids(page):
    return [item.id for item in page.items]


def refused(function, *args, **more):
    with pytest.raises(PubsubError) as caught:
        function(*args, **more)
    return caught.value.name


def test_everything_is_there_again(make):
    one = make()
    one.create("node", OWNER, {"title": "T", "max_items": 3})
    for id in "abcd":
        one.publish("node", OWNER, id, payload(id))
    one.add_subscription("node", READER + "/r", READER, {"pubsub#deliver": False})
    one.set_affiliation("node", OWNER, "member@localhost", "member")
    one.create("closed", OWNER, {"access_model": "authorize"})
    one.add_subscription("closed", READER, READER)
    two = make()
    node = two.nodes["node"]
    assert node.config == {"title": "T", "max_items": 3} and node["access_model"] == "open"
    assert node.subscribers == {READER: {"pubsub#deliver": False}}
    assert node.affiliations == {OWNER: "owner", "member@localhost": "member"}
    assert two.nodes["closed"].pending == {READER: True}
    assert ids(two.get_items("node", READER)) == ["b", "c", "d"]
    assert two.get_last_item("node", READER).id == "d"
    assert [(own.node.name, own.state) for own in two.subscriptions_of(READER)] == [
        ("closed", "pending"), ("node", "subscribed")]
    assert node.created == one.nodes["node"].created


def test_what_the_store_has_is_prosodys(make, storage):
    service = make()
    service.create("node", OWNER, {"access_model": "whitelist"})
    service.add_subscription("node", OWNER, READER)
    service.publish("node", OWNER + "/r", "a", payload())
    stored = storage.open(HOST, "pubsub_nodes", "keyval").get("node")
    del stored["created"], stored["creator"]
    assert stored == {"name": "node", "config": {"access_model": "whitelist"},
                      "subscribers": {READER: True}, "affiliations": {OWNER: "owner"}}
    ((id, value, _when, publisher),) = storage.open(HOST, "pubsub_node", "archive").find(None)[0]
    assert (id, str(value), publisher) == ("a", "<x xmlns='urn:x'>x</x>", OWNER)


@pytest.mark.parametrize("stored", [
    True, {"name": "node"}, {"config": [], "subscribers": 5, "affiliations": {"a@b": "king"}}])
def test_odd_data_is_a_node_all_the_same(make, storage, stored):
    storage.open(HOST, "pubsub_nodes", "keyval").set("node", stored)
    service = make()
    assert service.nodes["node"].affiliations == {}
    service.publish("node", OWNER, "a", payload())
    assert ids(service.get_items("node", READER)) == ["a"]


def test_a_store_that_fails_changes_nothing(service):
    service.create("node", OWNER)
    service.setup.node_store.fail = StorageError("internal-server-error", "the disk is gone")
    for change, *args in (
            (service.create, "other", OWNER), (service.delete, "node", OWNER),
            (service.add_subscription, "node", READER, READER),
            (service.set_affiliation, "node", OWNER, READER, "member"),
            (service.set_node_config, "node", OWNER, {"title": "T"})):
        with pytest.raises(StorageError):
            change(*args)
    service.setup.node_store.fail = None
    assert list(service.nodes) == ["node"] and service.by_account == {}
    node = service.nodes["node"]
    assert (node.config, node.subscribers, node.affiliations) == ({}, {}, {OWNER: "owner"})
    service.publish("node", OWNER, "a", payload())
    service.delete("node", OWNER)


def test_an_item_that_cannot_be_stored_is_not_told(service, told, monkeypatch):
    service.create("node", OWNER)
    service.publish("node", OWNER, "a", payload())
    archive = service.items(service.nodes["node"]).archive

    def fail(*_args):
        raise StorageError("internal-server-error", "the disk is gone")

    monkeypatch.setattr(archive, "append", fail)
    with pytest.raises(StorageError):
        service.publish("node", OWNER, "b", payload())
    assert [notice[2] for notice in told.notices] == ["a"]
    assert service.get_last_item("node", OWNER).id == "a"


def test_what_is_too_much_goes_with_several_new_items(service):
    service.create("node", OWNER, {"max_items": 3})
    for batch in ("ab", "cd", "e", "fgh"):
        service.publish_all("node", OWNER, [(id, payload()) for id in batch])
        assert service.items(service.nodes["node"]).count() <= 3
    assert ids(service.get_items("node", OWNER)) == ["f", "g", "h"]


def test_several_items_that_cannot_be_stored_are_not_told(service, told, monkeypatch):
    service.create("node", OWNER)
    archive = service.items(service.nodes["node"]).archive

    def refuse(*_args):
        raise StorageError("quota-limit", "so many and no more")

    monkeypatch.setattr(archive, "append_all", refuse)
    contents = [("a", payload()), ("b", payload())]
    assert refused(service.publish_all, "node", OWNER, contents) == "node-full"
    monkeypatch.setattr(archive, "append_all", None)  # as a driver in Lua is
    assert refused(service.publish_all, "node", OWNER, contents) == "not-acceptable"
    assert told.notices == [] and ids(service.get_items("node", OWNER)) == []


def test_a_full_store_is_a_full_node(service, monkeypatch):
    service.create("node", OWNER)
    archive = service.items(service.nodes["node"]).archive

    def refuse(*_args):
        raise StorageError("quota-limit", "so many and no more")

    monkeypatch.setattr(archive, "append", refuse)
    assert refused(service.publish, "node", OWNER, "a", payload()) == "node-full"


def test_events_are_told_in_the_order_in_which_items_are_kept(service, told):
    service.create("node", OWNER, {"max_items": 100})
    work = [gevent.spawn(service.publish, "node", OWNER, str(number), payload())
            for number in range(100)]
    gevent.joinall(work, raise_error=True)
    order = ids(service.get_items("node", OWNER))
    assert [notice[2] for notice in told.notices] == order and len(order) == 100
    assert service.get_last_item("node", OWNER).id == order[-1]


def test_a_node_is_made_once_by_all_who_publish_to_it(make, told):
    service = make(autocreate_on_publish=True)
    created = []
    service.events.add_handler("node-created", lambda event: created.append(event.node))
    gevent.joinall([gevent.spawn(service.publish, "new", OWNER, str(number), payload())
                    for number in range(20)], raise_error=True)
    assert created == ["new"] and len(told.notices) == 20
    assert refused(service.publish, "newer", READER, "a", payload()) == "forbidden"


def test_nothing_comes_back_of_a_node_that_is_deleted_meanwhile(service, storage):
    service.create("node", OWNER)

    def publish():
        for number in range(30):
            try:
                service.publish("node", OWNER, str(number), payload())
            except PubsubError as error:
                assert error.name == "item-not-found"
                return

    work = [gevent.spawn(publish) for _ in range(3)]
    gevent.sleep(0)
    service.delete("node", OWNER)
    gevent.joinall(work, raise_error=True)
    service.create("node", OWNER)
    assert ids(service.get_items("node", OWNER)) == []
    assert list(storage.open(HOST, "pubsub_node", "archive").find(None)[0]) == []


def test_subscriptions_at_the_same_time_are_all_there(make):
    service = make()
    service.create("node", OWNER)
    names = [f"reader{number}@localhost" for number in range(30)]
    gevent.joinall([gevent.spawn(service.add_subscription, "node", name, name)
                    for name in names], raise_error=True)
    assert set(make().nodes["node"].subscribers) == set(names)
    assert service._locks == {}


def test_not_more_items_are_kept_than_may_be(service, storage):
    service.create("node", OWNER, {"max_items": 3})
    archive = storage.open(HOST, "pubsub_node", "archive")
    for number in range(20):
        service.publish("node", OWNER, str(number % 7), payload())
        assert len(list(archive.find(None)[0])) <= 3
    assert ids(service.get_items("node", OWNER)) == ["3", "4", "5"]


def test_what_a_crash_has_left_is_not_seen(make, storage):
    make().create("node", OWNER, {"max_items": 2})
    archive = storage.open(HOST, "pubsub_node", "archive")
    for number in range(4):  # deleting was cut short
        archive.append(None, str(number), payload(), number, OWNER)
    service = make()
    assert ids(service.get_items("node", OWNER)) == ["2", "3"]
    assert ids(service.get_items("node", OWNER, page=PageRequest(before=""))) == ["2", "3"]
    assert ids(service.get_items("node", OWNER, page=PageRequest())) == ["2", "3"]
    service.publish("node", OWNER, "4", payload())
    assert len(list(archive.find(None)[0])) == 2


def test_the_last_item_is_kept_in_memory_unless_it_is_large(service):
    service.create("node", OWNER)
    node = service.nodes["node"]
    service.publish("node", OWNER, "a", payload("x" * (MAX_KEPT + 1)))
    assert node.last is UNKNOWN and service.get_last_item("node", OWNER).id == "a"
    assert node.last is UNKNOWN
    service.publish("node", OWNER, "b", payload())
    assert node.last.id == "b"
    service.retract("node", OWNER, "b")
    assert service.get_last_item("node", OWNER).id == "a"
    service.purge("node", OWNER)
    assert node.last is None and service.get_last_item("node", OWNER) is None


def test_an_item_that_is_read_while_another_is_published_is_not_the_last(service, monkeypatch):
    service.create("node", OWNER)
    service.publish("node", OWNER, "a", payload())
    node = service.nodes["node"]
    node.last = UNKNOWN
    items = service.items(node)
    newest, reached, published = type(items).newest, Event(), Event()

    def slow(self, limit=None):
        found = newest(self, limit)
        reached.set()
        published.wait()
        return found

    monkeypatch.setattr(type(items), "newest", slow)
    reading = gevent.spawn(service.get_last_item, "node", OWNER)
    reached.wait()
    service.publish("node", OWNER, "b", payload())
    published.set()
    assert reading.get().id == "b" and node.last.id == "b"


def test_the_order_stays_when_the_clock_goes_back(service, monkeypatch):
    service.create("node", OWNER)
    times = iter([1000.0, 900.0, 950.0])  # others may ask for the time meanwhile
    monkeypatch.setattr("prosody_py.pubsub.publishing.time.time", lambda: next(times, 960.0))
    for id in "abc":
        service.publish("node", OWNER, id, payload())
    monkeypatch.undo()
    assert ids(service.get_items("node", OWNER)) == ["a", "b", "c"]


def test_there_are_limits(make):
    service = make(max_nodes=2, max_subscriptions=2, max_subscribers=3, max_payload_size=100)
    service.create("one", OWNER)
    service.create("two", OWNER)
    assert refused(service.create, "three", OWNER) == "max-nodes-exceeded"
    assert refused(service.publish, "one", OWNER, "a", payload("x" * 100)) == "payload-too-big"
    service.add_subscription("one", READER, READER)
    service.add_subscription("two", READER, READER)
    assert refused(service.add_subscription, "one", READER, READER + "/r") == \
        "too-many-subscriptions"
    for number in range(2):
        service.add_subscription("one", OWNER, f"{number}@localhost")
    assert refused(service.add_subscription, "one", OWNER, "3@localhost") == \
        "too-many-subscriptions"
    service.remove_subscription("one", READER, READER)
    service.add_subscription("one", OWNER, "3@localhost")


@pytest.mark.parametrize("name", ["", None, 5, "x" * 1024, "\u00e4" * 600, "a\nb", "\x00"])
def test_names_that_cannot_be(service, name):
    assert refused(service.create, name, OWNER) in ("nodeid-required", "not-acceptable")


@pytest.mark.parametrize("id", ["", "x" * 1024])
def test_ids_that_cannot_be(service, id):
    service.create("node", OWNER)
    assert refused(service.publish, "node", OWNER, id, payload()) == "not-acceptable"


def test_too_many_items_are_not_asked_for_at_once(service):
    service.create("node", OWNER)
    assert refused(service.get_items, "node", OWNER, map(str, range(501))) == "not-acceptable"


@pytest.mark.parametrize("page", [PageRequest(after="x"), PageRequest(before="x")])
def test_a_page_that_is_nowhere(service, page):
    service.create("node", OWNER)
    service.publish("node", OWNER, "a", payload())
    assert refused(service.get_items, "node", OWNER, page=page) == "item-not-found"


@pytest.mark.parametrize(("page", "wanted", "index"), [
    (PageRequest(max=2), "01", 0), (PageRequest(max=2, after="1"), "23", None),
    (PageRequest(max=2, before=""), "89", None), (PageRequest(max=2, before="4"), "23", None),
    (PageRequest(max=3, index=8), "89", 8), (PageRequest(max=0), "", None),
])
def test_pages(service, page, wanted, index):
    service.create("node", OWNER)
    for number in range(10):
        service.publish("node", OWNER, str(number), payload())
    found = service.get_items("node", OWNER, page=page)
    assert ("".join(ids(found)), found.count, found.index) == (wanted, 10, index)


def test_events_have_prosodys_names_and_fields(service):
    heard = []
    for name in ("node-created", "item-published", "item-published/node", "item-retracted",
                 "subscription-added", "subscription-removed", "node-purged", "node-deleted"):
        service.events.add_handler(name, lambda event, name=name: heard.append(
            (name, {key: value for key, value in vars(event).items()
                    if key not in ("service", "item")})))
    service.create("node", OWNER)
    service.add_subscription("node", READER, READER)
    service.publish("node", OWNER, "a", payload())
    service.retract("node", OWNER, "a")
    service.remove_subscription("node", READER, READER)
    service.purge("node", OWNER)
    service.delete("node", OWNER)
    own = {"node": "node", "actor": OWNER}
    reader = {"node": "node", "jid": READER, "normalized_jid": READER}
    assert heard == [
        ("node-created", own), ("subscription-added", {**reader, "options": True}),
        ("item-published/node", {**own, "id": "a"}), ("item-published", {**own, "id": "a"}),
        ("item-retracted", {**own, "id": "a"}), ("subscription-removed", reader),
        ("node-purged", own), ("node-deleted", own)]


def test_commands_have_all_there_is(make):
    service = make()
    commands.create_node(service, "node", READER, {"title": "T"})
    commands.configure_node(service, "node", {"max_items": 5})
    service.publish("node", READER, "a", payload())
    (listed,) = commands.list_nodes(service)
    assert (listed["node"], listed["title"], listed["subscribers"]) == ("node", "T", 0)
    read = commands.read_node(service, "node")
    assert read["config"]["max_items"] == 5 and read["affiliations"] == {READER: "owner"}
    assert [(item["id"], item["payload"], item["publisher"]) for item in read["items"]] == [
        ("a", "<x xmlns='urn:x'>x</x>", READER)]
    commands.delete_node(service, "node")
    assert commands.list_nodes(service) == []
