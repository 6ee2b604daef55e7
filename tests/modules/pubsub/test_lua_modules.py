"""Unmodified Lua modules on our component and on our bookmarks."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.pubsub import Asking, event_ids, payload

pytestmark = pytest.mark.slow
HOST, BOOKMARKS = "pubsub.localhost", "urn:xmpp:bookmarks:1"
SUMMARY = """
module:hook("pubsub-summary/urn:example:x", function (event)
	return "It is " .. event.payload:get_text();
end);
local service = module:depends("pubsub").service;
service:create("from lua", true, { access_model = "open" });
module:hook_object_event(service.events, "item-published", function (event)
	if event.node == "source" then
		service:publish("from lua", true, event.id, event.item);
	end
end);
"""


@pytest.fixture(params=KINDS)
def start(request, start_server, debian_module, tmp_path):
    """Return a function that starts a server with a component and modules of Debian on it."""
    def start(names=(), on_component=(), **options):
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        for name in (*names, *[name for name in on_component if name != "summary"]):
            (folder / debian_module(name).name).symlink_to(debian_module(name))
        component = {"module": "pubsub", "pubsub_create_nodes": "accounts",
                     "modules_enabled": list(on_component)}
        return start_server(["pep", "private", "bookmarks", "message", "presence", *names],
                            plugin_paths=[str(folder)], lua_runtime=request.param,
                            components={HOST: component}, **options)

    return start


def test_a_component_that_can_be_talked_to(start):
    running = start(on_component=["pubsub_text_interface"])
    juliet = running.client("juliet").available()
    own = Asking(juliet, HOST)
    own.create("news")
    own.publish("news", "1")

    def say(text):
        juliet.send(f"<message to='{HOST}' type='chat' id='m'><body>{text}</body></message>")
        return [element for element in juliet.flush() if element.name == "message"]

    def answer(text):
        return say(text)[0].get_child_text("body")

    assert "news" in answer("list")
    assert answer("subscribe other") == "That node does not exist"
    say("subscribe news")
    assert own.get("<subscriptions/>").tags[0].attr["node"] == "news"
    assert "news" in answer("subscriptions")
    assert event_ids(say("last news"))[:1] == [("news", "1")]
    say("unsubscribe news")
    assert own.get("<subscriptions/>").tags == []


def test_lua_publishes_and_makes_texts(start, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mod_summary.lua").write_text(SUMMARY)
    running = start(on_component=["summary"])
    juliet = running.client("juliet").available()
    own = Asking(juliet, HOST)
    own.create("source")
    options = ("<options><x xmlns='jabber:x:data' type='submit'><field var='pubsub#include_body'>"
               "<value>1</value></field></x></options>")
    own.set(f"<subscribe node='from lua' jid='{juliet.bare_jid}'/>{options}")
    own.publish("source", "a", payload("good"))
    message = juliet.message()
    assert event_ids([message]) == [("from lua", "a")]
    assert message.get_child_text("body") == "It is good"
    assert own.items("from lua") == ["a"]


def test_default_bookmarks(start):
    running = start(["default_bookmarks"], default_bookmarks=["hall@rooms.localhost"])
    own = Asking(running.client("juliet").available())
    assert own.items(BOOKMARKS) == ["hall@rooms.localhost"]
    own.set(f"<retract node='{BOOKMARKS}'><item id='hall@rooms.localhost'/></retract>")
    own.publish(BOOKMARKS, "own@rooms.localhost", f"<conference xmlns='{BOOKMARKS}'/>")
    again = Asking(running.client("juliet").available())
    assert again.items(BOOKMARKS) == ["own@rooms.localhost"]
