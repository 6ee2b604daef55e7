"""Timers and deferred start-up of Lua modules."""

from __future__ import annotations

import gevent

HOST = "example.com"


def test_timers_repeat_stop_and_end_with_the_module(place):
    module = place.load("timers", """
        count, stopped = 0, 0;
        module:add_timer(0.001, function (now, a, b)
            assert(now > 1e9 and a == "a" and b == nil);
            count = count + 1;
            return count < 3 and 0.001 or nil;
        end, "a");
        local timer = module:add_timer(0.001, function () stopped = stopped + 1; end);
        timer:stop();
        module:add_timer(0.005, function () late = true; return 0.001; end);
    """)
    gevent.sleep(0.03)
    assert (module.exports.count, module.exports.stopped) == (3, 0)
    exports = module.exports
    place.modules.unload(HOST, "timers")
    exports.late = False
    gevent.sleep(0.01)
    assert exports.late is False


def test_error_in_a_timer_is_logged(place, caplog):
    place.load("timer", "module:add_timer(0, function () error('tick'); end)")
    gevent.sleep(0.01)
    assert "tick" in caplog.text


def test_started_promise_and_on_ready(place):
    module = place.load("ready", """
        order = {};
        module:on_ready(function () order[#order + 1] = "ready"; end);
        module:once(function () order[#order + 1] = "once"; end);
        prosody.started:next(function () order[#order + 1] = "started"; end);
    """)
    gevent.sleep(0.005)
    assert module.exports.order.copy() == {}
    place.server.mark_started()
    gevent.sleep(0.005)
    assert sorted(module.exports.order.copy()) == ["once", "ready", "started"]
    late = place.load("late", "module:on_ready(function () done = true; end)")
    gevent.sleep(0.005)
    assert late.exports.done is True
