"""Services of accounts: made, kept, forgotten, deleted; and the data that Debian's mod_pep has."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.hosts import users
from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids, payload, values

NODE = "urn:example:node"


def module_of(running):
    return running.server.hosts["localhost"].modules["pep"]


def store(running, name, kind="keyval"):
    return running.server.storage.open("localhost", name, kind)


def test_nodes_survive_a_restart(tmp_path, launch):
    for step in range(2):
        running = launch(tmp_path, ["pep"], storage="sqlite")
        try:
            own = Asking(running.client("juliet").available())
            if step == 0:
                own.create(NODE, max_items=2, access_model="open")
                for id in "abc":
                    own.publish(NODE, id)
                own.subscribe(NODE)
            assert own.items(NODE) == ["b", "c"]
            form = values(own.get(f"<configure node='{NODE}'/>", owner=True).tags[0])
            assert (form["max_items"], form["access_model"]) == (["2"], ["open"])
            assert len(own.get("<subscriptions/>").tags) == 1
        finally:
            running.stop()


def write(own):
    """Make nodes in several ways."""
    own.create("made", title="T", max_items=3)
    for id in "ab":
        own.publish("made", id)
    own.publish("auto", "1", access_model="whitelist", max_items="max")
    own.subscribe("made")


def stored(running):
    nodes = store(running, "pep").get("juliet")
    for node in nodes.values():
        for ours_alone in ("created", "creator"):
            node.pop(ours_alone, None)
    items = {name: [(id, str(value), publisher) for id, value, _when, publisher
                    in store(running, "pep_" + name, "archive").find("juliet")[0]]
             for name in nodes}
    return nodes, items


@pytest.mark.slow
def test_data_is_that_of_debians_mod_pep(start_server, debian_module, tmp_path):
    """What one has written is the same as the other's, and each reads the other's."""
    (tmp_path / "plugins").mkdir()
    for name in ("pep", "pubsub"):
        (tmp_path / "plugins" / debian_module(name).name).symlink_to(debian_module(name))
    debian = {"plugin_paths": [str(tmp_path / "plugins")]}
    found = {}
    for writer in ("ours", "debian"):
        folder = tmp_path / writer
        folder.mkdir()
        kept = None
        for reader in (writer, "debian" if writer == "ours" else "ours"):
            running = start_server(["pep"], storage="sqlite", sqlite_file=str(folder / "db"),
                                   **(debian if reader == "debian" else {}))
            assert module_of(running).code.language == (
                "lua" if reader == "debian" else "python")
            own = Asking(running.client("juliet").available())
            if reader == writer:
                write(own)
                kept = found[writer] = stored(running)
            else:
                assert kept == stored(running)
                assert sorted(own.items("made")) == ["a", "b"] and own.items("auto") == ["1"]
                form = values(own.get("<configure node='made'/>", owner=True).tags[0])
                assert (form["title"], form["max_items"]) == (["T"], ["3"])
                assert len(own.get("<subscriptions/>").tags) == 1
                own.publish("made", "c")
                assert sorted(own.items("made")) == ["a", "b", "c"]
            running.stop()
    assert found["ours"] == found["debian"]


def test_an_older_version_has_only_noted_that_there_is_a_node(start_server):
    running = start_server(["pep"])
    running.user("juliet")
    store(running, "pep").set("juliet", {NODE: True})
    own = Asking(running.client("juliet").available())
    assert own.items(NODE) == []
    own.publish(NODE, "a")


def test_services_come_and_go(start_server):
    running = start_server(["pep"], pep_service_cache_size=2)
    module = module_of(running)
    people = [Asking(running.client(f"user{number}").available()) for number in range(5)]
    for turn in range(2):
        for own in people:
            own.publish(NODE, str(turn))
        assert len(module.services._held) == 2
        items = [item["jid"] for item in module.get_host_items("pep-service")]
        assert items == ["user3@localhost", "user4@localhost"]
    assert all(own.items(NODE) == ["1"] for own in people)
    # What strangers ask for is not kept.
    for number in range(20):
        people[0].client.iq("get", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                            "<items node='x'/></pubsub>", f"nobody{number}@localhost")
    assert set(module.services._held) <= {f"user{number}" for number in range(5)}
    assert len(module.services._live) <= 5


def test_all_get_the_same_service(start_server):
    running = start_server(["pep"], pep_service_cache_size=1, storage="sqlite")
    services = module_of(running).services
    found = [gevent.spawn(services.get, "juliet") for _ in range(5)]
    gevent.joinall(found)
    kept = found[0].value
    assert all(greenlet.value is kept for greenlet in found)
    for name in ("romeo", "tybalt"):
        services.get(name)
    assert "juliet" not in services._held and services.get("juliet") is kept


def test_who_has_no_nodes_costs_a_name(start_server):
    running = start_server(["pep"], pep_service_cache_size=1)
    services = module_of(running).services
    for number in range(100):
        assert services.with_nodes(f"user{number}") is None
    assert len(services._held) == 0 and len(services._empty) == 16
    own = Asking(running.client("user99").available())
    own.publish(NODE, "a")
    assert services.with_nodes("user99") is not None


def test_an_account_takes_everything_along(start_server):
    running = start_server(["pep"])
    own = Asking(running.client("juliet").available())
    own.publish(NODE, "a")
    own.set(f"<delete node='{NODE}'><redirect uri='xmpp:x'/></delete>", owner=True)
    own.publish("other", "b")
    users.delete_user(running.server, "juliet", "localhost")
    assert store(running, "pep").get("juliet") is None
    assert store(running, "pep_moved").get("juliet") is None
    assert list(store(running, "pep_other", "archive").find("juliet")[0]) == []
    own = Asking(running.client("juliet").available())
    assert own.refused("get", "<items node='other'/>")[1] == "item-not-found"
    assert own.refused("get", f"<items node='{NODE}'/>")[1] == "item-not-found"


def test_there_are_limits(start_server):
    running = start_server(["pep"], pep_max_nodes=2, pep_max_items=3, pep_max_payload_size=200)
    own = Asking(running.client("juliet").available())
    for name in "ab":
        own.publish(name, "1")
    item = f"<publish node='c'><item>{payload()}</item></publish>"
    assert own.refused("set", item) == ("wait", "policy-violation", "max-nodes-exceeded")
    big = f"<publish node='a'><item>{payload('x' * 200)}</item></publish>"
    assert own.refused("set", big) == ("modify", "not-acceptable", "payload-too-big")
    own.configure("a", max_items="max")
    for id in "abcde":
        own.publish("a", id)
    assert own.items("a") == ["c", "d", "e"]
    long = "x" * 1024
    assert own.refused("set", f"<publish node='{long}'><item>{payload()}</item></publish>")[1] == \
        "not-acceptable"
    assert own.refused("set", f"<publish node='a'><item id='{long}'>{payload()}</item></publish>"
                       )[1] == "not-acceptable"


def test_a_reload_changes_nothing(start_server):
    running = start_server(["pep", "presence"])
    people = People(running)
    people.befriend("juliet", "romeo")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    Wanting(NODE).announce(romeo)
    own = Asking(juliet)
    own.publish(NODE, "a")
    assert event_ids(romeo.flush()) == [(NODE, "a")]
    running.server.modules.reload("localhost", "pep")
    own.publish(NODE, "b")
    assert event_ids(romeo.flush()) == [(NODE, "b")]
    assert own.items(NODE) == ["b"]
    people.close()


def test_the_publisher_can_be_told(start_server):
    running = start_server(["pep", "presence"], expose_publisher=True)
    juliet = running.client("juliet", "r").available()
    Wanting(NODE).announce(juliet)
    own = Asking(juliet)
    item = f"<item id='a' publisher='romeo@localhost'>{payload()}</item>"
    own.set(f"<publish node='{NODE}'>{item}</publish>")
    for found in (juliet.message().tags[0].tags[0], own.get(f"<items node='{NODE}'/>")):
        assert found.tags[0].attr["publisher"] == "juliet@localhost"


def test_a_node_of_ones_own_can_wait_for_approval(start_server):
    running = start_server(["pep", "presence", "message"])
    juliet, romeo = (running.client(name, "r").available() for name in ("juliet", "romeo"))
    own, asking = Asking(juliet), Asking(romeo, "juliet@localhost")
    own.publish(NODE, "a", access_model="authorize")
    assert asking.subscribe(NODE) == "pending"
    x = juliet.message().get_child("x", "jabber:x:data")
    assert values(x)["subscriber_jid"] == ["romeo@localhost"]
    x.attr["type"] = "submit"
    x.get_child_with_attr("field", None, "var", "pubsub#allow").tags[0].children[:] = ["1"]
    juliet.send(f"<message to='juliet@localhost'>{x}</message>").flush()
    assert asking.items(NODE) == ["a"]
    assert event_ids(romeo.flush()) == [(NODE, "a")]
    own.publish(NODE, "b")
    assert event_ids(romeo.flush()) == [(NODE, "b")]
    romeo.send("<message type='error' to='juliet@localhost'><error type='cancel'><gone "
               "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>").flush()
    assert len(asking.get("<subscriptions/>").tags) == 1  # another address has said so


def test_blocked_contacts_are_not_told(start_server, tmp_path):
    (tmp_path / "mod_blocklist.py").write_text(
        '"""Blocks romeo."""\n\n\ndef is_blocked(username, address):\n'
        '    return address.startswith("romeo")\n')
    running = start_server(["pep", "presence", "blocklist"], plugin_paths=[str(tmp_path)])
    people = People(running)
    for name in ("romeo", "nurse"):
        people.befriend("juliet", name)
    juliet, romeo, nurse = (people.login(name) for name in ("juliet", "romeo", "nurse"))
    for client in (romeo, nurse):
        Wanting(NODE).announce(client)
    Asking(juliet).publish(NODE, "a")
    assert event_ids(nurse.flush()) == [(NODE, "a")] and event_ids(romeo.flush()) == []
    people.close()


def test_commands_reach_the_nodes_of_accounts(start_server):
    running = start_server(["pep"])
    pep = module_of(running).exports
    own = Asking(running.client("juliet").available())
    pep.create_node("juliet", NODE, {"title": "T"})
    own.publish(NODE, "a")
    pep.configure_node("juliet", NODE, {"access_model": "open"})
    (listed,) = pep.list_nodes("juliet")
    assert (listed["node"], listed["title"], listed["access_model"]) == (NODE, "T", "open")
    read = pep.read_node("juliet", NODE)
    assert [item["id"] for item in read["items"]] == ["a"]
    pep.delete_node("juliet", NODE)
    assert own.refused("get", f"<items node='{NODE}'/>")[1] == "item-not-found"


def test_not_more_is_remembered_of_moved_nodes_than_there_may_be_nodes(start_server):
    running = start_server(["pep"], pep_max_nodes=3)
    own = Asking(running.client("juliet").available())
    for number in range(5):
        own.create(f"n{number}")
        own.set(f"<delete node='n{number}'><redirect uri='xmpp:x'/></delete>", owner=True)
    assert len(store(running, "pep_moved").get("juliet")) == 3
    assert own.refused("get", "<items node='n4'/>")[1] == "gone"
