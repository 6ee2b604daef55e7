"""The names that modules use besides the libraries' are there, and are what they should be.

names.txt says which, by what they belong to; library members are in lib/members.txt. What the
names do is tested beside what they belong to.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from prosody_py.events import catalogue
from prosody_py.lua import guard, runtime_of
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.server import TestServer
from prosody_py.testing.web import WebClient

SECTIONS: dict[str, list[str]] = {}
for line in Path(__file__).with_name("names.txt").read_text().splitlines():
    if line.startswith("["):
        names = SECTIONS.setdefault(line[1:-1], [])
    elif line and not line.startswith("#"):
        names.extend(line.split())

ROOM = "room@rooms.localhost"
PROBE = """
    module:depends "http";
    function kind_of(name) return type(module[name]); end
    function ask(getter, ...) return module[getter](module, ...); end
    function default(role, action) module:default_permission(role, action); end
    function defaults(role, action) module:default_permissions(role, { action }); end
    function may(action, who) return module:may(action, who), module:could(action, who); end
    module:provides("http", { route = { ["POST /"] = function (event)
        seen = event;
        kinds = {};
        for _, object in ipairs { "request", "response" } do
            local text = event.request.headers.names;
            for name in text:gmatch("%S+") do
                kinds[object .. " " .. name] = type(event[object][name]);
            end
        end
        return "";
    end } });
