"""core.storagemanager and util.datamanager."""

from __future__ import annotations

DATA = "local dm = require 'util.datamanager'; local u, h = 'juliet', 'localhost'; "


def test_store_of_any_host_can_be_opened(running):
    assert running.lua("""
        local storage = require "core.storagemanager";
        local store = assert(storage.open("localhost", "things", "map"));
        assert(store:set("juliet", "colour", "red"));
        local driver, name = storage.get_driver("localhost", "things");
        assert(driver.name == name);
        return name, driver:open("things"):get("juliet"), storage.olddm.load("juliet",
            "localhost", "things"), storage.open("elsewhere.example", "things");
    """) == ("memory", {"colour": "red"}, None, None, "unsupported-store")


def test_arguments_that_are_left_out_at_the_end_are_nil(running):
    assert running.lua("""
        local storage = require "core.storagemanager";
        local keyval = assert(storage.open("localhost", "things"));
        local map = assert(storage.open("localhost", "more", "map"));
        assert(keyval:get() == nil and keyval:set(nil, { 1 }));
        assert(map:set("juliet", "colour", "red") and map:get("juliet") == nil);
        assert(map:set("juliet", "colour") and map:get("juliet", "colour") == nil);
        local before = keyval:get();
        assert(keyval:set());
        return before, keyval:get();
    """) == ([1], None)


def test_data_is_stored_for_users_and_for_the_host(running):
    assert running.lua(DATA + """
        assert(dm.store(u, h, "things", { a = { 1, 2 }, b = "x" }));
        assert(dm.store(nil, h, "things", { c = true }));
        local names = {};
        for name in dm.users(h, "things") do names[#names + 1] = name; end
        return names, dm.load(u, h, "things"), dm.load(nil, h, "things"),
            dm.store(u, h, "things", nil), dm.load(u, h, "things");
    """) == (["juliet"], {"a": [1, 2], "b": "x"}, {"c": True}, True, None)


def test_lists_grow(running):
    assert running.lua(DATA + """
        assert(dm.list_append(u, h, "log", { n = 1 }));
        assert(dm.list_append(u, h, "log", { n = 2 }));
        local grown = dm.list_load(u, h, "log");
        assert(dm.list_store(u, h, "log", { { n = 3 } }));
        local replaced = dm.list_load(u, h, "log");
        assert(dm.list_store(u, h, "log", {}));
        return grown, replaced, dm.list_load(u, h, "log");
    """) == ([{"n": 1}, {"n": 2}], [{"n": 3}], None)


def test_lists_are_opened_and_their_beginning_is_dropped(running):
    assert running.lua(DATA + """
        for n = 1, 3 do assert(dm.list_append(u, h, "cut", { n = n })); end
        local before = #dm.list_open(u, h, "cut");
        assert(dm.list_shift(u, h, "cut", 3));
        local after = dm.list_load(u, h, "cut");
        assert(dm.list_shift(u, h, "cut", 9));
        return before, after, dm.list_open(u, h, "cut"),
            (dm.list_shift(u, h, "cut", 2));
    """) == (3, [{"n": 3}], None, None)
    assert running.lua(DATA + "return dm.list_shift(u, h, 'cut', 1.5)") == (
        None, "invalid-argument")


def test_callbacks_change_and_stop_what_is_stored(running):
    assert running.lua(DATA + """
        local function callback(username, host, name, data)
            if name == "secret" then return false; end
            return username, host, name, { wrapped = data };
        end
        dm.add_callback(callback);
        assert(dm.store(u, h, "secret", { 1 }) and dm.store(u, h, "open", { 1 }));
        dm.remove_callback(callback);
        assert(dm.store(u, h, "later", { 1 }));
        return dm.load(u, h, "secret"), dm.load(u, h, "open"), dm.load(u, h, "later");
    """) == (None, {"wrapped": [1]}, [1])


def test_unknown_host_and_data_without_a_form_are_nil_and_a_text(running):
    result = running.lua(DATA + "return dm.store(u, h, 'x', { f = print })")
    assert result[0] is None and isinstance(result[1], str)
    assert running.lua(DATA + "return dm.load(u, 'elsewhere.example', 'x')") == (
        None, "unsupported-store")
    assert running.lua(DATA + "return dm.list_append(u, 'elsewhere.example', 'x', 1)") == (
        None, "unsupported-store")


def test_files_of_a_module_are_in_the_data_folder(running):
    folder = running.server.server.paths["data"]
    path = running.lua(DATA + "return dm.getpath('a/../b', 'x.example', 'files', 'txt', true)")
    assert path == f"{folder}/x%2eexample/files/a%2f%2e%2e%2fb.txt"
    with open(path, "w") as file:
        file.write("x")
    assert running.lua(DATA + "return dm.path_decode(dm.path_encode('a/b'))") == "a/b"
    assert running.lua(DATA + "return dm.getpath(nil, 'x.example', 'files')") == (
        f"{folder}/x%2eexample/files.dat")
