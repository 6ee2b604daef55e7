"""`module list` shows what modules cost, and those that were switched off."""

import gevent
import pytest

from prosody_py.api.commands import Call
from prosody_py.app.shell.sections.modules import list_modules
from prosody_py.events.bus import Event

LUA = "module:hook('x', function () error('broken on purpose'); end)"
PYTHON = """
from prosody_py.api import hook

@hook("x", priority=1)
def handle(module, event):
    pass
"""


@pytest.fixture
def start(start_server, tmp_path):
    def start(**options):
        plugins = tmp_path / "plugins"
        plugins.mkdir()
        (plugins / "mod_broken.lua").write_text(LUA)
        (plugins / "mod_quiet.py").write_text(PYTHON)
        return start_server(["broken", "quiet"], plugin_paths=[str(plugins)], **options)
    return start


def fire(running, times):
    for _ in range(times):
        running.server.hosts["localhost"].events.fire_event("x", Event())
    gevent.sleep(0.01)


def listed(running):
    """Return what is printed and the rows by module."""
    said = []
    table = list_modules(Call(running.server, lambda part: said.append(part["line"])), "localhost")
    return said, {row[1]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_lua_is_always_measured_and_python_only_counted(start):
    running = start()
    fire(running, 3)
    [line], found = listed(running)
    assert line.startswith("Lua (lua54) holds ") and "MB" in line
    broken, quiet = found["broken"], found["quiet"]
    assert (broken["calls"], broken["errors"]) == (3, 3)
    assert 0 < float(broken["mean ms"]) <= float(broken["worst ms"])
    assert broken["state"] == "3 errors, last in x"
    assert (quiet["calls"], quiet["errors"], quiet["worst ms"]) == ("", 0, "")


def test_python_is_measured_with_the_option_also_when_it_is_switched_on_later(start):
    running = start(measure_modules=True)
    fire(running, 2)
    found = listed(running)[1]
    assert found["quiet"]["calls"] == 2 and float(found["quiet"]["worst ms"]) > 0
    running.write_config(measure_modules=False)
    running.server.reload_config()
    fire(running, 2)
    assert running.server.modules.get_module("localhost", "quiet").effort.calls == 2
    running.write_config(measure_modules=True)
    running.server.reload_config()
    fire(running, 1)
    assert running.server.modules.get_module("localhost", "quiet").effort.calls == 3


def test_what_was_switched_off_is_listed_until_a_reload_of_the_configuration(start):
    running = start(module_error_limit="2/hour")
    fire(running, 3)
    state = listed(running)[1]["broken"]["state"]
    assert state == "switched off: more than 2/hour errors, the last in x"
    running.server.reload_config()
    assert listed(running)[1]["broken"]["state"] == "ok"
