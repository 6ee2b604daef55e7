"""util.pubsub: nodes, items, subscriptions, and who may do what."""

from __future__ import annotations

import gevent
import pytest

SERVICE = """
local pubsub = require "util.pubsub";
local told = {};
local function bare(jid) return (jid:match("^[^/]+")); end
local function make(config)
    config = config or {};
    config.normalize_jid = config.normalize_jid or bare;
    config.broadcaster = function (kind, node, jids, item, actor, node_obj, service)
        assert(node_obj.name == node and service.broadcast);
        local names = {};
        for jid in pairs(jids) do names[#names + 1] = jid; end
        table.sort(names);
        told[#told + 1] = kind .. " " .. node .. " [" .. table.concat(names, " ") .. "] "
            .. tostring(item);
    end
    return pubsub.new(config);
end
local function heard(service, ...)
    local list = {};
    for _, name in ipairs { ... } do
        service.events.add_handler(name, function (event)
            assert(event.service == service);
            list[#list + 1] = name .. " " .. event.node .. " " .. tostring(event.actor or event.jid)
                .. " " .. tostring(event.id);
        end);
    end
    return list;
end
local function show(ok, ...)
    local parts = { tostring(ok) };
    for i = 1, select("#", ...) do parts[i + 1] = tostring((select(i, ...))); end
    return table.concat(parts, " ");
end
"""


@pytest.fixture
def run(lua):
    """Return a function that runs Lua code with what SERVICE defines."""
    return lambda code: lua.run(SERVICE + code)


def test_items_are_published_kept_newest_first_and_told(run):
    assert run("""
        local s = make();
        local list = heard(s, "node-created", "item-published/n", "item-published");
        assert(s:create("n", true) and s:add_subscription("n", "u@h/r", "u@h/r"));
        assert(s:publish("n", true, "1", "a") and s:publish("n", true, "2", "b"));
        assert(s:publish("n", true, "1", "c"));
        local _, items = s:get_items("n", "u@h");
        assert(items["1"] == "c" and items["2"] == "b");
        return table.concat(items, ","), show(s:get_last_item("n", true)), told[3], #told, list[1],
            list[2], list[3];
    """) == (b"1,2", b"true 1 c", b"items n [u@h/r] c", 3, b"node-created n true nil",
             b"item-published/n n true 1", b"item-published n true 1")


def test_items_are_read_by_id_and_in_ranges(run):
    assert run("""
        local s = make();
        s:create("n", true);
        for i = 1, 5 do s:publish("n", true, "i" .. i, "v" .. i); end
        local function ids(...)
            return table.concat(select(2, s:get_items("n", true, ...)), ",");
        end
        return ids("i2"), ids({ "i1", "none", "i4" }), ids(nil, { max = 2 }),
            ids(nil, { max = 2, after = "i4" }), ids(nil, { max = 2, before = "i1" }),
            ids(nil, { max = 2, before = true }), ids(nil, { max = 0 });
    """) == (b"i2", b"i1,i4", b"i5,i4", b"i3,i2", b"i3,i2", b"i2,i1", b"")


def test_items_are_taken_back_one_by_one_and_all(run):
    assert run("""
        local s = make();
        local list = heard(s, "item-retracted", "node-purged");
        s:create("n", true);
        for i = 1, 3 do s:publish("n", true, "i" .. i, "v"); end
        told = {};
        assert(s:retract("n", true, "i1", "gone") and s:retract("n", true, "i2"));
        local again = show(s:retract("n", true, "i1"));
        assert(s:purge("n", true, true));
        return again, show(s:get_last_item("n", true)), table.concat(told, ";"),
            table.concat(list, ";");
    """) == (b"false item-not-found", b"true nil nil", b"retract n [] gone;purge n [] nil",
             b"item-retracted n true i1;item-retracted n true i2;node-purged n true nil")


def test_nodes_without_memory_only_tell(run):
    assert run("""
        local s = make();
        s:create("n", true, { persist_items = false });
        assert(s:publish("n", true, "1", "a"));
        return told[1], show(s:get_items("n", true)), show(s:get_last_item("n", true)),
            show(s:retract("n", true, "1", "x")), s.data.n;
    """) == (b"items n [] a", b"false persistent-items-unsupported", b"true nil", b"true", None)


