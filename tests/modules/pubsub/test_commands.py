"""The shell's commands for services, with Prosody's names."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event
from prosody_py.testing.pubsub import Asking, payload, values

HOST = "pubsub.localhost"


@pytest.fixture
def running(start_server):
    return start_server(["pep", "presence", "admin_shell"], components={
        HOST: {"module": "pubsub"}}, admins=["hamlet@localhost"])


@pytest.fixture
def ask(running):
    """Return a function that runs a command and gives its answer."""
    def ask(*words):
        return running.server.events.fire_event("admin-request", Event(
            question={"words": ["pubsub", *words]}, user=0, process=1, say=lambda line: None))

    return ask


@pytest.mark.parametrize("address", [HOST, "juliet@localhost"])
def test_nodes_from_the_shell(running, ask, address):
    juliet = running.client("juliet").available()
    hamlet = running.client("hamlet").available()
    own = Asking(*((hamlet, HOST) if address == HOST else (juliet, None)))
    assert ask("create_node", address, "news")["text"] == "The node news was made"
    assert "already" in ask("create_node", address, "news")["error"]
    ask("set_node_config_option", address, "news", "title", "The news")
    ask("set_node_config_option", address, "news", "max_items", "5")
    assert "no whole number" in ask("set_node_config_option", address, "news", "max_items",
                                    "x")["error"]
    assert "The options are" in ask("set_node_config_option", address, "news", "x", "y")["error"]
    for id in "ab":
        own.publish("news", id, payload(id))
    listed = ask("list_nodes", address)
    assert listed["rows"] == [["news", "The news", "open" if address == HOST else "presence", 0]]
    assert [row[0] for row in ask("list_items", address, "news")["rows"]] == ["a", "b"]
    assert ask("get_item", address, "news", "a")["text"] == str(payload("a"))
    config = dict(ask("get_node_config", address, "news")["rows"])
    assert config["title"] == "The news" and config["max_items"] == "5"
    ask("set_node_config_option", address, "news", "title")
    form = values(own.get("<configure node='news'/>", owner=True).tags[0]) if address == HOST \
        else {}
    assert form.get("title", []) == []
    ask("delete_item", address, "news", "a")
    assert own.items("news") == ["b"]
    assert "no such item" in ask("delete_item", address, "news", "a")["error"]
    assert "no such item" in ask("get_item", address, "news", "a")["error"]
    ask("delete_all_items", address, "news")
    assert own.items("news") == []
    assert ask("delete_node", address, "news")["text"] == "The node news was deleted"
    assert "no such node" in ask("delete_node", address, "news")["error"]


def test_services_that_are_not_there(running, ask):
    for address in ("nobody@localhost", "localhost"):
        assert "no service" in ask("list_nodes", address)["error"]
