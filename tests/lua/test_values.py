"""Values across the border."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.lua.references import LuaCallable, LuaData

DATA = st.recursive(
    st.one_of(st.booleans(), st.integers(-2**50, 2**50), st.text(max_size=5),
              st.floats(allow_nan=False, allow_infinity=False, width=32)),
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=4),
                            st.dictionaries(st.text(min_size=1, max_size=4), inner,
                                            max_size=4)), max_leaves=12)
quick = settings(max_examples=40, deadline=None,
                 suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(data=st.binary(max_size=40))
def test_binary_strings_survive_the_round_trip(place, data):
    border = place.border
    text = border.to_python(data)
    assert border.to_lua(text) == data
    assert place.run("return #(...)", text) == len(data)
    assert border.to_lua(place.run("return ...", text)) == data


@quick
@given(data=DATA)
def test_plain_data_is_copied_unchanged(place, data):
    border = place.border
    raw = border.copy_to_lua(data)
    assert border.copy_to_python(raw) == data


def test_numbers_keep_their_kind(place):
    assert place.run("return ...", 3) == 3
    assert place.run("return tostring(...)", 3) == "3"
    assert place.run("return ...", 2.5) == 2.5
    assert place.run("return (...) > 1e30", 2**200) is True


def test_many_values_are_copied_in_parts(place):
    data = {"list": list(range(5000)), "map": {f"k{n}": n for n in range(3000)}}
    raw = place.border.copy_to_lua(data)
    assert place.border.copy_to_python(raw) == data


def test_table_that_contains_itself_cannot_be_copied(place):
    raw = place.border.to_lua(place.run("local t = {}; t.t = t; return t"))
    with pytest.raises(ValueError, match="contains itself"):
        place.border.copy_to_python(raw)


def test_lua_values_come_home_as_themselves(place):
    table, function = place.run("return { 1 }, function () return 7 end")
    assert type(table) is LuaData and type(function) is LuaCallable
    assert place.run("local t, f, u, g = ...; return t == u and f == g and type(t) == 'table' "
                     "and type(f) == 'function'", table, function, table, function) is True
    assert function() == 7 and function == place.run("return ...", function)
    assert place.run("return ...", table) is table


def test_python_functions_come_home_as_themselves(place):
    def function(*args):
        return len(args), "two"

    assert place.run("local f = ...; assert(type(f) == 'function'); return f(1, 2)",
                     function) == (2, "two")
    assert place.run("return ...", function) is function


def test_lua_table_is_an_open_object_and_a_mapping(place):
    table = place.run("return { a = 1, nested = { b = 2 }, 'first' }")
    assert table.a == 1 and table.nested.b == 2 and table.missing is None
    assert table[1] == "first" and len(table) == 1
    table.c = [1]
    table["d"] = table.nested
    assert place.run("local t = ...; return t.d == t.nested", table) is True
    assert "a" in table and sorted(map(str, table)) == ["1", "a", "c", "d", "nested"]
    del table.a
    assert table.a is None


def test_no_python_object_is_visible_to_lua(place):
    def fail():
        raise RuntimeError("no")

    assert place.run("""
        local seen, bad = {}, {};
        local function look(value, path)
            if type(value) == "userdata" and io.type(value) == nil then bad[#bad + 1] = path; end
            if type(value) ~= "table" or seen[value] then return; end
            seen[value] = true;
            for k, v in pairs(value) do
                look(k, path .. ".key");
                look(v, path .. "." .. tostring(k));
            end
        end
        look(package.loaded, "loaded");
        look({ ... }, "arguments");
        local ok, err = pcall((...));
        look(err, "error");
        return rawget(_G, 'python') == nil and table.concat(bad, " ");
    """, fail, place.session(), {"a": object()}) == ""


def test_python_drops_what_lua_holds_no_more(place):
    session = place.session()
    watch = weakref.ref(session)
    place.run("local s = ...; s.note = 5", session)
    del session
    place.run("collectgarbage(); collectgarbage()")
    gc.collect()
    assert watch() is None


def test_ended_session_lets_go_of_lua_values_that_know_it(place):
    session = place.session()
    watch = weakref.ref(session)
    place.run("local s = ...; s.callback = function () return s; end", session)
    session.destroyed = True
    place.border.holders.look()
    assert session.callback is not None  # it may still be used for a while
    place.border.holders.look()
    del session
    place.run("collectgarbage(); collectgarbage()")
    gc.collect()
    assert watch() is None
