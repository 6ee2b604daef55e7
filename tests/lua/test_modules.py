"""Lua modules in the server's loader: life cycle, reload, environments."""

from __future__ import annotations

import gc
import logging

import gevent
import pytest

from prosody_py.api.errors import LoadError
from prosody_py.events.bus import Event, StanzaEvent
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"


def fire(place, event="x", **fields):
    return place.host.events.fire_event(event, Event(**fields))


def count_environments(place):
    # Chains that go through both languages take a round of both collectors for each step.
    for _ in range(4):
        gc.collect()
        place.run("collectgarbage(); collectgarbage()")
    return place.run("""
        collectgarbage(); collectgarbage();
        local n = 0;
        for _ in pairs(watched) do n = n + 1; end
        return n;
    """)


def test_functions_of_the_life_cycle_run_in_prosodys_order(place):
    place.run("prosody.unlock_globals(); trace = {}; prosody.lock_globals()")
    text = """
        trace[#trace + 1] = "chunk" .. tostring(module.reloading or false);
        function module.load()
            trace[#trace + 1] = "load" .. tostring(module.reloading or false);
        end
        function module.save() trace[#trace + 1] = "save"; return { n = 5, f = trace }; end
        function module.restore(s)
            trace[#trace + 1] = "restore" .. s.n .. tostring(s.f == trace)
                .. tostring(module.reloading);
        end
        function module.unload() trace[#trace + 1] = "unload"; end
        function module.ready() trace[#trace + 1] = "ready"; end
    """
    place.load("cycle", text)
    place.server.mark_started()
    place.reload("cycle", text)
    gevent.sleep(0.01)
    place.modules.unload(HOST, "cycle")
    assert place.run("return table.concat(trace, ' ')") == (
        "chunkfalse loadfalse ready save unload chunktrue loadtrue restore5truefalse ready unload")


def test_globals_of_a_module_are_its_exports(place):
    place.load("giver", "value = 7; function double(x) return x * 2; end")
    assert place.load("taker", """
        local giver = module:depends("giver");
        assert(giver.double(giver.value) == 14 and giver == hosts[module.host].modules.giver);
        assert(giver.module.name == "giver" and module.environment.giver == nil);
        result = giver.double(4);
    """).exports.result == 8
    assert place.run("return rawget(_G, 'value')") is None


def test_python_module_as_a_dependency_and_the_other_way_round(place):
    place.write("mod_py.py", "import gevent\nVALUE = 3\n\n\ndef wait(n):\n    gevent.sleep(0)\n"
                             "    return n + VALUE\n\n\ndef load(module):\n"
                             "    module.lua_value = module.depends('luamod').answer()\n")
    place.load("luamod", "function answer() return 42; end")
    module = place.load("user", "local py = module:depends('py'); value = py.VALUE + py.wait(1)")
    assert module.exports.value == 7
    assert place.modules.get_module(HOST, "py").lua_value == 42


def test_syntax_error_names_file_and_line_and_loads_nothing(place):
    with pytest.raises(LoadError, match=r"mod_bad\.lua:2:"):
        place.load("bad", "local a = 1\nlocal = 5")
    assert not place.modules.is_loaded(HOST, "bad")


def test_error_while_loading_leaves_nothing_behind(place):
    with pytest.raises(LoadError, match=r"mod_bad\.lua:2: on purpose"):
        place.load("bad", "module:hook('x', function () return 1; end)\nerror('on purpose')")
    assert fire(place) is None


def test_failing_new_version_leaves_the_old_one_in_service(place):
    place.load("m", "module:hook('x', function () return 'old'; end)")
    for text in ("syntax error", "error('run time')",
                 "function module.load() error('in load'); end",
                 "module:depends('nowhere')"):
        with pytest.raises(LoadError):
            place.reload("m", text)
        assert fire(place) == "old"
    place.reload("m", "module:hook('x', function () return 'new'; end)")
    assert fire(place) == "new"


