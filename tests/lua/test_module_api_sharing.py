"""What modules keep over a reload and share, dependencies, status, and items of all kinds."""

from __future__ import annotations

import gc

import pytest

from prosody_py.api.commands import Registry
from prosody_py.api.errors import LoadError
from prosody_py.api.measures import measures
from prosody_py.events.bus import Event

HOST = "example.com"
SHARED = """
module:set_global();
function module.add_host(module)
    count = 0;
    local state = { host = module.host };
    function module.save() state.saved = true; return state; end
    function module.restore(data)
        state = data;
        restored = (restored or "") .. data.host .. tostring(data.saved);
    end
end
"""


def test_host_instances_of_a_shared_module_keep_their_state(place):
    place.load("wide", SHARED)
    place.modules.load("example.org", "wide")
    place.reload("wide", host="*")
    exports = place.modules.get_module("*", "wide").exports
    assert exports.restored in ("example.comtrueexample.orgtrue",
                                "example.orgtrueexample.comtrue")


def test_a_host_instance_that_cannot_save_keeps_all_in_service(place):
    place.load("wide", SHARED.replace("state.saved = true;", "error('cannot save');"))
    old = place.modules.get_module(HOST, "wide")
    with pytest.raises(LoadError, match="could not save its state"):
        place.reload("wide", host="*")
    assert place.modules.get_module(HOST, "wide") is old


def test_a_shared_cache_keeps_nothing_alive(place):
    module = place.load("cached", """
        local cache = module:shared("things-cache");
        kept = {};
        cache.kept, cache.lost, cache[1] = kept, {}, "text stays";
        assert(module:shared("cached/things-cache") == cache);
        function names()
            local found = {};
            for name in pairs(module:shared("things-cache")) do found[tostring(name)] = true; end
            return found;
        end
    """)
    for _ in range(3):
        gc.collect()
        place.run("collectgarbage(); collectgarbage()")
    assert module.exports.names().copy() == {"kept": True, "1": True}


def test_dependencies_are_known_in_both_directions(place):
    place.load("base", "function needed_by() return module.reverse_dependencies; end")
    top = place.load("top", "module:depends('base'); function needs() return "
                            "module.dependencies; end")
    base = place.modules.get_module(HOST, "base")
    assert top.exports.needs().copy() == {"base": True}
    assert base.exports.needed_by().copy() == {"top": True}
    place.modules.unload(HOST, "top")
    assert base.exports.needed_by() is None


def test_an_error_stays_the_status_until_somebody_insists(place):
    told = []
    place.host.events.add_handler("module-status/updated", lambda event: told.append(event.name))
    module = place.load("state", """
        module:set_status("error", "broken");
        module:set_status("info", "fine");
        first = { module:get_status() };
        module:set_status("info", "mended", true);
        module:set_status("core", "less", false);
        type_, message, since = module:get_status();
        module:log_status("warn", "%d left", 5);
        assert(module.status_message == "5 left" and module.status_type == "warn");
        assert(since <= module.status_time);
    """)
    assert module.exports.first.copy()[:2] == ["error", "broken"]
    assert (module.exports.type_, module.exports.message) == ("info", "mended")
    assert told == ["state", "state", "state"]


def test_events_can_be_timed(place):
    place.load("timed", """
        module:hook("x", function () return "result"; end);
        module:measure_event("x", "x_time");
        module:measure_global_event("y");
    """)
    assert place.host.events.fire_event("x", Event()) == "result"
    place.server.events.fire_event("y")
    metrics = measures(place.server).metrics
    assert metrics["prosody_mod_timed/x_time"].labelled().count == 1
    assert metrics["prosody_mod_timed/y"].labelled().count == 1


def test_broadcast_takes_an_iterator_of_addresses(place):
    seen = []
    place.host.events.add_handler(
        "message/bare", lambda event: seen.append(event.stanza.attr["to"]) or True)
    place.load("sender", """
        local st, set = require "util.stanza", require "util.set";
        local message = st.message({ from = module.host });
        module:broadcast({ ["a@example.com"] = true }, message, pairs);
        module:broadcast(set.new { "b@example.com" }, message, function (addresses)
            return addresses:items();
        end);
        assert(message.attr.to == nil);
    """)
    assert seen == ["a@example.com", "b@example.com"]


def test_a_global_module_sends_in_the_name_of_a_host_of_ours(place):
    seen = []
    place.host.events.add_handler(
        "message/bare", lambda event: seen.append(event.origin) or True)
    place.load("wide", """
        module:set_global();
        local st = require "util.stanza";
        module:send(st.message({ to = "a@example.com", from = "example.org" }));
        ok, err = pcall(module.send, module, st.message({ to = "a@example.com" }));
    """)
    assert seen == [place.other_host]
    exports = place.modules.get_module("*", "wide").exports
    assert exports.ok is False and "our hosts" in exports.err


def test_a_context_may_be_of_a_host_that_is_not_ours(place):
    module = place.load("ctx", """
        local other = module:context("elsewhere.example");
        kind = other:get_host_type();
        path = module:get_option_path("missing", "words.txt");
    """)
    assert module.exports.kind is None
    assert module.exports.path == str(place.folder / "words.txt")


def test_commands_for_the_shell_come_from_lua_as_well(place):
    place.load("commands", """
        module:add_item("shell-command", { section = "demo", section_desc = "A demonstration",
            name = "greet", desc = "Greets somebody", args = { { name = "who", type = "string" } },
            handler = function (self, who) return true, "Hello " .. who; end });
    """)
    registry = Registry.of(place.server)
    command, words = registry.find(["demo", "greet", "Juliet"])
    assert (command.words, words) == (("demo", "greet"), ["Juliet"])
    assert command.handler_for(command.parse(words))(None, *words) == (True, "Hello Juliet")


def test_providers_of_service_discovery_are_the_same_for_both_languages(start_server, tmp_path,
                                                                        kind):
    (tmp_path / "mod_tells.lua").write_text("""
        module:add_feature("urn:demo");
        module:add_identity("client", "bot", "Bot");
        local form = require "util.dataforms".new {
            { name = "FORM_TYPE", type = "hidden", value = "urn:demo:form" };
            { name = "size", type = "text-single" } };
        module:add_extension(form:form({ size = "5" }, "result"));
        module:handle_items("feature", function (event)
            features = (features or 0) + 1;
        end, function () end);
    """)
    running = start_server(["tells"], plugin_paths=[str(tmp_path)], lua_runtime=kind)
    info = running.client("juliet").iq(
        "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "localhost").tags[0]
    assert any(tag.attr.get("var") == "urn:demo" for tag in info.tags)
    assert any(tag.attr.get("type") == "bot" for tag in info.tags)
    assert "urn:demo:form" in str(info) and "<value>5</value>" in str(info)
    assert running.server.modules.get_module("localhost", "tells").exports.features > 1
