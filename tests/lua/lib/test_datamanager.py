"""core.storagemanager's olddm: data in files, in Prosody's places and format."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DM = """
local dm = require "core.storagemanager".olddm;
local function all(...)
    local list = {};
    for item in ... do list[#list + 1] = item; end
    table.sort(list);
    return table.concat(list, " ");
end
"""


@pytest.fixture
def data(place):
    """The data folder; it exists as a running server's does."""
    (place.folder / "data").mkdir()
    return place.folder / "data"


@pytest.fixture
def run(place, data):
    return lambda code, *args: place.run(DM + code, *args)


def test_values_and_lists_are_files_as_prosody_writes_them(run, data):
    run("""
        assert(dm.store("u/x", "h.example", "my_store", { a = 1, b = { true, "x\\n" } }));
        assert(dm.store(nil, "h.example", "my_store", { 1 }));
        assert(dm.store(nil, nil, "my-store", { 1 }));
        assert(dm.list_append("u", "h.example", "lst", { n = 1 }));
        assert(dm.list_append("u", "h.example", "lst", { n = 2 }));
    """)
    files = {str(path.relative_to(data)): path.read_text() for path in data.rglob("*")
             if path.is_file()}
    assert files == {
        "h%2eexample/my_store/u%2fx.dat":
            'return {\n\t["a"] = 1;\n\t["b"] = {\n\t\ttrue;\n\t\t"x\\n";\n\t};\n};\n',
        "h%2eexample/my_store.dat": "return {\n\t1;\n};\n",
        "_global/my%2dstore.dat": "return {\n\t1;\n};\n",
        "h%2eexample/lst/u.list": 'item({\n\t["n"] = 1;\n});\nitem({\n\t["n"] = 2;\n});\n',
    }


def test_files_written_by_prosody_are_read(run, data):
    folder = data / "h" / "roster"
    folder.mkdir(parents=True)
    (folder / "a%40b.dat").write_text(
        'return {\n\t[false] = {\n\t\t["version"] = 3;\n\t};\n\t["x@y"] = {\n\t\t["groups"] = {};'
        '\n\t\t["name"] = "\\195\\169\\000";\n\t};\n\t[7] = (1/0);\n};\n')
    (folder / "a%40b.list").write_text('item({1})\nitem("x");item({3});')
    assert run("""
        local value = dm.load("a@b", "h", "roster");
        local list = dm.list_load("a@b", "h", "roster");
        return value[false].version, value["x@y"].name, value[7], #list, list[1][1], list[2],
            all(dm.users("h", "roster")), all(dm.users("h", "roster", "list"));
    """) == (3, "\u00e9\0", float("inf"), 3, 1, "x", "a@b", "a@b")


def test_what_was_stored_is_replaced_and_removed(run, data):
    assert run("""
        assert(dm.load("u", "h", "s") == nil and dm.list_load("u", "h", "s") == nil);
        assert(dm.store("u", "h", "s", { 1 }) and dm.store("u", "h", "s", { 2 }));
        assert(dm.list_store("u", "h", "s", { { 1 }, { 2 } }));
        local value, list = dm.load("u", "h", "s")[1], dm.list_load("u", "h", "s");
        assert(dm.store("u", "h", "s", nil) and dm.store("u", "h", "s", {}));
        assert(dm.list_store("u", "h", "s", {}) and dm.list_store("u", "h", "s", nil));
        return value, #list, dm.load("u", "h", "s"), dm.list_load("u", "h", "s");
    """) == (2, 2, None, None)
    assert not [path for path in data.rglob("*") if path.is_file()]


@pytest.mark.parametrize("text", ["return { a = ", "return os.time()", "return nothing()",
                                  "\x1bLua", "error('x')"])
def test_broken_files_are_an_error_and_run_nothing(run, data, text):
    folder = data / "h" / "s"
    folder.mkdir(parents=True)
    for name in ("u.dat", "u.list"):
        (folder / name).write_text(text)
    assert run("return dm.load('u', 'h', 's')") == (None, "Error reading storage")
    assert run("return dm.list_load('u', 'h', 's')") == (None, "Error reading storage")


def test_a_folder_that_cannot_be_written_is_a_named_error(run, data):
    (data / "h").write_text("not a folder")
    assert run("return dm.store('u', 'h', 's', { 1 })") == (None, "Error saving to storage")
    result = run("return dm.list_append('u', 'h', 's', { 1 })")
    assert result[0] is None and result[1].endswith("s/u.list: Not a directory")


def test_data_without_a_written_form_leaves_the_old_file(run):
    assert run("""
        dm.store("u", "h", "s", { 1 });
        local ok, err = pcall(dm.store, "u", "h", "s", { print });
        return ok, err:match("serialize function") ~= nil, dm.load("u", "h", "s")[1];
    """) == (False, True, 1)


def test_stores_and_purge_know_what_a_user_has(run):
    assert run("""
        dm.store("u", "h", "one", { 1 }); dm.list_append("u", "h", "two", { 1 });
        dm.store("v", "h", "three-3", { 1 }); dm.store(nil, "h", "own", { 1 });
        local before = { all(dm.stores("u", "h")), all(dm.stores("u", "h", "list")),
            all(dm.stores(true, "h")), all(dm.stores(nil, "h")), all(dm.stores("u", "none")) };
        assert(dm.purge("u", "h") and dm.purge("u", "none"));
        return table.concat(before, "/"), all(dm.stores("u", "h")), all(dm.stores("v", "h"));
    """) == ("one/two/one three-3 two/own/", "", "three-3")


def test_lists_are_opened_and_their_beginning_is_dropped(run, data):
    assert run("""
        local none, why = dm.list_open("u", "h", "s");
        for n = 1, 5 do dm.list_append("u", "h", "s", { n = n }); end
        local list = dm.list_open("u", "h", "s");
        assert(dm.list_shift("u", "h", "s", 1) == true and #dm.list_open("u", "h", "s") == 5);
        assert(dm.list_shift("u", "h", "s", 4) == true);
        local cut = dm.list_open("u", "h", "s");
        return none, why, #list, list[5].n, list[6], #cut, cut[1].n, cut[2].n;
    """) == (None, None, 5, 5, None, 2, 4, 5)
    assert (data / "h/s/u.list").read_text() == \
        'item({\n\t["n"] = 4;\n});\nitem({\n\t["n"] = 5;\n});\n'
    assert run("return dm.list_shift('u', 'h', 's', 3), dm.list_open('u', 'h', 's')") == (
        True, None)
    assert not (data / "h/s/u.list").exists()
    assert run("return dm.list_shift('u', 'h', 's', 0)") == (None, "invalid-argument")
    assert run("return dm.list_shift('u', 'h', 's', 'x')") == (None, "invalid-argument")


def test_a_list_that_cannot_be_read_is_not_cut(run, data):
    (data / "h" / "s").mkdir(parents=True)
    (data / "h/s/u.list").write_text("item({ broken")
    assert run("return dm.list_open('u', 'h', 's')") == (None, "Error reading storage")
    assert run("return dm.list_shift('u', 'h', 's', 2)") == (None, "Error reading storage")
    assert (data / "h/s/u.list").read_text() == "item({ broken"


def test_raw_text_is_appended_and_replaced(run, data):
    assert run("""
        local first, at = dm.append_raw("u", "h", "log", "txt", "one\\n");
        local _, second = dm.append_raw("u", "h", "log", "txt", "two\\n");
        assert(dm.store_raw(dm.getpath("u", "h", "log", "raw"), "\\0\\255"));
        return first, at, second, dm.getpath("u", "h", "log", "raw"),
            (dm.store_raw(dm.getpath("u", "none", "log", "raw"), "x"));
    """) == (True, 0, 4, f"{data}/h/log/u.raw", None)
    assert (data / "h/log/u.txt").read_text() == "one\ntwo\n"
    assert (data / "h/log/u.raw").read_bytes() == b"\0\xff"


def test_names_cannot_leave_the_data_folder(run, data):
    assert run("return dm.getpath('../a', '..', 'a/../b')") == (
        f"{data}/%2e%2e/a%2f%2e%2e%2fb/%2e%2e%2fa.dat")
    assert run("return dm.path_decode(dm.path_encode('a_b-c.d/\\0\u00e9'))") == "a_b-c.d/\0\u00e9"


def test_callbacks_change_and_stop_what_is_stored(run):
    assert run("""
        local seen = {};
        local function callback(user, host, store, data)
            seen[#seen + 1] = store;
            if store == "secret" then return false; end
            return user, host, "elsewhere", data;
        end
        dm.add_callback(callback);
        dm.store("u", "h", "secret", { 1 }); dm.list_append("u", "h", "secret", { 1 });
        dm.store("u", "h", "s", { 1 }); dm.list_store("u", "h", "s", { { 2 } });
        local removed = { dm.remove_callback(callback), dm.remove_callback(callback) };
        dm.store("u", "h", "late", { 1 });
        return table.concat(seen, " "), dm.load("u", "h", "secret"), dm.load("u", "h", "s"),
            dm.load("u", "h", "elsewhere")[1], dm.list_load("u", "h", "elsewhere")[1][1],
            #removed, dm.load("u", "h", "late")[1];
    """) == ("secret secret s s", None, None, 1, 2, 1, 1)


def test_another_folder_can_be_set(run, data, tmp_path):
    run("local folder = ...; dm.set_data_path(folder); dm.store('u', 'h', 's', { 1 });",
        str(tmp_path / "other"))
    assert (tmp_path / "other/h/s/u.dat").exists() and not (data / "h").exists()


def test_large_values_and_lists_are_read(make_place):
    place = make_place(lua_time_limit="20 seconds")
    folder = place.folder / "data" / "h" / "s"
    folder.mkdir(parents=True)
    texts = [f'"k{number}"' for number in range(1, 66001)]  # LuaJIT takes 65536 at once
    (folder / "u.dat").write_text("return {\n\t" + ";\n\t".join(texts) + ";\n};\n")
    (folder / "u.list").write_text("".join(f"item({text});\n" for text in texts))
    assert place.run(DM + """
        local value, list = dm.load("u", "h", "s"), dm.list_load("u", "h", "s");
        return #value, value[65999], #list, list[65999];
    """) == (66000, "k65999", 66000, "k65999")


def test_a_file_is_on_the_disk_when_the_answer_comes(run, data, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(number):
        synced.append(stat.S_ISDIR(os.fstat(number).st_mode))
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    run("dm.store('u', 'h', 's', { 1 })")
    assert synced == [False, True]
    run("dm.list_append('u', 'h', 's', { 1 }); dm.list_append('u', 'h', 's', { 2 })")
    assert synced == [False, True, False, True, False]


_PLAIN = st.recursive(
    st.booleans() | st.integers(-2**53, 2**53) | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=4),
    max_leaves=8)


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), _PLAIN,
                             min_size=1, max_size=5))
def test_what_is_loaded_is_what_was_stored(place, value):
    (place.folder / "data").mkdir(exist_ok=True)
    border = place.border
    chunk = border.compile((DM + """
        local value = ...;
        assert(dm.store("u", "h", "s", value));
        return dm.load("u", "h", "s");
    """).encode(), "test", border.lua.globals())

    def through_lua(raw):
        return border.copy_to_python(raw)

    expected = through_lua(border.copy_to_lua(value))
    assert through_lua(border.driver.call(chunk, border.copy_to_lua(value))) == expected
