"""What the code of Lua modules costs is counted for the module, wherever it is entered."""

import gevent
import pytest

from prosody_py.api.effort import report_all
from prosody_py.api.measures import measures
from prosody_py.events.bus import Event, StanzaEvent
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"
BUSY = "local function busy() local n = 0; for i = 1, 20000 do n = n + i; end return n; end\n"


def numbers(module):
    return module.effort.calls, module.effort.errors


def test_loading_is_not_counted(place):
    module = place.load("m", "module:hook('x', function () end); function module.load() end")
    assert numbers(module) == (0, 0) and module.effort.worst == 0


@pytest.mark.parametrize("fired", [None, Event(one=1)])
def test_calls_of_a_handler_are_counted_with_their_time(place, fired):
    module = place.load("m", BUSY + "module:hook('x', function () busy(); end)")
    for _ in range(3):
        place.host.events.fire_event("x", fired)
    effort = module.effort
    assert effort.calls == 3 and 0 < effort.mean <= effort.worst <= effort.seconds


def test_handlers_of_stanzas_are_counted(place):
    module = place.load("m", "module:hook('x', function (event) return event.stanza.name; end)")
    for _ in range(2):
        assert place.host.events.fire_event(
            "x", StanzaEvent(place.session(), Stanza("message"))) == "message"
    assert numbers(module) == (2, 0) and module.effort.worst > 0


def test_waiting_is_not_counted_as_work(place):
    module = place.load("m", """
        local async = require "util.async";
        module:hook("x", function () async.sleep(0.05); return true; end);
    """)
    assert place.host.events.fire_event("x", Event()) is True
    assert module.effort.calls == 2  # the handler, and the timer that has woken it
    assert module.effort.worst < 0.04


def test_each_module_is_charged_for_its_own_handler(place):
    outer = place.load("outer", "module:hook('x', function () module:fire_event('y', {}); end)")
    inner = place.load("inner", BUSY + "module:hook('y', function () busy(); busy(); end)")
    place.host.events.fire_event("x", Event())
    assert numbers(outer) == numbers(inner) == (1, 0)
    assert outer.effort.seconds < inner.effort.seconds  # it only waited for the other


def test_timers_of_both_kinds_and_callbacks_belong_to_the_module(place):
    module = place.load("m", """
        local timer = require "util.timer";
        module:hook("x", function (event)
            timer.add_task(0, function () ticked = true; end);
            event.callback = function () called = true; end;
        end);
        module:add_timer(0, function () end);
    """)
    gevent.sleep(0.01)
    assert numbers(module) == (1, 0)
    event = Event()
    place.host.events.fire_event("x", event)
    event.callback()
    gevent.sleep(0.01)
    assert module.exports.ticked and module.exports.called and numbers(module) == (4, 0)


def test_what_is_handed_over_after_a_wait_belongs_to_the_module(place):
    module = place.load("m", """
        local async = require "util.async";
        module:hook("x", function (event)
            async.sleep(0.001);
            event.callback = function () end;
        end);
    """)
    other = place.load("other", "module:hook('y', function () end)")
    event = Event()
    waiting = gevent.spawn(place.host.events.fire_event, "x", event)
    gevent.sleep(0)
    place.host.events.fire_event("y", Event())
    waiting.join()
    event.callback()
    assert numbers(module) == (2, 0) and numbers(other) == (1, 0)


def test_errors_are_counted_wherever_they_end(place):
    module = place.load("m", """
        local timer = require "util.timer";
        module:hook("x", function () error("one"); end);
        module:add_timer(0, function () error("two"); end);
        timer.add_task(0, function () error("three"); end);
    """)
    place.host.events.fire_event("x", Event())
    assert numbers(module) == (1, 1) and module.last_error == "x"
    gevent.sleep(0.01)
    assert numbers(module) == (3, 3)


def test_the_servers_metrics_go_on_over_a_reload(place):
    place.load("m", "module:hook('x', function () error('no'); end)")
    for _ in range(2):
        place.host.events.fire_event("x", Event())
    report_all(place.server)
    place.host.events.fire_event("x", Event())
    module = place.reload("m")
    place.host.events.fire_event("x", Event())
    report_all(place.server)
    found = measures(place.server).metrics

    def value(name):
        return found["prosody_modules/" + name].labelled(HOST, "m").value

    assert (value("calls"), value("errors")) == (4, 4) and value("seconds") > 0
    assert value("worst") == module.effort.worst and numbers(module) == (1, 1)


def test_the_memory_of_lua_is_that_of_all_modules(place):
    before = place.border.memory()
    module = place.load("m", "text = ('x'):rep(3000000)")
    assert place.border.memory() - before > 2_500_000 and module.exports.text
