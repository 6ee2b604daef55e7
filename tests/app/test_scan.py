"""`prosody-py module scan`: what Lua modules need is found by reading them."""

import json
import os
from pathlib import Path

import pytest

from prosody_py.app.lua_source.parser import parse
from prosody_py.app.main import main
from prosody_py.app.scan.reader import Reader
from prosody_py.app.scan.truth import libraries, truth
from prosody_py.lua.runtime import KINDS


def facts(text, name="x"):
    reader = Reader(name)
    reader.read(parse(text), "mod_x.lua")
    return reader.facts


def required(text):
    return [(one.name, one.when) for one in facts(text).libraries]


def members(text):
    return [(".".join((one.library, *one.path)), one.when) for one in facts(text).members]


# -- what the text says --------------------------------------------------------------------


@pytest.mark.parametrize(("text", "found"), [
    ('local st = require "util.stanza"', [("util.stanza", "always")]),
    ("require('prosody.util.jid')", [("util.jid", "always")]),
    ('x = require [[a]].b', [("a", "always")]),
    ('local n = "util." .. "id"; require(n)', [("util.id", "always")]),
    ('function f() return require "a" end', [("a", "later")]),
    ('if x then y = require "a" end', [("a", "later")]),
    ('local y = x or require "a"', [("a", "later")]),
    ('local ok, a = pcall(require, "a")', [("a", "optional")]),
    ('local a = softreq "a" or softreq "b"', [("a", "optional"), ("b", "optional")]),
    ('local bare = import("util.jid", "bare")', [("util.jid", "always")]),
    ('function module.load() require "a" end', [("a", "always")]),
    ('-- require "a"\n--[[ require "b" ]] x = [[ require "c" ]]', []),
    ('local function require(x) end require "a"', []), ('require(name)', []),
    ('module:require "a"', []), ('local require = require; require "a"', [("a", "always")]),
])
def test_libraries_are_found_with_when_they_are_needed(text, found):
    assert required(text) == found


@pytest.mark.parametrize(("text", "found"), [
    ('local st = require "s"; local function f() st.a() end', [("s.a", "later")]),
    ('local st = require "s"; st.a()', [("s.a", "later"), ("s.a", "always")]),
    ('local new = require "s".a.b', [("s.a", "later"), ("s.a.b", "later")]),
    ('local st = require "s"; local new = st.a; new()', [("s.a", "later"), ("s.a", "always")]),
    ('local s; s = require "s"; x = s["a"]', [("s.a", "later")]),
    ('local s = require "s"; if s.a then f(s.a) end', [("s.a", "optional"), ("s.a", "later")]),
    ('local s = require "s"; x = s.a or y', [("s.a", "optional")]),
    ('local a, b = import("s", "a", "b")', [("s.a", "later"), ("s.b", "later")]),
    ('local s = require "s"; function f(s) return s.a end', []),
    ('local s = require "s"; do local s = 5; s.a() end', []),
    ('local s = require "s"; s = other; s.a()', []),
    ('local s = require "s"; for s in x do s.a() end', []),
    ('function f() prosody.a() end prosody.b = 5; x = prosody.c', [("prosody.a", "later")]),
])
def test_members_of_libraries_are_followed_through_variables(text, found):
    assert members(text) == found


def test_what_the_module_itself_adds_to_a_library_is_known():
    found = facts('local s = require "s"; s.a = {}; function s.b() end s.a.c()')
    assert found.is_own("s", ("a", "c")) and found.is_own("s", ("b",))
    assert not found.is_own("s", ("c",))


def test_hooks_have_their_events_put_together_and_their_priorities():
    found = facts("""
        local xmlns = "urn:x";
        module:hook("iq/host/" .. xmlns .. ":q", f, 5);
        module:hook_global("a", function () module:hook("b/" .. c, f, -0.5) end);
        module:hook_tag(xmlns, "q", f); module:hook_tag("q", function () end, 3);
        module:hook_object_event(events, "e", f, 2);
        function module.add_host(m) m:hook("d", f); end
        local other = module:context("*"); other:hook("g", f);
        """)
    assert [(one.event, one.call, one.priority) for one in found.hooks] == [
        ("iq/host/urn:x:q", "hook", 5), ("a", "hook_global", 0), ("b/*", "hook", -0.5),
        ("stanza/urn:x:q", "hook_tag", 0), ("stanza/q", "hook_tag", 3),
        ("e", "hook_object_event", 2), ("d", "hook", 0), ("g", "hook", 0)]
    assert found.callbacks == {"add_host"}


