"""`prosody-py lua`: files, lines and what is typed run in the environment of a module."""

import io
import os
import stat

import pytest

from prosody_py.app.errors import CommandError
from prosody_py.app.lua_prompt.place import Incomplete, open_place
from prosody_py.app.main import main
from prosody_py.config.load import load_mapping
from prosody_py.lua.runtime import KINDS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=KINDS)
def place(request, tmp_path_factory):
    """A place of the host localhost, in memory."""
    folder = tmp_path_factory.mktemp("lua")
    umask = os.umask(0o022)
    config = load_mapping({"storage": "memory", "data_path": str(folder), "greeting": "Moin",
                           "lua_runtime": request.param, "hosts": {"localhost": {}},
                           "components": {"rooms.localhost": {"module": "nothing"}}},
                          str(folder / "none"))
    with open_place(config, "prompt", "localhost") as opened:
        yield opened
    os.umask(umask)


@pytest.mark.parametrize(("code", "values"), [
    ("1 + 1", ["2"]), ("=2", ["2"]), ("return 3", ["3"]), ("x_1 = 5", []), ("nil", ["nil"]),
    ("1, 'a\\n\"b\"\\1', true", ["1", '"a\\n\\"b\\"\\001"', "true"]), ("", []), ("-- no", []),
    ("5 -- five", ["5"]), ("for i = 1, 2 do end", []),
    ("{ 3, 1, b = { c = 'd' }, ['e f'] = {} }", ['{ 3, 1, b = { c = "d" }, ["e f"] = {} }']),
    ("require 'util.stanza'.message({ to = 'a@b' }, 'x & y')",
     ["<message to='a@b'><body>x &amp; y</body></message>"]),
    ("(function () local t = {}; t.t = t; return t end)()", ["{ t = { (see above) } }"]),
    ("print", ["function (built in)"]), ("require 'util.set'.new { 5 }", ["5"]),
    ("module", ["mod_prompt on localhost"]), ("module:get_option('greeting')", ['"Moin"']),
    ("prosody.hosts", ['{ localhost = { ... }, ["rooms.localhost"] = { ... } }']),
])
def test_values_are_shown_so_that_one_can_read_them(place, code, values):
    assert place.evaluate(code) == values


def test_what_does_not_fit_a_line_is_indented(place):
    [shown] = place.evaluate("{ ('x'):rep(50), { ('y'):rep(50) }, a = 1 }")
    assert shown == ('{\n  "' + "x" * 50 + '",\n  { "' + "y" * 50 + '" },\n  a = 1\n}')


def test_an_object_shows_its_fields_and_no_further_objects(place):
    [shown] = place.evaluate("prosody.hosts.localhost")
    assert '  host = "localhost",\n' in shown and "  events = { ... },\n" in shown


def test_globals_stay_and_locals_do_not(place):
    place.evaluate("kept = 5; local gone = 6")
    assert place.evaluate("kept, rawget(_G, 'gone')") == ["5", "nil"]


@pytest.mark.parametrize("code", [
    "function f()", "{ 1,", "if x then", "x = ", "f(", "x = [[", "--[[", "for i = 1, 2 do",
    "print(1 +"])
def test_what_is_not_complete_waits_for_more(place, code):
    with pytest.raises(Incomplete):
        place.evaluate(code)


@pytest.mark.parametrize(("code", "told"), [
    ("x = = 5", "stdin:1: unexpected symbol near '='"), ("\n\nerror('oh')", "stdin:3: oh"),
    ("error('x')", "stdin:1: x"), ("nothing_there()", "stdin:1: attempt to call"),
    ("require 'no.such'", "no.such"), ("1 2", "stdin:1: "),
    ("module:hook('x')", "module:hook(): argument 2")])
def test_errors_are_told_with_their_line(place, code, told):
    with pytest.raises(CommandError) as error:
        place.evaluate(code)
    text = str(error.value)
    assert told in text and "border/" not in text and "prompt:" not in text


def test_waiting_calls_timers_and_hooks_work(place):
    assert place.evaluate("require 'util.async'.sleep(0.01)") == []
    place.evaluate("""
        local wait, done = require "util.async".waiter();
        ticks = 0;
        module:add_timer(0.01, function () ticks = ticks + 1; done(); end);
        wait();
        """)
    assert place.evaluate("ticks") == ["1"]
    place.evaluate("module:hook('prompt-test', function (event) return event.x + 1 end)")
    assert place.evaluate("module:fire_event('prompt-test', { x = 1 })") == ["2"]


