"""Lua modules that fail at work: the error is theirs alone, told in one line with its place."""

from __future__ import annotations

import logging

import gevent
import pytest

from prosody_py.events.bus import Event, StanzaEvent
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"
GOOD = "module:hook('x', function (e) e.seen = (e.seen or 0) + 1; end, -1)"
LIMIT = {"lua_time_limit": "0.05 seconds"}


@pytest.fixture
def place(make_place):
    made = make_place(**LIMIT)
    made.load("good", GOOD)
    return made


def fire(place, **fields):
    """Fire the event that the good module sees after the bad one."""
    event = Event(**fields)
    result = place.host.events.fire_event("x", event)
    return event, result


def errors(caplog):
    """Return the lines of level error, having seen that none is a traceback."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert not any(record.exc_info for record in caplog.records
                   if record.levelno >= logging.INFO)
    assert not any("\n" in line for line in lines)
    return lines


@pytest.mark.parametrize("code, told", [
    ("error('plain')", "mod_bad.lua:2: plain"),
    ("error()", "mod_bad.lua:2: error without a value: error(nil)"),
    ("error({})", "mod_bad.lua:2: table: "),
    ("error(require 'util.error'.new({ condition = 'gone', text = 'hm' }))", ":gone:hm>"),
    ("error(setmetatable({}, { __tostring = function () error('no'); end }))",
     "mod_bad.lua:2: (error value is a table whose __tostring fails)"),
    ("error(setmetatable({}, { __tostring = function () while true do end end }))",
     "mod_bad.lua:2: (error value is a table whose __tostring fails)"),
    ("module:depends('nowhere')", "mod_bad.lua:2: Unable to load required module"),
    ("module:send(5)", "mod_bad.lua:2: module:send(): argument 1 must be a stanza of util.stanza"),
    ("while true do end", "mod_bad.lua:2: interrupted, it has run for 0.05 seconds"),
    ("while true do pcall(function () while true do end end) end", "mod_bad.lua:2: interrupted"),
    ("xpcall(function () while true do end end, function () while true do end end)",
     "interrupted, it has run for 0.05 seconds"),
    ("coroutine.wrap(function () while true do end end)()", "mod_bad.lua:2: interrupted"),
    ("debug.sethook(); while true do end", "mod_bad.lua:2: interrupted"),
    ("local function f() return 1 + f(); end f()", "mod_bad.lua:2: "),
    ("coroutine.yield(1)", "attempt to yield from outside a coroutine"),
    ("table.sort({ 3, 2, 1 }, function () return module:open_store('y'); end)",
     "inside a callback of table.sort, string.gsub and the like"),
    ("string.gsub('a', '.', function () module:open_store('y'); end)", "string.gsub and the like"),
])
def test_error_of_a_handler_is_told_in_one_line_and_the_chain_goes_on(place, caplog, code, told):
    place.load("bad", f"module:hook('x', function (event)\n{code};\nend)")
    event, result = fire(place)
    assert event.seen == 1 and result is None
    lines = errors(caplog)
    assert len(lines) == 1 and told in lines[0] and "event x in module bad on" in lines[0]
    assert place.modules.get_module(HOST, "bad").errors == 1
    assert place.modules.get_module(HOST, "good").errors == 0
    assert fire(place)[0].seen == 1


def test_traceback_of_lua_is_in_the_log_at_debug(place, caplog):
    caplog.set_level(logging.DEBUG)
    place.load("bad", "local function deep()\nerror('x')\nend\nmodule:hook('x', deep)")
    fire(place)
    tracebacks = [record.getMessage() for record in caplog.records
                  if "stack traceback" in record.getMessage()]
    assert len(tracebacks) == 1 and "mod_bad.lua:2" in tracebacks[0]


def test_iq_whose_handler_fails_is_answered(place, caplog):
    place.load("bad", "module:hook('iq/host', function () error({}); end)")
    session = place.session()
    iq = Stanza("iq", {"type": "get", "id": "7", "from": "alice@example.com/phone", "to": HOST})
    assert place.host.events.fire_event("iq/host", StanzaEvent(session, iq)) is True
    assert "<internal-server-error" in session.conn.text and "id='7'" in session.conn.text
    assert "(stanza id '7')" in errors(caplog)[0]


@pytest.mark.parametrize("code", ["{ 1 }", "function () end", "5, 6, 7", "'text'",
                                  "setmetatable({}, { __index = function () error('x'); end })"])
def test_whatever_a_handler_returns_ends_the_chain(place, caplog, code):
    place.load("bad", f"module:hook('x', function () return {code}; end)")
    event, result = fire(place)
    assert result is not None and not hasattr(event, "seen") and errors(caplog) == []


def test_error_of_a_wrapper_stays_with_it_and_the_chain_runs_once(place, caplog):
    place.load("bad", """
        module:wrap_event("x", function (go, name, data) error("before"); end);
        module:wrap_event("x", function (go, name, data) go(name, data); error("after"); end);
    """)
    assert fire(place)[0].seen == 1
    told = errors(caplog)
    assert len(told) == 2 and "bad.lua:2: before" in told[0] and "bad.lua:3: after" in told[1]


def test_loop_in_unload_does_not_keep_the_module(place, caplog):
    place.load("bad", "module:hook('x', function () return 1; end)\n"
                      "function module.unload() while true do end end")
    place.modules.unload(HOST, "bad")
    assert fire(place)[0].seen == 1 and not place.modules.is_loaded(HOST, "bad")
    assert "mod_bad.lua:2: interrupted" in errors(caplog)[0]


def test_errors_and_loops_of_timers_are_told_and_other_timers_fire(place, caplog):
    module = place.load("bad", """
        local add_task = require "util.timer".add_task;
        module:add_timer(0, function () error("one"); end);
        module:add_timer(0, function () while true do end end);
        add_task(0, function () error("two"); end);
        count = 0;
        for _, again in ipairs { 0/0, -1, "x", {}, true } do
            module:add_timer(-5, function ()
                count = count + 1;
                return count < 9 and again or nil;
            end);
        end
        for _, seconds in ipairs { math.huge, 1e300 } do
            module:add_timer(seconds, function () error("early"); end);
        end
    """)
    gevent.sleep(0.02)
    gevent.sleep(0.05)
    told = " ".join(errors(caplog))
    assert "bad.lua:3: one" in told and "bad.lua:4: interrupted" in told and "5: two" in told
    assert "early" not in told and module.exports.count >= 5


def test_finalizer_that_loops_or_fails_is_told(place, caplog, kind):
    place.load("bad", """
        for _, f in ipairs { function () error("at the end"); end,
                function () for i = 1, 3e6 do end while true do end end } do
            setmetatable({}, { __gc = f });
        end
        collectgarbage();
    """)
    assert fire(place)[0].seen == 1
    if kind == "lua54":  # LuaJIT has no finalizers of tables
        told = " ".join(errors(caplog))
        assert "at the end" in told and "mod_bad.lua:3: interrupted" in told


# -- memory and depth ----------------------------------------------------------------------


@pytest.mark.parametrize("code", [
    "local s = 'x'; while true do s = s .. s; end",
    "local t = {}; while true do t[#t + 1] = { 1, 2, 3 }; end",
    "return string.rep('x', 2^31 - 10)",
])
def test_memory_over_the_limit_is_told_and_given_back(make_place, caplog, code):
    place = make_place(lua_memory_limit="30 MB", lua_time_limit="5 seconds")
    place.load("good", GOOD)
    place.load("bad", f"module:hook('x', function () {code}; end)")
    for _ in range(2):
        assert fire(place)[0].seen == 1
    assert "lua_memory_limit" in errors(caplog)[0] or "too large" in errors(caplog)[0]


def test_module_that_keeps_all_memory_is_told_and_can_be_unloaded(make_place, caplog):
    place = make_place(lua_memory_limit="30 MB", lua_time_limit="5 seconds")
    place.load("good", GOOD)
    place.load("bad", "local t = {}; module:hook('x', function () "
                      "while true do t[#t + 1] = { 1, 2, 3 }; end end)")
    fire(place)
    place.modules.unload(HOST, "bad")
    place.border.lua.gccollect()
    assert fire(place)[0].seen == 1
    assert "unload the module that keeps so much" in " ".join(errors(caplog))


def test_recursion_through_events_ends_and_all_works_after_it(place):
    place.load("bad", """
        module:hook("y", function () return module:fire_event("y", {}); end);
        module:hook("z", function (event) return module:fire_event("z", event); end);
    """)
    for name in ("y", "z"):
        with pytest.raises(RecursionError):
            place.host.events.fire_event(name, Event())
        assert fire(place)[0].seen == 1


# -- modules that work on modules ----------------------------------------------------------


@pytest.mark.parametrize("action", ["unload", "reload"])
def test_module_may_unload_and_reload_itself_in_a_handler(place, action):
    place.load("bad", f"""
        local modules = require "core.modulemanager";
        module:hook("x", function (event)
            event.done = tostring(modules.{action}(module.host, module.name));
            module:hook("x", function (e) e.zombie = true; end, 5);
            module:add_timer(0, function () error("zombie"); end);
            module:fire_event("y", {{}});
        end);
    """)
    event, _ = fire(place)
    assert event.done not in ("nil", "false") and event.seen == 1
    assert place.modules.is_loaded(HOST, "bad") is (action == "reload")
    gevent.sleep(0.01)
    assert not hasattr(fire(place)[0], "zombie")


def test_module_cannot_load_or_unload_itself_while_it_loads(place):
    module = place.load("bad", """
        local modules = require "core.modulemanager";
        results = table.concat({ tostring(modules.unload(module.host, "bad")),
            tostring(modules.reload(module.host, "bad")),
            tostring(modules.load(module.host, "bad")),
            tostring(modules.load(module.host, "nowhere")),
            tostring((pcall(module.depends, module, "bad"))) }, " ");
    """)
    assert module.exports.results == "nil nil nil nil false"


def test_handler_may_unhook_itself_and_load_others(place):
    place.write("mod_third.lua", "module:hook('x', function (e) e.third = true; end, -2)")
    place.load("bad", """
        local function once(event)
            event.count = (event.count or 0) + 1;
            module:unhook("x", once);
            module:unhook("x", once);
            require "core.modulemanager".load(module.host, "third");
        end
        module:hook("x", once);
    """)
    event, _ = fire(place)
    assert event.count == 1 and event.seen == 1
    event, _ = fire(place)
    assert not hasattr(event, "count") and event.third is True


def test_things_may_be_taken_away_twice(place):
    place.load("bad", """
        local timer, item = module:add_timer(1, print), {};
        timer:stop();
        timer:stop();
        module:add_item("k", item);
        module:remove_item("k", item);
        module:remove_item("k", item);
        local task = require "util.timer".add_task(1, print);
        require "util.timer".stop(task);
        require "util.timer".stop(task);
    """)
    assert fire(place)[0].seen == 1
