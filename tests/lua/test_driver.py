"""Entries into Lua, requests out of it, errors, limits."""

from __future__ import annotations

from time import process_time

import gevent
import pytest

from prosody_py.events.bus import Event, Events
from prosody_py.lua import guard
from prosody_py.lua.driver import ScriptError
from prosody_py.lua.events import LuaHandler
from prosody_py.xmpp.errors import StanzaError

NESTED = """
local events, sleep = ...;
return function (event)
    local depth = event.depth;
    local ok, err = pcall(function () sleep(0.0001); error({ depth = depth }); end);
    assert(not ok and err.depth == depth);
    local found = {};
    for i in coroutine.wrap(function ()
        for i = 1, 3 do sleep(0); coroutine.yield(i); end
    end) do found[#found + 1] = i; end
    assert(#found == 3);
    if depth < 5 then
        return 1 + events.fire_event("go", { depth = depth + 1, name = event.name });
    end
    return 0;
end
"""


def raise_it(_handler, _name, _data, error):
    raise error


def test_hundreds_of_greenlets_nest_lua_and_python_with_blocking_in_between(place):
    events = Events(raise_it)
    seen = []

    def python(event):
        gevent.sleep(0.0001)
        seen.append((event.name, event.depth))

    handler = place.run(NESTED, events, gevent.sleep)
    events.add_handler("go", LuaHandler(place.border, handler), 1)
    events.add_handler("go", python, 2)

    def work(number):
        assert events.fire_event("go", Event(depth=1, name=f"n{number}")) == 4

    gevent.joinall([gevent.spawn(work, number) for number in range(250)], raise_error=True)
    assert len(seen) == 250 * 5


def test_guard_reports_a_switch_below_lua(place):
    def blocks():
        gevent.sleep(0)

    blocks.never_blocks = True  # a lie
    place.run("local f = ...; f();", blocks)
    with pytest.raises(guard.SwitchedUnderLua):
        guard.check()


def test_request_in_a_sort_callback_is_a_clear_error(place):
    with pytest.raises(ScriptError, match="cannot do inside a callback of table.sort"):
        place.run("local f = ...; table.sort({ 3, 1, 2 }, function (a, b) f(0); return a < b end)",
                  gevent.sleep)


def test_request_in_a_coroutine_inside_a_sort_callback_is_a_clear_error(place):
    ok, error = place.run("""local f = ...;
        return pcall(table.sort, { 3, 1, 2 }, function (a, b)
            coroutine.wrap(function () f(0); end)(); return a < b;
        end)""", gevent.sleep)
    assert not ok and "table.sort" in error


def test_request_below_a_function_that_must_not_wait_is_a_clear_error(place):
    def call_back(function):
        function()

    call_back.never_blocks = True
    ok, error = place.run(
        "local plain, sleep = ...; return pcall(plain, function () sleep(0); end)",
        call_back, gevent.sleep)
    assert not ok and "must not wait" in error


def test_error_of_a_request_can_be_caught_in_lua(place):
    def fail():
        gevent.sleep(0)
        raise ValueError("no such thing")

    assert place.run("local f = ...; return pcall(f);", fail) == (False, "no such thing")


def test_stanza_error_crosses_lua_as_itself(place):
    error = StanzaError("forbidden", "Not you")

    def fail():
        raise error

    assert place.run("local f = ...; local ok, err = pcall(f); return err.condition, err.text, "
                     "err.type", fail) == ("forbidden", "Not you", "auth")
    with pytest.raises(StanzaError) as caught:
        place.run("local f = ...; f();", fail)
    assert caught.value is error


@pytest.mark.parametrize("value, text", [("'words'", "words"), ("{ code = 7 }", "table"),
                                         ("nil", "nil|None"), ("42", "42")])
def test_error_values_reach_python_with_a_traceback(place, value, text):
    with pytest.raises(ScriptError, match=text) as caught:
        place.run(f"local function deep() error({value}, 0); end; local x = deep(); return x")
    assert "test.lua" in caught.value.lua_traceback


def test_error_table_is_the_same_table_for_an_outer_lua_function(place):
    inner = place.run("return function () error({ code = 7 }); end")
    assert place.run("local f = ...; local ok, err = pcall(f); return err.code", inner) == 7


def test_endless_loop_is_interrupted_with_its_place(make_place):
    place = make_place(lua_time_limit="0.05 seconds")
    with pytest.raises(ScriptError, match=r"test\.lua:2: interrupted"):
        place.run("local n = 0;\nwhile true do n = n + 1; end")
    assert place.run("return 1") == 1


def test_no_pcall_and_no_coroutine_keeps_an_endless_loop_alive(make_place):
    place = make_place(lua_time_limit="0.05 seconds")
    with pytest.raises(ScriptError, match="interrupted"):
        place.run("while true do pcall(function () while true do end end) end")
    with pytest.raises(ScriptError, match="interrupted"):
        place.run("coroutine.wrap(function () while true do end end)()")
    assert place.run("local n = 0; for i = 1, 1000 do n = n + i; end; return n") == 500500


def test_waiting_does_not_count_as_running(make_place):
    place = make_place(lua_time_limit="0.05 seconds")
    assert place.run("local sleep = ...; for i = 1, 4 do sleep(0.02); end; return true",
                     gevent.sleep)


def test_memory_is_capped(make_place):
    place = make_place(lua_memory_limit="20 MB")
    with pytest.raises(ScriptError, match="memory"):
        place.run("local t = {}; for i = 1, 1e7 do t[i] = { i } end")
    place.run("collectgarbage()")
    assert place.run("return #('x'):rep(1000)") == 1000


def test_killed_greenlet_leaves_the_runtime_usable(place):
    greenlet = gevent.spawn(place.run, "local f = ...; f(10); error('not here')", gevent.sleep)
    gevent.sleep(0.01)
    greenlet.kill()
    assert greenlet.dead
    assert place.run("return 5") == 5


def test_yield_outside_of_a_coroutine_is_an_error(place):
    with pytest.raises(ScriptError, match="outside a coroutine"):
        place.run("coroutine.yield(1)")


def test_async_waiters_block_and_wake(place):
    assert place.run("""
        local async, timer = require "util.async", require "util.timer";
        local wait, done = async.waiter();
        local woken;
        timer.add_task(0.01, function () woken = true; done(); end);
        wait();
        return woken;
    """) is True


def test_promises_settle(place):
    assert place.run("""
        local async, promise = require "util.async", require "util.promise";
        local p = promise.new(function (resolve) resolve("yes"); end);
        return async.wait_for(p);
    """) == "yes"


def test_calls_outside_of_entries_do_not_count_against_the_limit(make_place):
    border = make_place(lua_time_limit="0.05 seconds").border
    border.driver.call(border.lua.eval(b"function() end"))  # the first entry sets the hook
    busy = border.lua.eval(b"function(n) for i = 1, n do local x = i * 2 end end")

    def fastest():
        times = []
        for _ in range(5):
            start = process_time()
            busy(100000)
            times.append(process_time() - start)
        return min(times)

    before, start = fastest(), process_time()
    while process_time() - start < 0.5:
        busy(1000000)
    assert fastest() < 8 * before, "the hook runs at each instruction"
