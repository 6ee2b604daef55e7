"""Services of our mod_pep and mod_pubsub in the hands of Lua modules."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import Asking, Wanting, event_ids

MODULE = """
local st = require "util.stanza";
local pep = module:depends("pep");
local log = {};
module:handle_items("pep-service", function (event)
	local service = event.item.service;
	log[#log + 1] = "service " .. event.item.jid;
	module:hook_object_event(service.events, "item-published", function (e)
		log[#log + 1] = "published " .. e.node .. " " .. e.id .. " "
			.. e.item:get_child_text("x", "urn:example:x") .. " "
			.. tostring(e.service == service) .. " " .. tostring(e.actor);
	end);
end, function (event) log[#log + 1] = "gone " .. event.item.jid; end);
local function say(...)
	local out = {};
	for i = 1, select("#", ...) do out[i] = tostring((select(i, ...))); end
	return table.concat(out, " ");
end
module:hook("iq-get/host/urn:test:log", function () end);
module:hook("iq-get/host/urn:test:do", function () end);
function run(username)
	local s, out = pep.get_pep_service(username), {};
	local function add(...) out[#out + 1] = say(...); end
	add(s:create("made", true, { access_model = "open", max_items = 3 }));
	add(s:create("made", true));
	local item = st.stanza("item", { xmlns = "http://jabber.org/protocol/pubsub", id = "i" })
		:text_tag("x", "text", { xmlns = "urn:example:x" });
	add(s:publish("made", true, "i", item));
	add(s:publish("made", "stranger@localhost", "i", item));
	add(s:publish("made", true, "i", item, { access_model = "whitelist" }));
	local ok, items = s:get_items("made", true);
	add(ok, #items, items[1], items[items[1]].attr.id,
		items.i:get_child_text("x", "urn:example:x"));
	local ok, id, last = s:get_last_item("made", true);
	add(ok, id, last.name);
	add(s:get_last_item("missing", true));
	add(s:get_items("made", "stranger@localhost", { "none" }));
	local ok, config = s:get_node_config("made", true);
	add(ok, config.access_model, config.max_items, config.persist_items);
	add(s:set_node_config("made", true, { title = "Title" }));
	add(s.nodes.made.config.title, s.nodes.made.config.access_model, s.nodes.made.name);
	add(s:add_subscription("made", true, "romeo@localhost"));
	local ok, found = s:get_subscriptions("made", true);
	add(ok, #found, found[1].jid, found[1].node, found[1].subscription);
	add(s:remove_subscription("made", true, "romeo@localhost"));
	add(s:remove_subscription("made", true, "romeo@localhost"));
	add(s:set_affiliation("made", true, "romeo@localhost", "publisher"));
	add(s.nodes.made.affiliations["romeo@localhost"]);
	add(s:retract("made", true, "i", true));
	add(s:retract("made", true, "i"));
	add(s:purge("made", true));
	local ok, nodes = s:get_nodes(true);
	local names = {};
	for name in pairs(nodes) do names[#names + 1] = name; end
	add(ok, table.concat(names, ","));
	add(s.config.jid, s.config.normalize_jid("a@b/c"), s.config.max_items);
	add(s:delete("made", true));
	add(s:delete("made", true));
	return table.concat(out, "\\n");
end
function log_text() return table.concat(log, "\\n"); end
"""
EXPECTED = """true
false conflict
true
false forbidden
false precondition-not-met
true 1 i i text
true i item
false item-not-found
true table
true open 3 true
true
Title presence made
true
true 1 romeo@localhost made true
true
false not-subscribed
true
publisher
true
false item-not-found
true
true made
juliet@localhost a@b 256
true
false item-not-found"""


@pytest.mark.parametrize("runtime", ["lua54", "luajit21"])
def test_the_methods_of_a_service_are_prosodys(start_server, tmp_path, runtime):
    (tmp_path / "mod_look.lua").write_text(MODULE)
    running = start_server(["pep", "look"], plugin_paths=[str(tmp_path)], lua_runtime=runtime)
    juliet = running.client("juliet").available()
    look = running.server.hosts["localhost"].modules["look"].exports
    said = look["run"]("juliet")
    assert [line.split(": 0x")[0] for line in said.splitlines()] == EXPECTED.splitlines()
    Asking(juliet).publish("node", "a")
    assert look["log_text"]().splitlines() == [
        "service juliet@localhost", "published made i text true true",
        f"published node a a true {juliet.jid}"]


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["lua54", "luajit21"])
def test_debians_modules_work_on_ours(start_server, debian_module, tmp_path, runtime):
    for name in ("http_pep_avatar", "vcard_legacy", "bookmarks"):
        (tmp_path / debian_module(name).name).symlink_to(debian_module(name))
    running = start_server(["pep", "vcard_legacy", "bookmarks"], plugin_paths=[str(tmp_path)],
                           lua_runtime=runtime)
    modules = running.server.hosts["localhost"].modules
    assert [modules[name].code.language for name in ("pep", "vcard_legacy", "bookmarks")] == [
        "python", "lua", "lua"]
    juliet = running.client("juliet").available()
    own = Asking(juliet)
    answer = juliet.iq("set", "<vCard xmlns='vcard-temp'><FN>Juliet</FN><PHOTO><TYPE>image/png"
                       "</TYPE><BINVAL>cGljdHVyZQ==</BINVAL></PHOTO></vCard>")
    assert answer.attr["type"] == "result", str(answer)
    assert len(own.items("urn:xmpp:avatar:data")) == 1
    vcard = juliet.iq("get", "<vCard xmlns='vcard-temp'/>").get_child("vCard", "vcard-temp")
    assert vcard.get_child("PHOTO").get_child_text("BINVAL") == "cGljdHVyZQ=="
    room = "<conference jid='hall@rooms.localhost' autojoin='1' name='Hall'/>"
    old = ("<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>{}</storage>"
           "</query>")
    assert juliet.iq("set", old.format(room)).attr["type"] == "result"
    assert own.items("urn:xmpp:bookmarks:1") == ["hall@rooms.localhost"]
    assert event_ids(Wanting("urn:xmpp:bookmarks:1").announce(juliet)) == []  # never, they say
    id = "cell@rooms.localhost"
    own.publish("urn:xmpp:bookmarks:1", id, "<conference xmlns='urn:xmpp:bookmarks:1'/>")
    assert event_ids(juliet.flush()) == [("urn:xmpp:bookmarks:1", id)]
    storage = juliet.iq("get", old.format("")).tags[0].tags[0]
    assert {tag.attr["jid"] for tag in storage.tags} == {"hall@rooms.localhost", id}
