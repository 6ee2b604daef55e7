"""mod_pubsub: what administrators do with nodes in the shell."""

from __future__ import annotations

import pytest

from prosody_py.api import CommandError

HOST = "pubsub.localhost"


@pytest.fixture
def pubsub(server):
    """Return a function that runs a command `pubsub ... HOST ...`."""
    return lambda name, *words: server.command("pubsub", name, HOST, *words)


def test_a_node_is_made_shown_configured_and_deleted(pubsub, node, francisco):
    owner = francisco.client.bare_jid
    pubsub("create", node, owner)
    assert [node, None, "open", 0] in pubsub("list-nodes")["rows"]
    facts = pubsub("node", node)["rows"]
    assert ["affiliation", f"{owner}: owner"] in facts
    assert ["persist_items", "yes"] in facts
    pubsub("configure", node, "title", "A", "fine", "node")
    pubsub("configure", node, "access_model", "whitelist")
    pubsub("configure", node, "notify_config", "yes")
    pubsub("configure", node, "max_items", "5")
    facts = pubsub("node", node)["rows"]
    assert ["title", "A fine node"] in facts and ["access_model", "whitelist"] in facts
    assert ["notify_config", "yes"] in facts and ["max_items", 5] in facts
    francisco.publish(node, "i1")
    (item,) = pubsub("items", node)["rows"]
    assert item[0] == "i1" and item[1].endswith("Z")
    pubsub("configure", node, "access_model")
    assert ["access_model", "open"] in pubsub("node", node)["rows"]
    pubsub("delete", node)
    assert node not in [row[0] for row in pubsub("list-nodes")["rows"]]


def test_what_cannot_be_done_says_why(pubsub, made):
    for words, condition in (
            (("create", made), "conflict"), (("node", "nothing"), "item-not-found"),
            (("delete", "nothing"), "item-not-found"),
            (("configure", made, "size", "3"), "item-not-found"),
            (("configure", made, "access_model", "closed"), "not-acceptable"),
            (("configure", made, "max_items", "many"), "not-acceptable")):
        with pytest.raises(CommandError) as error:
            pubsub(*words)
        assert error.value.condition == condition, words
