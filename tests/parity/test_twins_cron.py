"""mod_cron of Debian's runs the tasks of our modules and of its own kind, when they are due."""

from __future__ import annotations

import time

import pytest

from prosody_py.testing.client import wait_until

DAY = 24 * 3600
TASKS = {"py": '''
"""A task."""
runs = []
def load(module):
    module.daily(lambda task: runs.append(task["last"]))
''', "lua": """
runs = {};
module:cron { name = "Tidy up", when = "daily", run = function (task, now)
    runs[#runs + 1] = task.last or now;
end };
"""}


@pytest.mark.parametrize(("language", "id"), [("py", "tidy/daily"), ("lua", "tidy/tidy_up")])
def test_a_task_that_was_missed_runs_once_and_that_is_kept(start_each, tmp_path, language, id):
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / f"mod_tidy.{language}").write_text(TASKS[language])
    running = start_each("cron")
    server = running.server
    store = server.storage.open("localhost", "cron", "map")
    long_ago = int(time.time()) - 3 * DAY
    store.set(None, id, long_ago)
    server.modules.folders.insert(0, str(folder))
    tidy = server.modules.load("localhost", "tidy")
    wait_until(lambda: len(tidy.exports.runs) == 1)
    wait_until(lambda: (store.get(None, id) or 0) > long_ago + DAY)
    assert len(tidy.exports.runs) == 1