@pytest.mark.slow
def test_unload_and_reload_leave_no_trace_of_the_environment(place, kind):
    # LuaJIT counts dead registers of idle coroutines as alive: one stale environment at most.
    stale = 1 if kind == "luajit21" else 0
    place.run("prosody.unlock_globals(); watched = setmetatable({}, { __mode = 'k' }); "
              "prosody.lock_globals()")
    text = """
        watched[module.environment] = true;
        local store = module:open_store("x");
        module:hook("x", function (event) return module.host; end);
        module:hook_global("y", function () return module; end);
        module:add_item("thing", { module = module });
        module:add_timer(1000, function () return module; end);
        module:handle_items("thing", function (e) module.seen = e; end, function () end);
        module:wrap_event("z", function (go, name, data) return go(name, data); end);
        module:provides("test", { name = "y", f = function () return module; end });
        module:measure("count", "counter")(1);
        function module.unload() end
        function module.save() return { module.name }; end
    """
    place.load("traced", text)
    assert count_environments(place) == 1
    for _ in range(5):
        place.reload("traced", text)
        fire(place)
    assert count_environments(place) <= 1 + stale
    place.modules.unload(HOST, "traced")
    assert count_environments(place) <= stale
    assert not place.border.open_events


def test_shared_module_has_derived_objects_for_its_hosts(place):
    text = """
        module:set_global();
        assert(module.host == "*" and module.global);
        hosts_seen = {};
        function module.shared_method() return "from global"; end
        function module.add_host(module)
            if module.host == "example.net" then return false, "not here"; end
            hosts_seen[#hosts_seen + 1] = module.host;
            local_to_host = module.host;
            assert(module.global == false and module.shared_method() == "from global");
            module:hook("x", function () return module.host; end);
            function module.unload() hosts_seen[#hosts_seen + 1] = "-" .. module.host; end
        end
    """
    place.load("shared", text)
    place.load("shared", host="example.org")
    shared = place.modules.get_module("*", "shared")
    assert shared.exports.hosts_seen.copy() == [HOST, "example.org"]
    assert fire(place) == HOST
    assert place.other_host.events.fire_event("x") == "example.org"
    place.server.activate("example.net")
    with pytest.raises(LoadError, match="not here|refuses"):
        place.load("shared", host="example.net")
    place.modules.unload("example.org", "shared")
    assert shared.exports.hosts_seen.copy()[-1] == "-example.org"
    place.modules.reload("*", "shared")
    assert fire(place) == HOST


def test_globals_are_locked_and_unknown_ones_are_reported_once(place, caplog):
    with caplog.at_level(logging.WARNING):
        place.load("reader", "assert(some_thing == nil); assert(some_thing == nil)")
    assert caplog.text.count("some_thing") == 1
    with pytest.raises(LoadError, match="Attempt to set a global"):
        place.load("writer", "_G.some_thing = 5")
    place.load("unlocker", "prosody.unlock_globals(); _G.allowed_thing = 5; prosody.lock_globals()")
    assert place.run("return allowed_thing") == 5


def test_headers_rule_files_out(place):
    with pytest.raises(LoadError, match="requires unobtainium"):
        place.load("needs", "--% requires: unobtainium\nlocal x")
    with pytest.raises(LoadError, match="cannot be used with module-ready"):
        place.load("clash", "--% conflicts: module-ready\nlocal x")
    place.load("fine", "--% requires: module-ready, keyval+\nlocal x")


def test_libraries_are_loaded_afresh_with_the_environment_of_the_module(place):
    place.write("helper.lib.lua", "loaded = (loaded or 0) + 1; return { name = module.name };")
    module = place.load("libs", """
        local one, two = module:require "helper", module:require("helper");
        assert(one ~= two and one.name == "libs");
        assert(not pcall(module.require, module, "../escape"));
    """)
    assert module.exports.loaded == 2


def test_process_functions_are_kept_from_modules(place):
    module = place.load("exits", "ok, err = pcall(os.exit)")
    assert module.exports.ok is False and "shutdown" in module.exports.err


def test_handler_is_hooked_once_for_a_thousand_messages(place):
    place.load("counter", """
        local n = 0;
        module:hook("message/bare", function (event)
            n = n + #event.stanza.attr.to;
            return true;
        end)
        function total() return n; end
    """)
    session = place.session()
    for _ in range(1000):
        place.host.events.fire_event("message/bare", StanzaEvent(
            session, Stanza("message", {"to": "bob"})))
    assert place.modules.get_module(HOST, "counter").exports.total() == 3000