def test_max_items_bounds_what_is_kept_and_may_change(run):
    assert run("""
        local s = make({ max_items = 3 });
        s:create("n", true, { max_items = 2 });
        local function publish()
            for i = 1, 5 do s:publish("n", true, "i" .. i, "v"); end
            return #select(2, s:get_items("n", true));
        end
        local two = publish();
        s:set_node_config("n", true, { max_items = 1 });
        local one = #select(2, s:get_items("n", true));
        s:set_node_config("n", true, { max_items = "max" });
        return two, one, publish();
    """) == (2, 1, 3)


@pytest.mark.parametrize(("call", "answer"), [
    ("create('n', true)", "false conflict"), ("create('m', 'u@h')", "false forbidden"),
    ("create(nil, true)", "false nodeid-required"), ("delete('m', true)", "false item-not-found"),
    ("delete('n', 'u@h')", "false forbidden"), ("publish('n', 'u@h', '1', 'x')", "false forbidden"),
    ("publish('m', true, '1', 'x')", "false item-not-found"),
    ("publish('n', true, '1', 'bad')", "nil invalid-item"),
    ("retract('n', true, '9')", "false item-not-found"), ("purge('n', 'u@h')", "false forbidden"),
    ("get_items('m', true)", "false item-not-found"),
    ("add_subscription('m', 'u@h', 'u@h')", "false item-not-found"),
    ("add_subscription('n', 'u@h', 'v@h')", "false forbidden"),
    ("add_subscription('n', true, nil)", "false jid-required"),
    ("remove_subscription('n', 'u@h', 'u@h')", "false not-subscribed"),
    ("remove_subscription('n', 'u@h', 'v@h')", "false forbidden"),
    ("get_subscription('n', 'u@h', 'v@h')", "false forbidden"),
    ("get_subscriptions(nil, 'u@h', 'v@h')", "false forbidden"),
    ("get_subscriptions('m', true)", "false item-not-found"),
    ("set_affiliation('n', 'u@h', 'u@h', 'owner')", "false forbidden"),
    ("set_affiliation('n', true, 'u@h', 'emperor')", "false not-acceptable"),
    ("set_affiliation('m', true, 'u@h', 'owner')", "false item-not-found"),
    ("get_node_config('n', 'u@h')", "false forbidden"),
    ("set_node_config('n', 'u@h', {})", "false forbidden"),
    ("set_node_config('n', true, { title = 'bad' })", "false not-acceptable"),
    ("create('m', true, { title = 'bad' })", "false not-acceptable"),
    ("set_node_capabilities('n', 'u@h', {})", "false forbidden"),
])
def test_what_may_not_be_is_refused_by_name(run, call, answer):
    assert run(f"""
        local s = make({{
            itemcheck = function (item) return item ~= "bad"; end;
            check_node_config = function (node, actor, config) return config.title ~= "bad"; end;
        }});
        s:create("n", true);
        return show(s:{call});
    """) == answer.encode()


def test_subscriptions_are_found_by_jid_whatever_the_resource(run):
    assert run("""
        local s = make();
        local list = heard(s, "subscription-added", "subscription-removed");
        s:create("n", true); s:create("m", true);
        assert(s:add_subscription("n", "u@h/a", "u@h/a", { digest = true }));
        assert(s:add_subscription("m", true, "u@h"));
        local _, options = s:get_subscription("n", "u@h/b", "u@h/a");
        local _, own = s:get_subscriptions(nil, "u@h/c", "u@h/c");
        local _, in_m = s:get_subscriptions("m", true);
        local seen = {};
        for _, entry in ipairs(own) do seen[#seen + 1] = entry.node .. "=" .. entry.jid; end
        table.sort(seen);
        assert(in_m[1].subscription == true and #in_m == 1);
        assert(s:remove_subscription("n", "u@h/b", "u@h/a"));
        assert(s:remove_subscription("m", "u@h", "u@h"));
        return options.digest, table.concat(seen, " "), next(s.subscriptions), #list,
            show(s:get_subscription("n", true, "u@h/a"));
    """) == (True, b"m=u@h n=u@h/a", None, 4, b"true nil")


@pytest.mark.parametrize(("model", "affiliation", "subscribe", "read"), [
    ("open", b"member", True, True), ("whitelist", b"outcast", False, False),
    ("authorize", None, True, False), ("presence", b"member", True, True)])
