"""Storage drivers written in Lua, and the stores that Lua gets."""

from __future__ import annotations

import gevent
import pytest

from prosody_py import lua
from prosody_py.storage.interface import StorageError, UnsupportedStore
from prosody_py.xmpp.builders import message

DRIVER = """
local data = {};
local store_mt = {};
store_mt.__index = store_mt;

local function of(self, user)
    local key = self.name .. "/" .. (user or "");
    return key;
end
function store_mt:get(user) return data[of(self, user)]; end
function store_mt:set(user, value)
    if user == "full" then return nil, "quota-limit"; end
    if user == "odd" then return nil, "the dog ate it"; end
    if user == "broken" then error("boom"); end
    if user == "slow" then require "native.driver".sleep(0.01); end
    data[of(self, user)] = value;
    return true;
end
function store_mt:users()
    local found = {};
    for key in pairs(data) do
        local user = key:match("^" .. self.name .. "/(.*)$");
        if user then found[#found + 1] = user; end
    end
    local i = 0;
    return function () i = i + 1; return found[i]; end;
end

local archive_mt = { caps = { total = true; quota = 10 } };
archive_mt.__index = archive_mt;
function archive_mt:append(user, key, value, when, with)
    local items = data[of(self, user)] or {};
    data[of(self, user)] = items;
    key = key or ("id" .. #items + 1);
    items[#items + 1] = { key = key, value = value, when = when, with = with };
    return key;
end
function archive_mt:find(user, query)
    if query and query.after == "unknown" then return nil, "item-not-found"; end
    local items = data[of(self, user)] or {};
    local i = 0;
    return function ()
        repeat i = i + 1; until not items[i] or not (query and query.key)
            or items[i].key == query.key;
        local item = items[i];
        if item then return item.key, item.value, item.when, item.with; end
    end, query and query.total and #items or nil;
end
function archive_mt:delete(user, query) -- knows nothing but a key, and else deletes all
    local items, count = data[of(self, user)] or {}, 0;
    for i = #items, 1, -1 do
        if not (query and query.key) or items[i].key == query.key then
            table.remove(items, i);
            count = count + 1;
        end
    end
    if not items[1] then data[of(self, user)] = nil; end
    return count;
end
archive_mt.users = store_mt.users;

local driver = {};
function driver:open(store, kind)
    if kind == "archive" then return setmetatable({ name = store }, archive_mt); end
    if kind ~= "keyval" then return nil, "unsupported-store"; end
    return setmetatable({ name = store }, store_mt);
end
function driver:stores(user)
    local found = {};
    for key in pairs(data) do
        local store, owner = key:match("^(.-)/(.*)$");
        if user == true or owner == (user or "") then found[#found + 1] = store; end
    end
    return ipairs_of(found);
end
function ipairs_of(list) local i = 0; return function () i = i + 1; return list[i]; end; end
function driver:purge(user)
    for key in pairs(data) do
        if key:match("/(.*)$") == user then data[key] = nil; end
    end
    return true;
end
module:provides("storage", driver);
"""
HOST = "example.com"


@pytest.fixture
def mine(make_place):
    """A place whose stores are those of the driver above."""
    place = make_place(storage="mine")
    place.write("mod_storage_mine.lua", DRIVER)
    return place


def open_store(place, name="things", kind="keyval"):
    return place.server.storage.open(HOST, name, kind)


def test_python_keeps_values_in_a_driver_of_lua(mine):
    store = open_store(mine)
    value = {"a": [1, {"b": True}], "text": "\u00e9\udcff", 7: 1.5}
    store.set("juliet", value)
    store.set(None, {"of": "host"})
    assert store.get("juliet") == value and store.get(None) == {"of": "host"}
    assert store.get("juliet") is not store.get("juliet")
    assert list(store.users()) == ["juliet"]
    store.set("juliet", None)
    assert store.get("juliet") is None


@pytest.mark.parametrize(("user", "condition", "text"), [
    ("full", "quota-limit", "quota-limit"),
    ("odd", "internal-server-error", "the dog ate it"),
    ("broken", "internal-server-error", "has failed")])
