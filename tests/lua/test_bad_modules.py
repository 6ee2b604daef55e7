"""Lua modules with mistakes in what they load, ask for and register: messages, and nothing else."""

from __future__ import annotations

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.events.bus import Event

HOST = "example.com"


@pytest.fixture
def with_neighbour(make_place):
    """Return a place with a module beside the bad one that counts what it sees."""
    place = make_place(lua_time_limit="0.05 seconds", a_number="many", a_word="green", a_size=500)
    place.load("good", "module:hook('x', function (e) e.seen = true; end, -1)")
    return place


def refused(place, text):
    """Load a bad module; return the message, having seen that nothing else is disturbed."""
    with pytest.raises(LoadError) as info:
        place.load("bad", text)
    assert not place.modules.is_loaded(HOST, "bad")
    event = Event()
    place.host.events.fire_event("x", event)
    assert event.seen is True
    text = str(info.value)
    assert "\n" not in text and "Traceback" not in text
    return text


@pytest.mark.parametrize("code, told", [
    ("local = 5", r"mod_bad.lua:2: "),
    ("error('on purpose')", "mod_bad.lua:2: on purpose"),
    ("require 'cyrussasl'", "mod_bad.lua:2: module 'cyrussasl' not found: library 'cyrussasl' is "
                            "not provided here, because it is a rock that loads C code"),
    ("require 'util.nosuch'", "is not provided here, because it is no part of Prosody"),
    ("require 'nosuch'", "see docs/lua-modules.md"),
    ("module:depends('nowhere')", "mod_bad.lua:2: Unable to load required module, mod_bad needs "
                                  "mod_nowhere: There is no module mod_nowhere in "),
    ("while true do end", "mod_bad.lua:2: interrupted, it has run for 0.05 seconds"),
    ("function module.load() while true do end end", "mod_bad.lua:2: interrupted"),
    ("os.exit(1)", "mod_bad.lua:2: os.exit is not for modules; use prosody.shutdown()"),
    ("require 'native.raw'", "mod_bad.lua:2: library 'native.raw' is for the server's own"),
    ("loadfile()", "mod_bad.lua:2: loadfile: name a file"),
    ("dofile()", "mod_bad.lua:2: dofile: name a file"),
    ("collectgarbage('nonsense')", "mod_bad.lua:2: bad argument #1 to 'collectgarbage'"),
    ("module:hook_object_event({}, 'x', print)",
     "mod_bad.lua:2: module:hook_object_event(): argument 1 has no add_handler"),
    ("module:hook('x')", "mod_bad.lua:2: module:hook(): argument 2 must be a function, got nil"),
    ("module:hook(nil, print)", "module:hook(): argument 1 must be a string, got nil"),
    ("module:hook('x', {})", "module:hook(): argument 2 must be a function, got table"),
    ("module:hook('x', print, 'high')", "3 must be a number or nil, got the string 'high'"),
    ("module:hook('x', print, 0/0)", "argument 3 must be a number or nil, got NaN"),
    ("module.hook('x', print)", "mod_bad.lua:2: call module:hook() with a colon"),
    ("module:hook_tag('urn:x', 'y')", "module:hook_tag(): give a namespace or nil"),
    ("module:wrap_event('x', 5)", "module:wrap_event(): argument 2 must be a function"),
    ("module:handle_items('x')", "module:handle_items(): argument 2 must be a function, got nil"),
    ("module:add_item('x')", "module:add_item(): argument 2 must be a value, got nil"),
    ("module:add_timer(0/0, print)", "module:add_timer(): argument 1 must be a number, got NaN"),
    ("module:add_timer(1)", "module:add_timer(): argument 2 must be a function, got nil"),
    ("require 'util.timer'.add_task(1)", "mod_bad.lua:2: timer.add_task(): argument 2 must be"),
    ("module:require('nosuch')", "module:require: there is no library 'nosuch' for mod_bad"),
    ("module:shared()", "module:shared(): argument 1 must be a string, got nil"),
    ("module:send('hello')", "argument 1 must be a stanza of util.stanza, got the string 'hello'"),
    ("module:send({ name = 'message', attr = {}, tags = {} })", "of util.stanza, got table"),
])
def test_mistake_while_loading_is_told_with_its_place(with_neighbour, code, told):
    assert told in refused(with_neighbour, "local x;\n" + code)


def test_wrong_options_are_told_with_their_place_in_the_configuration(with_neighbour, caplog):
    module = with_neighbour.load("bad", """
        number = module:get_option_number("a_number", 5) == nil;
        word = module:get_option_enum("a_word", "red", "blue") == nil;
        size = module:get_option_integer("a_size", 5, 1, 10);
    """)
    assert module.exports.number and module.exports.word and module.exports.size == 10
    for told in ('a_number at ', 'expected a number, got "many"', "expected one of red, blue, got",
                 "expected 1 to 10, got 500; using 10", "config.yaml:"):
        assert told in caplog.text