def test_options_have_their_type_default_and_whether_they_are_needed():
    found = facts("""
        local a = module:get_option_string("a", "x y");
        local b = module:get_option_number(module.name .. "_b", 72 * 3600);
        local c = assert(module:get_option("c"), "c is needed");
        local d = module:get_option_set("d", { "p", q = -1 });
        local e = module:get_option_boolean("e", not x);
        local f = module:get_option_enum("f", "u", "v");
        function setup(host_module) host_module:get_option_array("g", {}); end
        module:get_option(name);
        if a == "" then error("a is needed"); end
        if not b then error("b is needed"); end
        if not d then d = {}; end
        if x then if not f then error("f is needed") end end
        """, "y")
    assert [(one.name, one.kind, one.default) for one in found.options] == [
        ("a", "string", '"x y"'), ("y_b", "number", "72*3600"), ("c", "option", None),
        ("d", "set", '{ "p", q = -1 }'), ("e", "boolean", None), ("f", "enum", '"u"'),
        ("g", "array", "{}")]
    assert list(found.required) == ["c", "a", "y_b"]
    assert found.options[5].words == ("u", "v")


def test_items_dependencies_and_fired_events_are_found():
    found = facts("""
        module:set_global();
        module:depends("a"); module:depends("b", true); module:require "c";
        module:provides("http", { route = {} }); module:provides("net", { name = "n" });
        module:add_feature("urn:x"); module:add_item("adhoc", desc);
        module:fire_event("one"); prosody.events.fire_event("two"); fire_event("three/" .. x);
        """)
    assert [(one.name, one.when) for one in found.depends] == [("a", "always"), ("b", "optional")]
    assert [one.name for one in found.files] == ["c"] and found.is_global
    assert [(one.kind, one.name) for one in found.items] == [
        ("http", ""), ("net", "n"), ("feature", "urn:x"), ("adhoc", "")]
    assert found.fires == {"one", "two", "three/*"}


# -- what is here --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_here_is_asked_of_a_runtime(kind):
    with truth(kind=kind) as asked:
        assert asked.kind == kind
        assert asked.why_not("util.stanza") is None and asked.why_not("prosody.util.jid") is None
        assert "is not provided" in asked.why_not("no.such.thing")
        assert asked.has("util.encodings", ("base64", "encode"))
        assert not asked.has("util.encodings", ("base64", "wrap"))
        assert {"hook", "get_option_set", "open_store"} <= asked.methods
        assert asked.members("util.jid")["bare"] == "function"
        assert "near" in asked.complaint(b"x = = 5", "x.lua")


def test_the_libraries_are_those_that_can_be_required():
    names = libraries()
    assert {"util.stanza", "util.human.units", "socket.url", "core.usermanager"} <= set(names)
    assert not any(name.startswith(("stanza.", "native.", "json.")) for name in names)
    with truth() as asked:
        told = filter(None, map(asked.why_not, names))
        assert [why for why in told if "is not provided: " not in why] == []


# -- the command ---------------------------------------------------------------------------