def test_access_models_give_an_affiliation(run, model, affiliation, subscribe, read):
    assert run(f"""
        local s = make({{ access_models = {{
            presence = function (jid) return jid == "u@h" and "member" or "outcast"; end;
        }} }});
        s:create("n", true, {{ access_model = "{model}" }});
        return s:get_default_affiliation("n", "u@h"), s:may("n", "u@h", "subscribe"),
            s:may("n", "u@h", "get_items");
    """) == (affiliation, subscribe, read)


@pytest.mark.parametrize(("model", "stranger", "subscriber"), [
    ("publishers", b"false forbidden", b"false forbidden"),
    ("subscribers", b"false forbidden", b"true"), ("open", b"true", b"true")])
def test_publish_models_say_who_publishes_but_never_an_outcast(run, model, stranger, subscriber):
    assert run(f"""
        local s = make();
        s:create("n", true, {{ publish_model = "{model}" }});
        s:add_subscription("n", true, "sub@h");
        s:set_affiliation("n", true, "bad@h", "outcast");
        return show(s:publish("n", "u@h", "1", "x")), show(s:publish("n", "sub@h/r", "2", "x")),
            show(s:publish("n", "bad@h", "3", "x"));
    """) == (stranger, subscriber, b"false forbidden")


def test_affiliations_of_node_service_and_host_are_asked_in_this_order(run):
    assert run("""
        local s = make({ get_affiliation = function (jid, node, action)
            return jid == "boss@h" and action and "owner" or nil;
        end });
        s.affiliations["svc@h"] = "owner";
        assert(s:create("n", "boss@h") and s:create("m", "svc@h/r"));
        assert(s.nodes.m.affiliations["svc@h"] == "owner");
        local before = s:may("n", "svc@h", "delete");
        s:set_affiliation("n", true, "svc@h/other", "none");
        s:set_node_capabilities("n", true, { none = { publish = true } });
        return before, s:may("n", "svc@h", "delete"), s:may("n", "svc@h", "publish"),
            s:may("m", "boss@h", "delete");
    """) == (True, False, True, True)


def test_who_loses_access_loses_the_subscription(run):
    assert run("""
        local s = make();
        s:create("n", true);
        s:add_subscription("n", true, "a@h/x"); s:add_subscription("n", true, "b@h");
        assert(s:set_affiliation("n", true, "a@h", "outcast"));
        local after_ban = s.nodes.n.subscribers["a@h/x"];
        s:set_affiliation("n", true, "c@h", "member"); s:add_subscription("n", true, "c@h");
        assert(s:set_node_config("n", true, { access_model = "whitelist" }));
        return after_ban, s.nodes.n.subscribers["b@h"], s.nodes.n.subscribers["c@h"];
    """) == (None, None, True)


def test_nodes_are_made_by_publishing_and_subscribing_where_that_is_on(run):
    assert run("""
        local s = make({ autocreate_on_publish = true, autocreate_on_subscribe = true });
        assert(s:publish("p", true, "1", "x", { title = "T", _defaults_only = true }));
        assert(s:add_subscription("q", "u@h", "u@h"));
        return s.nodes.p.config.title, rawget(s.nodes.p.config, "_defaults_only"),
            show(s:publish("r", "u@h", "1", "x")), s.nodes.r, s.nodes.q.subscribers["u@h"];
    """) == (b"T", None, b"false forbidden", None, True)


def test_publishing_may_require_a_configuration(run):
    assert run("""
        local s = make();
        s:create("n", true, { title = "T" });
        local _, err = s:publish("n", true, "1", "x", { title = "other" });
        assert(s:publish("n", true, "1", "x", { title = "T", access_model = "open" }));
        assert(s:publish("n", true, "1", "x", { title = "other", _defaults_only = true }));
        return err.type, err.condition, err.pubsub_condition, err.text;
    """) == (b"cancel", b"conflict", b"precondition-not-met", b"Field does not match: title")