def test_refusals_and_errors_have_a_name_on_both_sides(mine, user, condition, text):
    with pytest.raises(StorageError, match=text) as raised:
        open_store(mine).set(user, {"a": 1})
    assert raised.value.condition == condition
    mine.load("user", "function module.load() store = module:open_store('things'); end")
    reason = mine.run(f"""
        local sm = require "core.storagemanager";
        return sm.open("{HOST}", "things"):set("{user}", {{ a = 1 }});
    """)
    assert reason == (None, condition if user == "broken" else text)


def test_maps_are_made_of_values(mine):
    store = open_store(mine, kind="map")
    store.set("juliet", "a", 1)
    store.set_keys("juliet", {"b": [2], "a": store.remove, "c": 3})
    store.set("romeo", "c", 4)
    assert store.get("juliet", "a") is None and store.get("juliet", "b") == [2]
    assert store.get_all("c") == {"juliet": 3, "romeo": 4}
    store.delete_all("c")
    assert store.get_all("c") == {} and open_store(mine).get("romeo") is None
    open_store(mine).set("list", ["x", "y"])
    assert store.get("list", 2) == "y"


def test_values_and_keys_in_one_store(mine):
    store = open_store(mine, kind="keyval+")
    store.set("juliet", {"a": 1})
    store.set_key("juliet", "b", 2)
    store.set_keys("juliet", {"a": store.remove})
    assert store.get("juliet") == {"b": 2} and store.get_key("juliet", "b") == 2
    assert dict(store.items()) == {"juliet": {"b": 2}}
    assert store.get_key_from_all("b") == {"juliet": 2}
    store.delete_key_from_all("b")
    assert store.get("juliet") is None


def test_changes_of_one_user_do_not_overtake_each_other(mine):
    store = open_store(mine, kind="map")
    changes = [gevent.spawn(store.set, "slow", f"key{number}", number) for number in range(5)]
    gevent.joinall(changes, timeout=5, raise_error=True)
    assert open_store(mine).get("slow") == {f"key{number}": number for number in range(5)}


def test_archives_of_lua_serve_python(mine):
    store = open_store(mine, "log", "archive")
    first = store.append("juliet", None, message(type="chat", to="a@b"), 1000.5, "romeo")
    store.append("juliet", "second", message().text_tag("body", "two"), 90000, "nurse")
    items, total = store.find("juliet", {"total": True})
    keys = [(key, when, with_) for key, _value, when, with_ in items]
    assert keys == [(first, 1000.5, "romeo"), ("second", 90000, "nurse")] and total == 2
    value, when, with_ = store.get("juliet", "second")
    assert (value.get_child_text("body"), when, with_) == ("two", 90000, "nurse")
    assert store.get("juliet", "third") is None
    assert store.dates("juliet") == ["1970-01-01", "1970-01-02"]
    assert store.summary("juliet") == {
        "counts": {"romeo": 1, "nurse": 1}, "earliest": {"romeo": 1000.5, "nurse": 90000},
        "latest": {"romeo": 1000.5, "nurse": 90000}, "body": {"nurse": "two"}}
    assert store.caps == {"total": True, "quota": 10}
    with pytest.raises(StorageError) as raised:
        store.find("juliet", {"after": "unknown"})
    assert raised.value.condition == "item-not-found"
    with pytest.raises(StorageError) as raised:
        store.set("juliet", "second", message())
    assert raised.value.condition == "feature-not-implemented"
    assert store.delete("juliet") == 2 and store.delete(True) == 0