"""
OPTIONS = {
    "storage": {"in_sqlite": "sqlite"}, "default_storage": "memory", "http_ports": [0],
    "https_ports": [], "components": {
        "rooms.localhost": {"module": "muc", "modules_enabled": ["muc_hats_api"]},
        "pubsub.localhost": {"module": "pubsub"}}}
MODULES = ["announce", "bookmarks", "client_management", "groups_internal", "http_files", "invites",
           "password_policy", "pep", "posix", "sasl2", "sasl2_fast", "smacks", "leans_on_it"]


@pytest.fixture(scope="module", params=KINDS)
def running(request, tmp_path_factory):
    """A server with everything, and a client that is in a room."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "mod_probe.lua").write_text(PROBE)
    (folder / "mod_leans_on_it.lua").write_text("module:depends 'probe';")
    guard.install()
    running = TestServer(folder, MODULES, lua_runtime=request.param, plugin_paths=[str(folder)],
                         http_files_dir=str(folder), **OPTIONS)
    client = running.client("juliet", "r").available()
    client.send(f"<presence to='{ROOM}/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    client.flush()
    yield running
    running.stop()
    guard.check()


@pytest.fixture
def lua(running):
    """Run Lua code as a function of `...`; give plain data."""
    border = runtime_of(running.server)

    def run(code, *args):
        function = border.compile(code.encode(), "test", border.lua.globals())
        result = border.driver.call(function, *map(border.to_lua, args))
        if type(result) is tuple:
            return tuple(map(border.copy_to_python, result))
        return border.copy_to_python(result)

    return run


@pytest.fixture
def probe(running):
    return running.server.modules.get_module("localhost", "probe").exports


SESSION = "prosody.full_sessions['juliet@localhost/r']"
ROOM_OF = f"hosts['rooms.localhost'].modules.muc.get_room_from_jid('{ROOM}')"
OBJECTS = {
    "session functions": SESSION, "connection functions": SESSION + ".conn",
    "server fields": "prosody", "host fields": "hosts.localhost", "globals": "_G",
    "user fields": "prosody.bare_sessions['juliet@localhost']", "room functions": ROOM_OF,
    "room fields": ROOM_OF, "occupant functions":
        ROOM_OF + ":get_occupant_by_real_jid('juliet@localhost/r')",
    "occupant fields": ROOM_OF + ":get_occupant_by_nick('" + ROOM + "/nick')",
}


@pytest.mark.parametrize("section", OBJECTS)
def test_objects_have_the_fields_and_functions_that_modules_use(lua, section):
    source = f"local object, name = {OBJECTS[section]}, ...; return type(object[name])"
    found = {name: lua(source, name) for name in SECTIONS[section]}
    assert [name for name, kind in found.items() if kind == "nil"] == []
    if section.endswith("functions"):
        assert [name for name, kind in found.items() if kind != "function"] == []


def test_the_module_object_has_all_functions_and_fields(probe):
    assert [name for name in SECTIONS["module functions"] + SECTIONS["option getters"]
            if probe.kind_of(name) != "function"] == []
    assert [name for name in SECTIONS["module fields"] if probe.kind_of(name) == "nil"] == []


GETTERS = {
    "get_option": ("x", "x"), "get_option_string": ("x", "x"), "get_option_boolean": (True, True),
    "get_option_number": (1.5, 1.5), "get_option_integer": (3, 3), "get_option_path": None,
    "get_option_period": ("2 minutes", 120), "get_option_set": None, "get_option_array": None,
    "get_option_inherited_set": None, "get_option_enum": None,
}


def test_each_getter_has_its_default(probe, lua):
    assert set(GETTERS) == set(SECTIONS["option getters"])
    for getter, values in GETTERS.items():
        if values is not None:
            assert probe.ask(getter, "no_such_option", values[0]) == values[1], getter
    assert lua("""
        local module = require "core.modulemanager".get_module("localhost", "probe").module;
        local set, array = module:get_option_set("no_such_option", { "a" }),
            module:get_option_array("no_such_option", { "b", "c" });
        local inherited = module:get_option_inherited_set("no_such_option", { "d" });
        return set:contains("a"), #array, array[2], inherited:contains("d"),
            module:get_option_enum("no_such_option", "e", "f"),
            module:get_option_path("no_such_option", "g", "data"):sub(-2),
            module:get_option_set("no_such_option"), module:get_option_enum("no_such_option");
    """)[:6] == (True, 2, "c", True, "e", "/g")


@pytest.mark.parametrize("type", SECTIONS["items"])
def test_an_item_of_each_type_comes_goes_and_is_listed(place, type):
    place.load("giver", "function give(type) thing = { name = 'x' }; "
                        "module:add_item(type, thing); return thing; end "
                        "function take(type) module:remove_item(type, thing); end")
    place.load("taker", f"""
        seen = "";
        module:handle_items("{type}", function (event)
            seen = seen .. "+" .. event.item.name .. event.source.name;
        end, function (event) seen = seen .. "-" .. event.item.name; end);
        function count() return #module:get_host_items("{type}"); end
    """)
    giver, taker = (place.modules.get_module("example.com", name).exports
                    for name in ("giver", "taker"))
    giver.give(type)
    assert (taker.seen, taker.count()) == ("+xgiver", 1)
    giver.take(type)
    assert (taker.seen, taker.count()) == ("+xgiver-x", 0)


@pytest.mark.parametrize("type", SECTIONS["providers"])
def test_what_a_module_provides_is_an_item_with_its_name(place, type):
    place.load("one", f"module:provides('{type}', {{ listener = {{}} }});")
    place.load("two", f"module:provides('{type}', {{ name = 'own', listener = {{}} }});")
    place.load("looker", f"""
        names = {{}};
        for _, item in ipairs(module:get_host_items("{type}-provider")) do
            names[#names + 1] = item.name;
        end
        all = table.concat(names, " ");
    """)
    assert place.modules.get_module("example.com", "looker").exports.all == "one own"


STORES = [section for section in SECTIONS if section.startswith("store ")]


@pytest.mark.parametrize("section", STORES)
@pytest.mark.parametrize("store", ["in_memory", "in_sqlite"])
def test_stores_of_each_kind_have_their_functions(lua, section, store):
    source = """
        local store, kind, name = ...;
        return type(require "core.storagemanager".open("localhost", store, kind)[name]);
    """
    kind = section.removeprefix("store ")
    assert {name: lua(source, store, kind, name) for name in SECTIONS[section]} == \
        dict.fromkeys(SECTIONS[section], "function")


def test_each_role_can_be_allowed_each_action(probe):
    for role in SECTIONS["roles"]:
        probe.default(role, ":of-one")
        probe.defaults(role, ":of-many")
    for action in SECTIONS["actions"]:
        before = probe.may(action, "juliet@localhost")
        assert all(type(answer) is bool or answer is None for answer in before), action
        probe.default("prosody:registered", action)
        assert probe.may(action, "juliet@localhost") == (True, True), action
        assert probe.may(action, "stranger@elsewhere.example")[0] in (False, None), action


def test_modules_may_keep_anything_in_a_session(lua):
    """Under each name that any module uses; what the server itself reads is put back."""
    assert lua(f"""
        local session, names = {SESSION}, ...;
        for name in names:gmatch("%S+") do
            local before, value = session[name], {{}};
            session[name] = value;
            if session[name] ~= value and name ~= "send" then return name; end
            session[name] = before;
            if (session[name] == nil) ~= (before == nil) then return name; end
        end
        return "all of them";
    """, " ".join(SECTIONS["session fields"])) == "all of them"


def test_requests_and_responses_have_their_fields(running, probe):
    wanted = {f"{of} {name}" for of in ("request", "response") for name in SECTIONS[f"{of} fields"]}
    web = WebClient(running.address("http"), "localhost")
    names = " ".join(sorted({name.split()[1] for name in wanted}))
    assert web.ask("POST", "/probe/", {"names": names}, b"x").answer().status == 200
    web.close()
    assert [name for name in sorted(wanted) if probe.kinds[name] in (None, "nil")] == []


EXPORTS = [section.removeprefix("exports ") for section in SECTIONS
           if section.startswith("exports ")]


@pytest.mark.parametrize("module", EXPORTS)
def test_modules_offer_others_what_prosodys_do(lua, module):
    source = """
        local name, member, inner = ...;
        local modules = require "core.modulemanager";
        for host in pairs(hosts) do
            local found = modules.get_module(host, name) or modules.get_module("*", name);
            if found then return type(inner and found[member][inner] or found[member]); end
        end
    """
    for name in SECTIONS["exports " + module]:
        member, _, inner = name.partition(":")
        assert lua(source, module, member, inner or None) not in (None, "nil"), name
        if inner:
            assert lua(source, module, member, inner) == "function", name


def test_the_servers_events_are_in_the_catalogue():
    assert [name for name in SECTIONS["events"] if catalogue.find(name) is None] == []
