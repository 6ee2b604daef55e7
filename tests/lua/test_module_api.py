"""The module API under Prosody's names."""

from __future__ import annotations

import logging

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.api.measures import measures
from prosody_py.events.bus import Event
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"


def fire(place, event="x", **fields):
    return place.host.events.fire_event(event, Event(**fields))


def test_options_have_prosodys_leniency(make_place, caplog):
    place = make_place(number="12", text=5, switch="true", several=["a", "b"], one="x",
                       span="2 days", wrong=["x"], nested={"a": {"b": [1, 2]}}, big=50)
    place.load("options", """
        local m = module;
        assert(m:get_option_number("number") == 12 and m:get_option_string("text") == "5");
        assert(m:get_option_boolean("switch") == true and m:get_option_period("span") == 172800);
        assert(m:get_option_boolean("missing") == nil);
        assert(m:get_option_string("missing", "d") == "d");
        assert(m:get_option_array("several")[2] == "b" and m:get_option_array("one")[1] == "x");
        assert(m:get_option_set("several"):contains("a"));
        assert(m:get_option_set("missing", { "q" }):contains("q"));
        assert(m:get_option_inherited_set("missing", {}):empty());
        assert(m:get_option_set("missing") == nil);
        assert(m:get_option("nested").a.b[2] == 2);
        local default = {};
        assert(m:get_option("missing", default) == default);
        assert(m:get_option_enum("missing", "one", "two") == "one");
        assert(m:get_option_integer("big", 1, 0, 10) == 10);
        assert(m:get_option_path("missing", "file", "data"):sub(-10) == "/data/file");
        assert(m:get_option_scalar("several") == "a");
    """)


def test_log_formats_anything(place, caplog):
    with caplog.at_level(logging.INFO):
        place.load("logs", """
            module:log("info", "%s and %d and %s", {}, 5, nil);
            module:log("debug", "hidden %s", "x");
            module._log("warn", "bare %s", true);
            module:log("error", "100%");
        """)
    text = caplog.text
    assert "and 5 and" in text and "bare true" in text and "100%" in text
    assert "hidden" not in text


def test_stores_copy_data_and_report_failure(place):
    place.load("stores", """
        local keyval, map = module:open_store("k"), module:open_store("m", "map");
        local data = { list = { 1, 2, { x = "y" } }, text = "t\\255", [true] = nil };
        assert(keyval:set("u", data));
        local copy = keyval:get("u");
        assert(copy ~= data and copy.list[3].x == "y");
        copy.text = "changed";
        assert(keyval:get("u").text ~= "changed" and keyval:get("nobody") == nil);
        assert(map:set("u", "key", { 1 }) and map:get("u", "key")[1] == 1);
        map:set_keys("u", { key = map.remove, other = 5 });
        assert(map:get("u", "key") == nil and map:get("u", "other") == 5);
        assert(keyval:set("u", nil) and keyval:get("u") == nil);
        local archive = module:open_store("a", "archive");
        local st = require "util.stanza";
        local id = archive:append("u", nil, st.message({ id = "1" }):body("hello"), 100, "with");
        archive:append("u", "second", st.message({ id = "2" }), 200, "with");
        local found = {};
        local iterate, total = archive:find("u", { total = true });
        for item_id, stanza, when, with in iterate do
            assert(st.is_stanza(stanza) and with == "with");
            found[#found + 1] = item_id .. stanza.attr.id .. when;
        end
        assert(total == 2 and #found == 2 and found[2]:find("^second2200"), found[2]);
        local none, err = archive:find("u", { after = "nothing" });
        assert(none == nil and err == "item-not-found");
        users = {};
        keyval:set("v", { 1 });
        for user in keyval:users() do users[#users + 1] = user; end
    """)
    assert place.modules.get_module(HOST, "stores").exports.users.copy() == ["v"]


def test_global_module_has_no_store(place):
    module = place.load("everywhere", "module:set_global(); s, e = module:open_store('x')")
    assert module.exports.s is None and module.exports.e == "global-storage-not-supported"


