"""Lua source text as a tree: what Lua accepts is accepted, and nothing else."""

import random
from pathlib import Path

import lupa.lua54
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.app.lua_source import nodes
from prosody_py.app.lua_source.lexer import LuaSyntaxError, tokens, unescape
from prosody_py.app.lua_source.parser import parse
from prosody_py.lua.runtime import LIB

GOOD = [
    "", "#!/usr/bin/lua\nreturn 1", "-- only a comment", "--[==[ long ]] ]==] x = 1", ";;;",
    "local a <const>, b <close> = 1, nil", "goto done; do ::done:: end ::done::", "goto = 5",
    "for i = 1, 2, 3 do break end for k, v in next, {} do end", "while x do f() end",
    "repeat local x = f() until x", "if a then elseif b then else end", "return", "return;",
    "f{1, 2; a = 3, ['b'] = 4, [[c]]}", "f'x'.y:z[[w]]", "(f or g)(x)", "a.b['c'].d = -2^-3 .. 'x'",
    "function a.b.c:d(...) return ... end", "local function f(a, b, ...) end",
    "x = 0x1p4 + 1e-3 + .5 + 0xFFULL + 1LL + 3i", "x = a // b | c & d ~ e << f >> ~g",
    "x = 'a\\\nb\\z   \n c\\x41\\u{48}\\065'", "x = [=[\n]]]=]",
    "x = not not #t == 0 and -x or nil",
]
BAD = [
    "x =", "local 1", "if x then", "for i do end", "f(", "x = 'abc", "x = [[abc", "--[[ abc", "a.b",
    "return 1 2", "end", "x = }", "function f( end", "local function a.b() end", "x = $", "1 = 2",
    "goto 5", "::a", "repeat x()", "a, b", "f() = 1 x", "elseif",
]


@pytest.mark.parametrize("source", GOOD)
def test_what_is_lua_is_read(source):
    assert isinstance(parse(source), list)


@pytest.mark.parametrize("source", BAD)
def test_what_is_no_lua_is_told_with_its_line(source):
    with pytest.raises(LuaSyntaxError) as error:
        parse("\n\n" + source)
    assert error.value.line >= 3 and str(error.value)


def test_the_tree_has_calls_with_their_lines_and_texts():
    [local, call] = parse('local st = require "util.stanza";\n\nmodule:hook("a" .. b, st.x, -5)')
    assert (local.names, local.values[0].function.name) == (["st"], "require")
    assert local.values[0].arguments[0].text == "util.stanza"
    method = call.expressions[0]
    assert (method.object.name, method.name, method.line) == ("module", "hook", 3)
    joined, member, minus = method.arguments
    assert (joined.operator, joined.left.text, joined.right.name) == ("..", "a", "b")
    assert (member.object.name, member.key.text) == ("st", "x")
    assert isinstance(minus, nodes.Operation) and minus.left is None


@pytest.mark.parametrize(("inside", "meant"), [
    (r"a\nb", "a\nb"), (r"\65\066", "AB"), (r"\x41\u{20AC}", "A€"), ("a\\z  \n b", "ab"),
    (r"\"\'\\", "\"'\\"), ("a\\\nb", "a\nb")])
def test_escapes_mean_what_they_mean_in_lua(inside, meant):
    assert unescape(inside) == meant
    assert lupa.lua54.LuaRuntime().eval(f'"{inside}"') == meant


def test_every_library_of_ours_is_read_and_lines_are_counted():
    for path in Path(LIB).rglob("*.lua"):
        text = path.read_text(encoding="utf-8")
        parse(text)
        assert tokens(text)[-1].line == text.count("\n") + 1


@pytest.mark.parametrize("source", [
    "x = " + "(" * 5000 + ")" * 5000, "x = " + "{" * 5000 + "}" * 5000,
    "do " * 5000 + "end " * 5000, "x = " + "not " * 5000 + "y", "x = a" + "..b" * 5000])
def test_deep_nesting_is_an_error_and_no_crash(source):
    with pytest.raises(LuaSyntaxError):
        parse(source)


LUA = lupa.lua54.LuaRuntime().eval("function(text) return (load(text)) ~= nil end")
PIECES = st.sampled_from("""
    x y.z f() f'a' a:b(1) = , ; local function ( ) end do while if then else elseif for in repeat
    until return break goto ::a:: { } [ ] " ' [[ ]] --[[ -- .. ... + - not and or nil 5
    """.split())


@pytest.mark.parametrize("source", [
    "f() = 1", "(x) = 1", "x, f() = 1, 2", "x, (y.z) = 1, 2", "x:f() = 1"])
def test_what_cannot_be_assigned_to_is_a_mistake(source):
    assert not LUA(source)
    with pytest.raises(LuaSyntaxError):
        parse(source)


@pytest.mark.parametrize("source", ["x = 1", "(x).y = 1", "f().y, x[f()] = 1", "x, y.z = 1, 2"])
def test_what_can_be_assigned_to(source):
    assert LUA(source)
    parse(source)


@given(st.lists(PIECES, max_size=12).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_lua_and_we_agree_on_what_is_lua(source):
    compiled = LUA(source)
    try:
        parse(source)
    except LuaSyntaxError:
        assert not compiled, source
    else:
        # Labels, break outside of loops and "..." outside of functions are left to the compiler.
        assert compiled or any(word in source for word in ("goto", "::", "break", "...")), source


def test_a_broken_file_is_never_a_crash():
    text = (Path(LIB) / "util" / "jid.lua").read_text(encoding="utf-8")
    dice = random.Random(5)
    for _ in range(150):
        begin, length = dice.randrange(len(text)), dice.randrange(40)
        try:
            parse(text[:begin] + text[begin + length:])
        except LuaSyntaxError:
            pass
