"""Timers of modules, periodic work, and start-up that is deferred."""

import logging

import gevent
import pytest

from prosody_py.testing.client import wait_until


def wait(seconds=0.03):
    gevent.sleep(seconds)


def test_a_timer_calls_with_the_time_and_its_arguments_once(module):
    calls = []
    module.add_timer(0, lambda now, *args: calls.append((now > 0, *args)), "a", "b")
    wait()
    assert calls == [(True, "a", "b")]
    assert module.registrations.entries == []


def test_a_number_calls_again_and_anything_else_ends_it(module):
    calls, again = [], iter([0, 0.001, None])

    def work(_now):
        calls.append(1)
        return next(again)

    module.add_timer(0, work)
    wait()
    assert len(calls) == 3


def test_a_timer_that_is_stopped_does_not_call(module):
    calls = []
    timer = module.add_timer(0.005, calls.append)
    timer.stop()
    timer.stop()
    wait()
    assert calls == [] and module.registrations.entries == []


def test_a_timer_stops_itself_whatever_it_returns(module):
    calls = []

    def work(now):
        calls.append(now)
        timer.stop()
        return 0

    timer = module.add_timer(0, work)
    wait()
    assert len(calls) == 1


def test_rescheduling_moves_a_timer_and_revives_one_that_has_ended(module):
    calls = []
    timer = module.add_timer(3600, calls.append)
    timer.reschedule(0)
    wait_until(lambda: len(calls) == 1)
    timer.reschedule(0)
    wait_until(lambda: len(calls) == 2)
    assert module.registrations.entries == []


@pytest.mark.parametrize("how", ["unload", "reload"])
def test_no_timer_of_an_instance_fires_after_it_has_gone(server, module, how):
    calls = []
    timer = module.add_timer(0.005, calls.append)
    getattr(server.modules, how)("localhost", "probe")
    wait()
    timer.reschedule(0)
    module.add_timer(0, calls.append)
    wait()
    assert calls == []


def test_a_timer_made_while_loading_starts_when_loading_has_succeeded(load, server, write):
    text = """
        calls = []
        def load(module):
            module.add_timer(0, calls.append)
    """
    module = load("probe", text)
    wait()
    assert len(module.exports.calls) == 1
    write("broken", text + "    calls.append('kept')\n            raise ValueError")
    with pytest.raises(Exception, match="broken"):
        server.modules.load("localhost", "broken")


def test_an_error_in_a_timer_is_counted_logged_and_ends_it(module, caplog):
    calls = []

    def work(_now):
        calls.append(1)
        raise ValueError("broken on purpose")

    with caplog.at_level(logging.ERROR):
        module.add_timer(0, work)
        wait()
    assert (len(calls), module.errors, module.last_error) == (1, 1, "timer")
    assert "broken on purpose" in caplog.text and "mod_probe" in caplog.text
    assert module.registrations.entries == []


@pytest.mark.parametrize("when", ["hourly", "daily", "weekly"])
@pytest.mark.parametrize("name", [(), ("Tidy up",)])
def test_periodic_work_is_a_task_for_cron(module, when, name):
    tasks = []
    task = getattr(module, when)(*name, tasks.append)
    assert (task["when"], task["name"]) == (when, name[0] if name else when)
    assert module.server.modules.get_items("task", "localhost") == [task]
    task["run"](task, 0)
    assert tasks == [task]


def test_ready_comes_once_in_service_and_not_after_unloading(load, server):
    module = load("probe", """
        calls = []
        def load(module):
            module.on_ready(lambda: calls.append(module.loaded))
            module.once(lambda: calls.append("once"))
        def ready(module):
            calls.append("ready")
    """)
    calls = module.exports.calls
    assert len(calls) in (0, 3)
    wait_until(lambda: len(calls) == 3)
    assert calls == [True, "once", "ready"]
    module = server.modules.reload("localhost", "probe")
    calls = module.exports.calls
    server.modules.unload("localhost", "probe")
    wait()
    assert calls == []


def test_what_waits_until_it_is_ready_comes_in_order(load):
    module = load("probe", """
        calls = []
        def load(module):
            for number in range(50):
                module.on_ready(lambda number=number: calls.append(number) or 1 / (number - 7))
    """)
    calls = module.exports.calls
    wait_until(lambda: len(calls) == 50)
    assert calls == list(range(50))


def test_what_is_to_be_undone_is_undone_after_unload(load, server):
    module = load("probe", """
        calls = []
        def load(module):
            module.on_unload(lambda: calls.append("undone"))
        def unload(module):
            calls.append("unload")
    """)
    calls = module.exports.calls
    server.modules.unload("localhost", "probe")
    assert calls == ["unload", "undone"]