def test_items_are_offered_and_seen(place):
    place.load("provider", """
        module:add_item("thing", { name = "one" });
        module:add_feature("urn:x");
        module:add_identity("client", "bot", "Bot");
    """)
    consumer = place.load("consumer", """
        seen = {};
        module:handle_items("thing", function (event)
            seen[#seen + 1] = event.item.name .. event.source.name;
        end, function (event) seen[#seen + 1] = "-" .. event.item.name; end);
        features = module:get_host_items("feature");
    """)
    assert consumer.exports.features.copy() == ["urn:x"]
    place.modules.unload(HOST, "provider")
    assert consumer.exports.seen.copy() == ["oneprovider", "-one"]


def test_provides_with_and_without_a_table(place):
    place.load("auth_test", """
        function test_password(user, password) return password == "secret"; end
        module:provides("auth");
    """)
    [item] = place.modules.get_items("auth-provider", HOST)
    assert item.name == "test" and item._provided_by == "auth_test"
    assert item.test_password("u", "secret") is True and item.module is None
    place.load("other", "module:provides('thing', { name = 'own' })")
    assert place.modules.get_items("thing-provider", HOST)[0].name == "own"


def test_shared_tables_survive_a_reload(place):
    text = """
        local t = module:shared("sessions");
        t.count = (t.count or 0) + 1;
        local conn = {};
        t[conn] = { "session" };
        assert(t[conn][1] == "session" and module:shared("m/sessions") == t);
        assert(module:shared("/" .. module.host .. "/m/sessions") == t);
        count = t.count;
    """
    place.load("m", text)
    assert place.reload("m", text).exports.count == 2


def test_context_is_the_module_seen_from_another_host(place):
    place.load("ctx", """
        local other = module:context("example.org");
        assert(other.host == "example.org" and module.host == "example.com");
        assert(other.name == "ctx" and other:get_host_type() == "local");
        other:hook("x", function () return "hooked"; end);
        other.field = 5;
        assert(module.field == 5);
        module:context("*"):hook("y", function () return "global"; end);
    """)
    assert place.other_host.events.fire_event("x") == "hooked"
    assert place.server.events.fire_event("y") == "global"
    place.modules.unload(HOST, "ctx")
    assert place.other_host.events.fire_event("x") is None


def test_hooks_of_all_kinds(place):
    place.load("hooks", """
        local first = function () return "first"; end
        module:hook("x", function () return "second"; end);
        module:hook("x", first, 1);
        module:hook_tag("urn:x", "el", function (origin, stanza, event)
            return origin.username .. stanza.name;
        end);
        module:hook_stanza("bare", function (origin, stanza) return stanza.name; end);
        module:wrap_event("x", function (go, name, data) return "wrapped " .. go(name, data); end);
        local events = require "util.events".new();
        module:hook_object_event(events, "own", function (data) return data; end);
        fire = events.fire_event;
        function unhook() module:unhook("x", first); end
    """)
    exports = place.modules.get_module(HOST, "hooks").exports
    assert fire(place) == "wrapped first"
    exports.unhook()
    assert fire(place) == "wrapped second"
    session = place.session()
    assert fire(place, "stanza/urn:x:el", origin=session, stanza=Stanza("el")) == "aliceel"
    assert fire(place, "stanza/bare", origin=session, stanza=Stanza("bare")) == "bare"
    assert exports.fire("own", 5) == 5
    go = exports.fire
    place.modules.unload(HOST, "hooks")
    assert go("own", 5) is None


def test_send_and_send_iq(place):
    def answer(event):
        reply = Stanza("iq", {"type": event.stanza.attr["kind"], "id": event.stanza.attr["id"],
                              "from": event.stanza.attr["to"], "to": event.stanza.attr["from"]})
        reply.tag("error", {"type": "auth"}).tag("forbidden", {
            "xmlns": "urn:ietf:params:xml:ns:xmpp-stanzas"}).reset()
        kind = event.stanza.attr["kind"]
        place.host.events.fire_event(f"iq-{kind}/host/{reply.attr['id']}",
                                     Event(origin=None, stanza=reply))
        return True

    place.host.events.add_handler("iq/bare", answer)
    module = place.load("asker", """
        local st, async = require "util.stanza", require "util.async";
        local function ask(kind)
            return async.wait_for(module:send_iq(st.iq({ type = "get", to = "bob@example.com",
                from = module.host, id = "i" .. kind, kind = kind })));
        end
        function run()
            local good = ask("result");
            local bad, err = ask("error");
            return good.stanza.attr.type, bad, err.condition, err.type;
        end
    """)
    assert module.exports.run() == ("result", None, "forbidden", "auth")