def test_items_are_picked_by_id_also_where_the_driver_does_not_know_how(mine):
    store = open_store(mine, "log", "archive")

    def fill():
        for number in range(4):
            store.append("juliet", f"k{number}", message(), number, "x")

    def keys(**query):
        items, total = store.find("juliet", {"total": True, **query})
        return [item[0] for item in items], total

    fill()
    assert keys(ids=["k3", "none", "k1"]) == (["k1", "k3"], 2)
    assert keys(ids=("k3", "k1"), limit=1) == (["k1"], 2)
    assert store.delete("juliet", {"ids": ["k1", "none"]}) == 1
    assert keys()[0] == ["k0", "k2", "k3"]
    assert store.delete("juliet", {"ids": ["none"]}) == 0
    assert store.delete("juliet", {"ids": ["k0", "k2", "k3"]}) == 3 and keys()[0] == []
    fill()
    assert store.delete(True, {"ids": ["k0"]}) == 1 and len(keys()[0]) == 3


def test_lua_gets_the_same_store_with_all_methods(mine):
    mine.load("user", """
        local keyval, map = module:open_store("things"), module:open_store("things", "map");
        local plus = module:open_store("things", "keyval+");
        assert(keyval:set("juliet", { a = 1, [3] = "x" }));
        assert(map:set("juliet", "b", { 2 }) and map:set_keys("juliet", { a = map.remove }));
        assert(map:get("juliet", "b")[1] == 2 and map:get("juliet", "a") == nil);
        assert(map:get_all("b").juliet[1] == 2);
        assert(plus:set_key("juliet", "c", 3) and plus:get_key("juliet", "c") == 3);
        assert(plus:get("juliet")[3] == "x" and plus:get_key_from_all("c").juliet == 3);
        for user, value in plus:items() do assert(user == "juliet" and value.c == 3); end
        for user in keyval:users() do assert(user == "juliet"); end
        assert(plus:delete_key_from_all("c") and map:delete_all("b"));

        local st = require "util.stanza";
        local archive = module:open_store("log", "archive");
        assert(archive.caps.total == true and archive.caps.quota == 10);
        local id = assert(archive:append("juliet", nil, st.message({ to = "a@b" }), 5, "romeo"));
        local find, total = archive:find("juliet", { total = true });
        local key, item, when, with = find();
        assert(key == id and item.attr.to == "a@b" and when == 5 and with == "romeo");
        assert(total == 1 and find() == nil);
        item, when, with = archive:get("juliet", id);
        assert(getmetatable(item) == st.stanza_mt and when == 5 and with == "romeo");
        assert(archive:get("juliet", "none") == nil);
        assert(archive:dates("juliet")[1] == "1970-01-01");
        assert(archive:summary("juliet").counts.romeo == 1);
        assert(select(2, archive:find("juliet", { after = "unknown" })) == "item-not-found");
        assert(archive:delete("juliet") == 1);
    """)


def test_drivers_of_python_have_the_same_methods_in_lua(place):
    place.load("user", """
        local kinds = {
            keyval = { "get", "set", "users" };
            map = { "get", "set", "set_keys", "get_all", "delete_all", "remove" };
            ["keyval+"] = { "get", "set", "users", "items", "get_key", "set_key", "set_keys",
                "remove", "get_key_from_all", "delete_key_from_all" };
            archive = { "append", "find", "get", "set", "delete", "summary", "dates", "users",
                "caps" };
        };
        for kind, names in pairs(kinds) do
            local store = module:open_store("things", kind);
            for _, name in ipairs(names) do assert(store[name], kind .. " has no " .. name); end
        end
        local caps = module:open_store("log", "archive").caps;
        assert(caps.truncate == true and caps.quota == false);
    """)


def test_a_kind_that_no_driver_has_refuses_in_lua_and_raises_in_python(make_place):
    place = make_place(storage="poor")
    place.write("mod_storage_poor.lua", """
        module:provides("storage", { open = function () return nil, "unsupported-store"; end });
    """)
    with pytest.raises(UnsupportedStore):
        open_store(place)
    place.load("user", """
        local store = module:open_store("things");
        local ok, reason = store:get("juliet");
        assert(not ok and reason == "no data storage active");
        assert(not store:set("juliet", {}));
        assert(not module:open_store("things", "archive"):find("juliet"));
    """)