def test_accounts_and_stores_of_the_host_are_there(place):
    place.evaluate("um = require 'core.usermanager'; "
                   "um.create_user('alice', 'secret', 'localhost')")
    assert place.evaluate("um.user_exists('alice', 'localhost')") == ["true"]
    place.evaluate("notes = module:open_store('notes'); notes:set('alice', { text = 'Milk' })")
    assert place.evaluate("notes:get('alice')") == ['{ text = "Milk" }']


@pytest.mark.parametrize(("text", "some"), [
    ("modu", ["module"]), ("module:get_option_bo", ["module:get_option_boolean"]),
    ("string.gs", ["string.gsub"]), ("prosody.hos", ["prosody.hosts"]), ("nosuch.x", []),
    ("prosody.hosts.localhost.ho", ["prosody.hosts.localhost.host"]),
    ("module.na", ["module.name"]),
])
def test_names_are_completed(place, text, some):
    assert place.names(text) == some


def test_a_file_is_run_in_the_same_environment(place, tmp_path):
    place.run(b"from_file = module.name; waited = require 'util.async'.sleep(0)", "x.lua")
    assert place.evaluate("from_file") == ['"prompt"']
    with pytest.raises(CommandError, match=r"x.lua:2: oh"):
        place.run(b"\nerror('oh')", "x.lua")
    with pytest.raises(CommandError, match="x.lua:1: "):
        place.run(b"function f(", "x.lua")


# -- the command ---------------------------------------------------------------------------


@pytest.fixture
def here(install, umask, monkeypatch):
    """An installation, whose folder is the working folder."""
    one = install()
    monkeypatch.chdir(one.folder)
    monkeypatch.delenv("PROSODY_PY_CONFIG", raising=False)
    return one


@pytest.mark.parametrize(("words", "code", "out", "err"), [
    (["--host", "localhost", "-e", "module.host, 1"], 0, '"localhost"\n1\n', ""),
    (["-e", "error('oh')"], 1, "", "stdin:1: oh"), (["-e", "function f("], 1, "", "breaks off"),
    (["--host", "nowhere", "-e", "1"], 1, "", "nowhere is not a host"),
    (["nowhere.lua"], 1, "", "There is no file nowhere.lua")])
def test_a_line_is_run_and_the_exit_code_says_how(here, capfd, words, code, out, err):
    assert main(["lua", *words]) == code
    told = capfd.readouterr()
    assert told.out == out and err in told.err


def test_lines_come_from_a_pipe(here, capfd, monkeypatch):
    lines = "function double(x)\n  return 2 * x\nend\ndouble(21)\nprint 'p'\nx = 5\nx\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert main(["lua"]) == 0
    assert capfd.readouterr().out == "42\np\n5\n"


def test_without_a_configuration_nothing_is_left_behind(here, capfd):
    here.file.unlink()
    assert main(["lua", "-e", "module.host"]) == 0
    assert capfd.readouterr().out == '"*"\n' and os.listdir(here.folder) == []


def test_a_person_types_on_a_terminal(install, open_terminal):
    here = install()
    terminal = open_terminal(here, "lua", "--host", "localhost")
    terminal.read_until("Ctrl-D leaves")
    terminal.read_until("> ")
    terminal.type("function f(x)\n")
    terminal.read_until(">> ")
    terminal.type("return x * 2\n")
    terminal.read_until(">> ")
    terminal.type("end\n")
    terminal.type("f(10\n+ 11)\n")
    terminal.read_until("\n42")
    terminal.type("x = = 5\n")
    terminal.read_until("unexpected symbol")
    terminal.type("f(\n\n")
    terminal.read_until("<eof>")
    # Time goes on while nothing is typed.
    terminal.type("module:add_timer(0.05, function () print('ti' .. 'ck') end)\n")
    terminal.read_until("tick")
    terminal.type("require 'util.jsonp\t.resolve\n")
    terminal.read_until("function (util/jsonpointer.lua")
    terminal.type("module:get_option_boo\t('x', true)\n")
    terminal.read_until("\ntrue")
    terminal.type("module:hook('resource-bin\t, print); x = 'hook' .. 'ed'\n")
    terminal.type("x\n")
    terminal.read_until('"hooked"')
    terminal.read_until("> ")
    terminal.type("'left' .. 'over'\x03")  # the terminal forgets what was typed before it
    terminal.type("5 + 5\n")
    terminal.read_until("\n10")
    terminal.read_until("> ")
    terminal.type("\x04")
    assert terminal.process.wait(20) == 0
    history = here.folder / "state" / "prosody-py" / "lua_history"
    text = history.read_text()
    assert "require 'util.jsonpointer'.resolve\n" in text
    assert "hook('resource-bind', print);" in text
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