def test_kind_of_store_that_does_not_exist_is_told(with_neighbour, caplog):
    module = with_neighbour.load("bad", "s, why = module:open_store('x', 'pile')")
    assert module.exports.s is None and module.exports.why == "unsupported-store"
    assert "there is no kind of store 'pile'" in caplog.text


def test_what_fails_when_it_takes_effect_leaves_nothing_behind(with_neighbour):
    text = """
        local events = { add_handler = function () error("not today"); end,
            remove_handler = function () end };
        module:hook("x", function () return "zombie"; end);
        module:hook_object_event(events, "y", print);
    """
    assert "not today" in refused(with_neighbour, text)
    assert with_neighbour.host.events.fire_event("x", Event()) is None


def test_priorities_without_bounds_keep_their_order(with_neighbour):
    with_neighbour.load("bad", """
        for _, p in ipairs { "7", math.huge, 1, -math.huge, 1e300 } do
            module:hook("y", function (e) e.order = (e.order or "") .. tostring(p) .. " "; end, p);
        end
    """)
    event = Event()
    with_neighbour.host.events.fire_event("y", event)
    assert event.order.split() == ["inf", "1e+300", "7", "1", "-inf"]


# -- what belongs to the whole process -----------------------------------------------------


def test_compiled_code_is_refused(with_neighbour, tmp_path):
    path = str(tmp_path / "compiled")
    assert with_neighbour.run("""
        local code, path = string.dump(function () return 1; end), ...;
        local file = io.open(path, "wb");
        file:write(code);
        file:close();
        local pieces = { code };
        local tries = { load(code) or false, load(code, "x", "b") or false,
            load(code, "x", "bt") or false, loadfile(path) or false, pcall(dofile, path),
            load(function () return table.remove(pieces); end) or false,
            loadstring and loadstring(code) or false,
            require "util.envload".envload(code, "x", {}) or false };
        for _, one in ipairs(tries) do if one then return _; end end
        return load("return 5")() + load("return x", "x", "t", { x = 1 })();
    """, path) == 6


def test_python_is_out_of_reach(with_neighbour):
    assert with_neighbour.run("""
        local seen = {};
        local function look(value, depth)
            if type(value) == "userdata" and debug.getmetatable(value) == false then
                error("reached " .. tostring(value));
            elseif depth > 6 or seen[value] or value == nil then
                return;
            elseif type(value) == "function" then
                seen[value] = true;
                for i = 1, 60 do
                    local name, inner = debug.getupvalue(value, i);
                    if not name then break; end
                    look(inner, depth + 1);
                end
            elseif type(value) == "table" then
                seen[value] = true;
                look(debug.getmetatable(value), depth + 1);
                for k, v in pairs(value) do look(k, depth + 1); look(v, depth + 1); end
            end
        end
        look(package.loaded, 0);
        look(require "core.moduleapi", 0);
        look(debug.getregistry(), 0);
        return rawget(_G, "python") == nil and package.loaded.python == nil
            and next(debug.getregistry()) == nil and newproxy == nil and package.loadlib == nil
            and package.loaded["native.raw"] == nil;
    """) is True


def test_server_does_not_read_its_standard_input_for_a_module(with_neighbour):
    assert with_neighbour.run("return io.read(), io.stdin:read('*l'), (io.lines()())") == (
        None, None, None)


def test_collector_cannot_be_stopped(with_neighbour, caplog):
    with_neighbour.load("bad", "collectgarbage('stop'); collectgarbage('setpause', 10000);")
    assert with_neighbour.run("""
        for i = 1, 300000 do local garbage = { i }; end
        return collectgarbage("count") < 16000;
    """) is True
    assert 'mod_bad.lua:1: collectgarbage("stop") has no effect' in caplog.text


def test_hook_of_the_time_limit_cannot_be_taken_away(with_neighbour):
    assert "interrupted" in refused(with_neighbour, "debug.sethook(); while true do end")


def test_names_that_a_module_overrides_are_its_own(with_neighbour):
    with_neighbour.load("bad", """
        tostring = function () error("mine"); end;
        next, pairs, type, string, error, select = tostring, tostring, 5, nil, nil, nil;
        module:hook("y", function (e) e.fine = true; module:log("info", "%s", 5); end);
    """)
    event = Event()
    with_neighbour.host.events.fire_event("y", event)
    assert event.fine is True
    assert with_neighbour.run("return tostring(5) .. type(next)") == "5function"


def test_programs_run_beside_the_server(with_neighbour):
    assert with_neighbour.run("""
        local pipe = io.popen("echo a; echo b; exit 3");
        local first, second, third = pipe:read("*l"), pipe:lines()(), pipe:read("*l");
        local _, kind, code = pipe:close();
        local into = io.popen("test $(cat) = given", "w");
        into:write("giv", "en");
        local ok = into:close();
        return first .. second .. tostring(third) .. kind .. code .. tostring(ok);
    """) == "abnilexit3true"
    refusal = with_neighbour.run(
        "return select(2, pcall(string.gsub, 'a', '.', function () os.execute('true'); end))")
    assert "inside a callback of table.sort, string.gsub" in refusal