def test_broadcast_and_send_deliver(place):
    seen = []
    place.host.events.add_handler(
        "message/bare", lambda event: seen.append(event.stanza.attr["to"]) or True)
    place.load("sender", """
        local st = require "util.stanza";
        module:send(st.message({ to = "a@example.com", from = module.host }));
        module:broadcast({ "b@example.com", "c@example.com" }, st.message({ from = module.host }));
    """)
    assert seen == ["a@example.com", "b@example.com", "c@example.com"]


def test_measures_count(place):
    place.load("measured", """
        local count, size = module:measure("hits", "counter"), module:measure("size", "sizes");
        count(1); count(2); size(10); size(20);
        module:measure("took", "times")()();
        local metric = module:metric("gauge", "g", "", "A gauge", { "label" });
        metric:with_labels("a"):set(5);
    """)
    metrics = measures(place.server).metrics
    assert metrics["prosody_mod_measured/hits"].labelled().value == 3
    size = metrics["prosody_mod_measured/size"].labelled()
    assert (size.count, size.lowest, size.highest) == (2, 10, 20)
    assert metrics["prosody_mod_measured/g"].labelled("a").value == 5


def test_gauges_are_added_to_and_all_of_a_metric_is_counted_anew(place):
    """As mod_c2s and mod_s2s of Prosody do for each `stats-update`."""
    place.load("connections", """
        local all = module:metric("gauge", "open", "", "Connections", { "host", "type" });
        local seen = module:metric("summary", "seen", "", "", { "host" });
        module:hook_global("stats-update", function ()
            all:clear();
            for _ = 1, 3 do all:with_labels("a", "v4"):add(1); end
            all:with_labels("a", "v4"):add(-1);
            all:with_labels("a", "v6"):inc();
            seen:with_labels("b"):sample(7);
        end);
        function reset() seen:with_labels("b"):reset(); end
    """)
    metrics = measures(place.server).metrics
    for _ in range(2):
        place.server.events.fire_event("stats-update")
        found = metrics["prosody_mod_connections/open"]
        assert (found.labelled("a", "v4").value, found.labelled("a", "v6").value) == (2, 1)
    seen = metrics["prosody_mod_connections/seen"].labelled("b")
    assert (seen.count, seen.value, seen.lowest) == (2, 14, 7)
    place.modules.get_module("example.com", "connections").exports.reset()
    assert (seen.count, seen.value, seen.lowest) == (0, 0, None)


def test_permissions_go_by_role(make_place):
    place = make_place(admins=["root@example.com"])
    place.load("acts", """
        module:default_permission("prosody:admin", ":rule");
        module:default_permission("prosody:user", ":read");
        may = {};
        function ask(action, who) return module:may(action, who); end
    """)
    ask = place.modules.get_module(HOST, "acts").exports.ask
    assert ask(":rule", "root@example.com") is True
    assert ask(":rule", "alice@example.com") is False
    assert ask(":read", "root@example.com/x") is True
    assert ask(":read", "alice@example.com") is True
    assert ask(":read", "eve@elsewhere.example") is False
    assert ask(":read", place.session()) is True
    place.modules.unload(HOST, "acts")
    assert "permissions" not in place.host.extras


def test_depends_fails_with_the_reason(make_place):
    place = make_place(modules_disabled=["off"])
    with pytest.raises(LoadError, match="Unable to load required module.*nowhere"):
        place.load("needs", "module:depends('nowhere')")
    place.load("soft", "a, b = module:depends('off', true)")
    exports = place.modules.get_module(HOST, "soft").exports
    assert exports.a is None and exports.b == "disabled"


def test_fields_of_the_module_object(place):
    module = place.load("fields", """
        assert(module.name == "fields" and module.host == "example.com");
        assert(module.path:sub(-14) == "mod_fields.lua" and module:get_name() == "fields");
        assert(module:get_directory() == module.path:match("^(.*)/"));
        assert(rawget(module, "load") == nil and module.items ~= nil and not module.global);
        assert(tostring(module) == "mod_fields on example.com");
        module:add_item("k", "v");
        function module.check() return module.items.k[1], module.loaded; end
        result = module.check;
        module:set_status("warn", "careful");
        file = module:load_resource("mod_fields.lua"):read("*a");
    """)
    assert module.exports.result() == ("v", True)
    assert module.get_status() == ("warn", "careful")
    assert "load_resource" in module.exports.file
