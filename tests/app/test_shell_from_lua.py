"""Lua and the command line: shell commands of Lua modules, options on reload, `prosody-py lua`."""

import pytest

from prosody_py.app.main import main
from prosody_py.app.reload import reload_config
from prosody_py.events.bus import Event

MODULE = """
local promise = require "util.promise";
local word = module:get_option_string("greeting_word", "hello");
module:add_item("shell-command", {
	section = "greeting"; section_desc = "Greetings"; name = "say"; desc = "Greet somebody";
	args = { { name = "name", type = "string" } };
	flags = { value_params = { from = true } };
	handler = function (self, name, options)
		self.session.print("working");
		if name == "nobody" then return false, "nobody is there"; end
		if name == "later" then
			return promise.new(function (resolve)
				module:add_timer(0.01, function () resolve(word .. ", late"); end);
			end);
		end
		return true, word .. " " .. name .. " from " .. tostring(options.from);
	end;
});
"""


@pytest.fixture
def ask(start_server, tmp_path):
    """Return a function that runs a shell command; `ask.server` is the server."""
    (tmp_path / "mod_greeting.lua").write_text(MODULE)
    server = start_server(["greeting", "admin_shell"], plugin_paths=[str(tmp_path)])

    def run(*words):
        lines = []
        answer = server.server.events.fire_event("admin-request", Event(
            question={"words": list(words)}, user=0, process=1, say=lines.append))
        return lines, answer.get("text", answer.get("error"))

    run.server = server
    return run


def test_a_lua_module_adds_a_command(ask):
    working = [{"line": "working"}]
    assert ask("greeting", "say", "bob", "--from", "eve") == (working, "hello bob from eve")
    assert ask("greeting", "say", "nobody") == (working, "nobody is there")
    assert ask("greeting", "say", "later") == (working, "hello, late")
    assert "Usage: greeting say NAME" in ask("greeting", "say")[1]


def test_a_lua_module_is_reloaded_when_an_option_that_it_reads_changes(ask):
    ask.server.write_config(greeting_word="moin")
    assert not reload_config(ask.server.server).failed
    assert ask("greeting", "say", "bob")[1] == "moin bob from nil"


@pytest.mark.parametrize(("text", "code", "told"), [
    ('print(require "util.stanza".message({ to = "a@b" }, module.name))', 0,
     "<message to='a@b'><body>script</body></message>"),
    ("local x = 1;\nerror('oh no')", 1, "script.lua:2: oh no"),
    ("local x = = 1", 1, "script.lua:1: unexpected symbol"),
])
def test_a_lua_file_is_run_as_a_module(tmp_path, monkeypatch, capfd, text, code, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.lua").write_text(text)
    assert main(["lua", "script.lua"]) == code
    captured = capfd.readouterr()
    assert told in captured.out + captured.err