MODULE = """\
--% requires: permissions
local st = require "util.stanza";
local rock = require "some.rock";
local jid = require "util.jid";
module:depends("ping"); module:depends("other"); module:depends("nobody");
module:hook("resource-bnid", function () module:hok("info", jid.bear("x")); end);
local limit = module:get_option_number("demo_limit", 5);
module:add_feature("urn:demo");
module:require "part";
"""


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """A folder with modules, which is the working folder."""
    tmp_path = Path(os.path.realpath(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROSODY_PY_CONFIG", raising=False)
    folder = tmp_path / "plugins"
    (folder / "mod_demo").mkdir(parents=True)
    (folder / "mod_demo" / "mod_demo.lua").write_text(MODULE)
    (folder / "mod_demo" / "part.lib.lua").write_text('module:hook("part-event", print)\n')
    (folder / "mod_other.lua").write_text("module:fire_event('part-event', {})\n")
    (folder / "mod_needy.lua").write_text("module:depends('demo')\n")
    (folder / "mod_needs.lua").write_text("assert(module:get_option_string('needs_it'))\n")
    (folder / "mod_later.lua").write_text("function f() require 'util.stanzas' end\n")
    (folder / "mod_broken.lua").write_text("\nlocal = 5\n")
    (folder / "mod_c2s.lua").write_text("module:set_global()\n")
    (folder / "mod_python.py").write_text("raise RuntimeError\n")
    (folder / "notes.lua").write_text("not a module\n")
    return folder


def scan(capsys, *words):
    code = main(["module", "scan", *map(str, words)])
    return code, capsys.readouterr().out


def test_a_folder_is_told_module_by_module(plugins, capsys):
    code, output = scan(capsys, plugins, "--short")
    assert code == 2
    lines = dict(line.split(": ", 1) for line in output.splitlines())
    assert "lacks library some.rock (not provided, no part of Prosody" in lines["mod_demo"]
    assert "module nobody" in lines["mod_demo"] and "other" not in lines["mod_demo"]
    assert lines["mod_other"] == "runs here"
    assert lines["mod_needs"] == "needs option needs_it"
    assert lines["mod_needy"] == "needs mod_demo, and that fails"
    assert lines["mod_later"].startswith("loads, but in places lacks library util.stanzas")
    assert lines["mod_later"].endswith("did you mean util.stanza?)")
    assert lines["mod_broken"].startswith("plugins/mod_broken.lua:2: ")
    assert lines["mod_c2s"] == "not taken: the server has its own connection layer"
    assert lines["7 Lua modules (lua54)"] == ("2 run here, 1 load and lack something, 3 do not "
                                              "load, 1 not taken, the server has its own")
    assert lines["Not looked at, since they are in Python"] == "python"


def test_one_module_is_told_in_full(plugins, capsys):
    code, output = scan(capsys, plugins / "mod_demo")
    assert code == 2
    for part in (
            "\n  requires: util.stanza, some.rock, util.jid\n", "  header: requires: permissions\n",
            "  parts: plugins/mod_demo/part.lib.lua\n",
            "plugins/mod_demo/mod_demo.lua:3: library some.rock (when it loads; not provided",
            "mod_demo.lua:6: member util.jid.bear (in a function or below a condition)",
            "mod_demo.lua:6: method hok (in a function or below a condition; did you mean hook?)",
            "\n  events that nobody is known to fire: resource-bnid (did you mean resource-bind?), "
            "part-event\n",
            "  options: demo_limit (number, default 5)\n", "  provides: feature urn:demo\n",
            "  needs: mod_ping (bundled), mod_other (beside it), mod_nobody (missing)\n"):
        assert part in output


def test_json_has_all_of_it(plugins, capsys):
    code, output = scan(capsys, plugins / "mod_demo" / "mod_demo.lua", plugins / "mod_other.lua",
                        "--json")
    found = json.loads(output)
    demo, other = found["modules"]
    assert (code, demo["verdict"], other["verdict"]) == (2, "fails", "runs")
    assert {"name": "some.rock", "when": "always"}.items() <= demo["requires"][1].items()
    assert demo["requires"][1]["missing"] and not demo["requires"][0]["missing"]
    assert demo["options"][0]["name"] == "demo_limit" and demo["options"][0]["line"] == 7
    assert demo["depends"][0]["found"] == "bundled"
    assert [(event["name"], event["known"]) for event in demo["events"]] == [
        ("resource-bnid", False), ("part-event", True)]
    assert found["summary"] == {"runs": 1, "lacks": 0, "fails": 1, "replaced": 0}
    assert other["fires"] == ["part-event"] and found["runtime"] == "lua54"


def test_plugin_paths_and_the_runtime_are_those_of_the_configuration(plugins, capsys, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    (more / "mod_nobody.lua").write_text("")
    (tmp_path / "prosody.cfg.yaml").write_text(
        "hosts: {localhost: {}}\nplugin_paths: [more]\nlua_runtime: luajit21\n")
    (plugins / "mod_new.lua").write_text("local x <const> = 5 // 2; module:depends 'nobody'\n")
    (plugins / "mod_jit.lua").write_text("local x = 5ULL; module:depends 'nobody'\n")
    code, output = scan(capsys, plugins / "mod_new.lua", plugins / "mod_jit.lua")
    assert code == 2 and "2 Lua modules (luajit21): 1 run here, 1 do not load" in output
    assert "plugins/mod_new.lua:1: unexpected symbol" in output
    assert "mod_nobody (in plugin_paths)" in output


def test_a_module_that_runs_has_exit_code_0(plugins, capsys):
    assert scan(capsys, plugins / "mod_other.lua")[0] == 0


@pytest.mark.parametrize(("path", "told"), [
    ("nowhere", "There is no file or folder nowhere"), ("empty", "There is no module in empty"),
    ("text.txt", "is no module")])
def test_what_is_no_module_is_told(plugins, capsys, tmp_path, path, told):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x")
    assert main(["module", "scan", path]) == 1
    assert told in capsys.readouterr().err
