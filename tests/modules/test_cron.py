"""mod_cron: periodic tasks of Python and Lua modules, and when they ran last."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS

HOUR = 3600
PYTHON = '''
"""Has a task."""
runs = []
def load(module):
    module.hourly("Tidy up", lambda task: runs.append(task["last"]))
'''
LUA = """
runs = {};
module:cron { name = "count", when = "daily", run = function (task, now)
    assert(task.when == "daily" and task.last == now);
    runs[#runs + 1] = now;
end };
module:weekly(function () error("broken on purpose"); end);
"""


@pytest.fixture
def start(start_server, tmp_path):
    def start(**options):
        (tmp_path / "mod_tidy.py").write_text(PYTHON)
        (tmp_path / "mod_count.lua").write_text(LUA)
        return start_server(["tidy"], plugin_paths=[str(tmp_path)], **options)
    return start


def cron(running):
    module = running.server.modules.get_module("*", "cron")
    return module, module.exports.run_due


def test_a_new_task_waits_for_the_next_period_and_then_comes_once_in_each(start):
    running = start()
    module, run_due = cron(running)
    runs = running.server.modules.get_module("localhost", "tidy").exports.runs
    begin = 1_000_000 * HOUR
    for now in (begin + 10, begin + HOUR - 60, begin + HOUR, begin + HOUR + 30,
                begin + 2 * HOUR - 10):
        assert run_due(module, now) == 30
    assert runs == [begin + HOUR, begin + 2 * HOUR - 10]


def test_when_a_task_ran_last_outlives_a_restart(start):
    running = start(storage="sqlite")
    module, run_due = cron(running)
    run_due(module, 1_000_000 * HOUR)
    run_due(module, 1_000_001 * HOUR)
    running.stop()
    again = type(running)(running.folder, ["tidy"], **{
        key: value for key, value in running.options.items() if key != "modules_enabled"})
    try:
        module, run_due = cron(again)
        runs = again.server.modules.get_module("localhost", "tidy").exports.runs
        run_due(module, 1_000_001 * HOUR + 600)
        assert runs == []
        run_due(module, 1_000_005 * HOUR)  # it was missed three times and comes once
        assert len(runs) == 1
    finally:
        again.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_of_lua_run_and_an_error_stays_with_its_task(start, kind, caplog):
    running = start(lua_runtime=kind)
    server = running.server
    count = server.modules.load("localhost", "count")
    module, run_due = cron(running)
    day = 24 * HOUR
    run_due(module, 7000 * day + 5)
    run_due(module, 7001 * day)
    run_due(module, 7007 * day)
    assert count.exports.runs.copy() == [7001 * day, 7007 * day]
    assert "broken on purpose" in caplog.text and count.errors == 1
    server.modules.unload("localhost", "count")
    assert [source.name for _task, source in module.tasks] == ["tidy"]


def test_tasks_of_a_global_module_are_kept_in_the_first_host(start, tmp_path):
    (tmp_path / "mod_wide.py").write_text('"""A task."""\nGLOBAL = True\nruns = []\n'
                                          "def load(module):\n"
                                          "    module.daily(runs.append)\n")
    running = start()
    wide = running.server.modules.load("*", "wide")
    module, run_due = cron(running)
    run_due(module, 7000 * 24 * HOUR)
    run_due(module, 7001 * 24 * HOUR)
    assert len(wide.exports.runs) == 1
    store = running.server.storage.open("localhost", "cron", "map")
    assert store.get(None, "wide/daily") == 7001 * 24 * HOUR


def test_a_task_without_a_known_period_is_refused(start, tmp_path, caplog):
    (tmp_path / "mod_odd.py").write_text(
        '"""A task."""\ndef load(module):\n'
        "    module.cron({'when': 'monthly', 'run': print})\n")
    running = start()
    running.server.modules.load("localhost", "odd")
    assert "mod_odd has a task that is not hourly" in caplog.text
