"""What modules offer each other: items, providers, features."""

import pytest


@pytest.fixture
def seen(server):
    """Notes of items that come and go on localhost."""
    events, notes = server.hosts["localhost"].events, []

    def added(event):
        notes.append(("+", event.source.name, event.item))

    def removed(event):
        notes.append(("-", event.source.name, event.item))

    for key in ("thing", "auth-provider", "feature", "identity"):
        events.add_handler("item-added/" + key, added)
        events.add_handler("item-removed/" + key, removed)
    yield notes
    for key in ("thing", "auth-provider", "feature", "identity"):
        events.remove_handler("item-added/" + key, added)
        events.remove_handler("item-removed/" + key, removed)


def test_an_item_is_there_from_adding_to_removing(module, seen):
    item = {"a": 1}
    module.add_item("thing", item)
    assert module.get_host_items("thing") == [item]
    assert module.remove_item("thing", {"a": 1}) is None  # an equal one is another one
    assert module.remove_item("thing", item) is item
    assert module.remove_item("thing", item) is None
    assert module.get_host_items("thing") == [] and module.items == {}
    assert seen == [("+", "probe", item), ("-", "probe", item)]


@pytest.mark.parametrize(("name", "kind", "expected"), [
    ("fruit_own", "fruit", "own"), ("own", "fruit", "own"), ("fruit_own", "nut", "fruit_own")])
def test_a_provider_without_a_name_is_named_after_the_module(load, name, kind, expected):
    module, item = load(name), {"default_port": 1}
    assert module.provides(kind, item) is item
    assert item == {"default_port": 1, "name": expected, "_provided_by": name}
    assert module.get_host_items(kind + "-provider") == [item]


def test_a_providers_own_name_is_kept(module):
    class Provider:
        name = "mine"

    provider = Provider()
    module.provides("storage", provider)
    assert (provider.name, provider._provided_by) == ("mine", "probe")
    assert module.provides("storage", {"name": "other"})["name"] == "other"


def test_without_an_item_the_module_itself_is_the_provider(load):
    module = load("storage_own", "def open(store): return 'open ' + store\n"
                                 "def load(module): module.provides('storage')")
    [provider] = module.get_host_items("storage-provider")[-1:]
    assert provider.open("x") == "open x"
    assert (provider.name, provider._provided_by) == ("own", "storage_own")


def test_a_consumer_gets_what_is_there_and_what_comes(load, server):
    first = load("first", "def load(module): module.add_item('thing', 'one')")
    module, notes = load(), []
    module.handle_items("thing", lambda event: notes.append("+" + event.item),
                        lambda event: notes.append("-" + event.item))
    first.add_item("thing", "two")
    server.modules.unload("localhost", "first")
    assert notes == ["+one", "+two", "-two", "-one"]
    server.modules.unload("localhost", "probe")
    load("first", "def load(module): module.add_item('thing', 'one')")
    assert len(notes) == 4


def test_a_consumer_may_do_without_what_is_there_already(load):
    first = load("first", "def load(module): module.add_item('thing', 'one')")
    module, notes = load(), []
    module.handle_items("thing", lambda event: notes.append("+" + event.item),
                        lambda event: notes.append("-" + event.item), False)
    first.add_item("thing", "two")
    assert notes == ["+two"]


def test_features_and_identities_are_items(module, seen):
    module.add_feature("urn:x")
    module.add_identity("client", "bot", "Bob")
    assert seen == [("+", "probe", "urn:x"), ("+", "probe", {
        "category": "client", "type": "bot", "name": "Bob"})]