def test_configuration_is_complete_with_defaults_and_metadata_is_a_part(run):
    assert run("""
        local s = make({ node_defaults = { max_items = 7 } });
        s:create("n", true, { title = "T", access_model = "whitelist" });
        local _, config = s:get_node_config("n", true);
        local _, metadata = s:get_node_metadata("n", true);
        assert(show(s:get_node_metadata("n", "u@h")) == "false forbidden");
        s:set_node_config("n", true, { description = "D" });
        return config.max_items, config.publish_model, config.title, metadata.title,
            metadata.max_items, s.nodes.n.config.title, s.nodes.n.config.access_model;
    """) == (7, b"publishers", b"T", b"T", None, None, b"open")


def test_subscriber_filter_decides_who_is_told(run):
    assert run("""
        local s = make({ subscriber_filter = function (jids, node, event)
            local kept = {};
            for jid in pairs(jids) do if jid ~= "away@h" then kept[jid] = event; end end
            return kept;
        end });
        s:create("n", true);
        s:add_subscription("n", true, "away@h"); s:add_subscription("n", true, "u@h");
        s:publish("n", true, "1", "x");
        s:delete("n", true);
        return told[1], told[2], next(s.nodes), next(s.subscriptions);
    """) == (b"items n [u@h] x", b"delete n [u@h] nil", None, None)


STORE = """
local kept, broken = {}, false;
local nodestore = {
    get = function (_, name) return kept[name]; end;
    set = function (_, name, node)
        if broken then return nil, "disk"; end
        kept[name] = node;
        return true;
    end;
    users = function () return pairs(kept); end;
};
"""


def test_nodes_come_back_from_their_store(run):
    assert run(STORE + """
        local function itemstore(config, node)
            return require "util.cache".new(config.max_items);
        end
        local s = make({ nodestore = nodestore, itemstore = itemstore });
        s:create("n", true, { title = "T" });
        s:add_subscription("n", true, "u@h/r", { x = 1 });
        s:set_affiliation("n", true, "o@h", "owner");
        local t = make({ nodestore = nodestore, itemstore = itemstore });
        local _, subscriptions = t:get_subscriptions(nil, "u@h", "u@h");
        assert(t:publish("n", "o@h/res", "1", "x"));
        assert(t:delete("n", "o@h"));
        return t.nodes.n, subscriptions[1].subscription.x, next(kept);
    """) == (None, 1, None)


def test_what_a_store_refuses_has_not_happened(run):
    assert run(STORE + """
        local s = make({ nodestore = nodestore });
        s:create("n", true);
        s:add_subscription("n", true, "u@h");
        local list = heard(s, "node-created", "node-deleted", "subscription-added",
            "subscription-removed");
        broken = true;
        local answers = { show(s:create("m", true)), show(s:delete("n", true)),
            show(s:add_subscription("n", true, "v@h")),
            show(s:remove_subscription("n", true, "u@h")),
            show(s:set_affiliation("n", true, "v@h", "owner")),
            show(s:set_node_config("n", true, { title = "T" })) };
        for i = 1, 6 do assert(answers[i] == "nil internal-server-error", answers[i]); end
        return #list, s.nodes.m, s.nodes.n.subscribers["u@h"], s.nodes.n.subscribers["v@h"],
            next(s.nodes.n.affiliations), s.nodes.n.config.title, (next(s.subscriptions));
    """) == (0, None, True, None, None, None, b"u@h")


def test_items_that_cannot_be_kept_are_not_told(run):
    assert run("""
        local s = make({ itemstore = function ()
            return { get = function () end, set = function () return nil, "disk"; end };
        end });
        s:create("n", true);
        return show(s:publish("n", true, "1", "x")), #told;
    """) == (b"nil internal-server-error", 0)


def test_two_who_publish_to_a_new_node_at_once_make_it_once_and_keep_both_items(place):
    place.run("prosody.unlock_globals()")
    place.run(SERVICE + """
        local sleep = require "native.driver".sleep;
        created = 0;
        service = make({
            autocreate_on_publish = true;
            nodestore = { get = function () end, users = function () return pairs({}); end;
                set = function () sleep(0.01); return true; end };
        });
        service.events.add_handler("node-created", function () created = created + 1; end);
    """)
    publish = "assert(service:publish('n', true, ..., 'x'))"
    gevent.joinall([gevent.spawn(place.run, publish, name) for name in ("a", "b")],
                   timeout=5, raise_error=True)
    assert place.run("""
        local _, items = service:get_items("n", true);
        return created, #items, items.a, items.b;
    """) == (1, 2, "x", "x")
