"""Mistakes that authors of Python modules make: told when the module is loaded, with a place."""

import logging
import textwrap

import pytest

from prosody_py.api.errors import LoadError


@pytest.fixture
def load(start_server, tmp_path):
    """Return a function that loads a module of this text and returns what that raised."""
    server = start_server(plugin_paths=[str(tmp_path)], modules_enabled=[]).server

    def load(text):
        (tmp_path / "mod_x.py").write_text("from prosody_py.api import *\n" + textwrap.dedent(text))
        with pytest.raises(LoadError) as raised:
            server.modules.load("localhost", "x")
        assert not server.modules.is_loaded("localhost", "x")
        return str(raised.value)

    return load


@pytest.mark.parametrize(("text", "line", "told"), [
    ("@hook('x')\ndef f(event): pass", 2, "f is called as f(module, event): "),
    ("@hook('x')\nasync def f(module, event): pass", 2, "f is async, and nobody would await it"),
    ("@iq('get', 'urn:x', 'q')\ndef f(module): pass", 2, "f is called as f(module, event): "),
    ("@iq('result', 'urn:x', 'q')\ndef f(module, event): pass", 2, "type get or set, not 'result'"),
    ("@iq('get', 'urn:x', 'q', to='hosts')\ndef f(module, event): pass", 2,
     "to: 'hosts' is not one of host, bare, self, full"),
    ("@command('a', 'b', 'c:string')\ndef f(module, c): 'Do.'", 2,
     "f is called as f(module, call, c): "),
    ("@command('a', 'b', flags={'bool_params': {'c'}})\ndef f(module, call): 'Do.'", 2,
     "f is called as f(module, call, flags): "),
    ("@command('a', 'b', 'c:strng')\ndef f(module, call, c): 'Do.'", 2,
     "c:strng: there is no type strng; there are string, "),
    ("def load(): pass", 2, "load is called as load(module): "),
    ("def restore(module): pass", 2, "restore is called as restore(module, saved): "),
    ("def load(module):\n    module.hook('x', 'f')", 3, "handler of 'x' is not a function: 'f'"),
    ("def load(module):\n    module.hook('x', print, 'high')", 3, "is not a number: 'high'"),
    ("def load(module):\n    module.add_timer(print, 5)", 3, "a timer calls a function"),
    ("def load(module):\n    module.open_store('x', 'mapp')", 3, "no stores of the kind 'mapp'"),
    ("class Config(Options):\n    size = integer('many')", 2, "expected a whole number"),
    ("class Config(Options):\n    size: integer(3)", 2, "declared with '=', not with ':'"),
    ("class Config(Options):\n    text = 'Hello'", 2, "text is a plain value"),
])
def test_a_mistake_is_told_with_the_modules_own_line(load, tmp_path, text, line, told):
    said = load(text)
    assert f"{tmp_path / 'mod_x.py'}:{line}: " in said and told in said


def test_a_command_with_flags_is_called_with_them(start_server, tmp_path):
    (tmp_path / "mod_x.py").write_text(
        "from prosody_py.api import command\n"
        "@command('a', 'b', 'c:string', flags={'bool_params': {'d'}})\n"
        "def f(module, call, c, given): 'Do.'\n")
    server = start_server(plugin_paths=[str(tmp_path)], modules_enabled=[]).server
    server.modules.load("localhost", "x")
    assert server.modules.is_loaded("localhost", "x")


def test_one_name_needs_no_tuple(start_server, tmp_path):
    (tmp_path / "mod_x.py").write_text("DEPENDS = 'ping'\nFEATURES = 'urn:x'\n")
    server = start_server(plugin_paths=[str(tmp_path)], modules_enabled=[]).server
    server.modules.load("localhost", "x")
    assert server.modules.is_loaded("localhost", "ping")
    items = server.modules.get_module("localhost", "x").get_host_items("feature")
    assert "urn:x" in items


def test_the_traceback_of_a_lua_handler_is_under_the_modules_name(start_server, tmp_path, caplog):
    (tmp_path / "mod_x.lua").write_text("module:hook('y', function () error('no') end)\n")
    server = start_server(plugin_paths=[str(tmp_path)], modules_enabled=[]).server
    server.modules.load("localhost", "x")
    caplog.set_level(logging.DEBUG)
    server.hosts["localhost"].events.fire_event("y")
    [trace] = [record for record in caplog.records if "stack traceback" in record.getMessage()]
    assert (trace.name, trace.levelname) == ("mod_x", "DEBUG")