def test_a_driver_with_native_maps_is_used_as_it_is(make_place):
    place = make_place(storage="rich")
    place.write("mod_storage_rich.lua", """
        local kept, calls = {}, {};
        local mark = {};
        local store = { remove = mark };
        function store:get_key(user, key) return kept[key]; end
        function store:set_key(user, key, value) kept[key] = value; return true; end
        function store:set_keys(user, changes)
            for key, value in pairs(changes) do
                if value == mark then kept[key] = nil; else kept[key] = value; end
            end
            return true;
        end
        function store:get_key_from_all(key) return { juliet = kept[key] }; end
        function store:delete_key_from_all(key) kept[key] = nil; return true; end
        function store:get(user) return kept; end
        function store:items() return pairs({ juliet = kept, [""] = { 1 } }); end
        module:provides("storage", { open = function (_, name, kind)
            if kind == "keyval+" then return store; end
            return nil, "unsupported-store";
        end });
    """)
    store = open_store(place, kind="keyval+")
    store.set_keys("juliet", {"a": 1, "b": 2})
    store.set_keys("juliet", {"a": store.remove})
    store.set_key("juliet", "c", 3)
    assert store.get("juliet") == {"b": 2, "c": 3} and store.get_key("juliet", "b") == 2
    assert store.get_key_from_all("b") == {"juliet": 2}
    store.delete_key_from_all("b")
    assert list(store.items()) == [("juliet", {"c": 3})]


def test_all_of_a_user_is_listed_and_purged(mine):
    open_store(mine, "one").set("juliet", {"a": 1})
    open_store(mine, "two").set("juliet", {"a": 1})
    open_store(mine, "two").set("romeo", {"a": 1})
    driver = mine.server.storage.driver(HOST, "mine")
    assert sorted(driver.stores(HOST, "juliet")) == ["one", "two"]
    mine.server.storage.purge(HOST, "juliet")
    assert driver.stores(HOST, "juliet") == [] and driver.stores(HOST, "romeo") == ["two"]


def test_storagemanager_knows_drivers_of_both_languages(make_place):
    place = make_place(storage={"things": "mine"}, default_storage="memory")
    place.write("mod_storage_mine.lua", DRIVER)
    assert place.run(f"""
        local sm = require "core.storagemanager";
        local host = "{HOST}";
        local own, name = sm.get_driver(host, "things");
        local store = own:open("things", "keyval");
        assert(store:set("juliet", {{ a = 1 }}));
        local other, default = sm.get_driver(host, "else");
        assert(other.name == "memory" and other:open("else"):set("juliet", {{ b = 1 }}));
        assert(sm.load_driver(host, "mine") == own);
        local missing, reason = sm.load_driver(host, "missing");
        local null = sm.load_driver(host, "null"):open("x");
        local names = {{}};
        for store_name in require "util.datamanager".stores("juliet", host) do
            names[#names + 1] = store_name;
        end
        assert(sm.purge("juliet", host));
        return name, default, missing, reason, select(2, null:get("juliet")),
            table.concat(names, " "), store:get("juliet"), sm.open(host, "else"):get("juliet");
    """) == ("mine", "memory", None, "internal-server-error", "no data storage active",
             "else things", None, None)


def test_a_driver_may_be_replaced_while_its_stores_are_open(mine):
    store = open_store(mine)
    store.set("juliet", {"a": 1})
    mine.reload("storage_mine", DRIVER.replace("local data = {};",
                                               "local data = { ['things/new'] = { 1 } };"))
    assert store.get("juliet") == {"a": 1}
    assert list(open_store(mine).users()) == ["new"]


def test_two_who_need_a_driver_at_once_load_it_once(make_place):
    place = make_place(storage="mine")
    place.write("mod_storage_mine.lua", "require 'native.driver'.sleep(0.02);" + DRIVER)
    opened = [gevent.spawn(open_store, place) for _ in range(3)]
    gevent.joinall(opened, timeout=5, raise_error=True)
    assert len(place.modules.get_items("storage-provider", HOST)) == 1
    lua.close(place.server)
