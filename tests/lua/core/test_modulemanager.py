"""core.modulemanager, and the configuration, hosts, ports and metrics of the other managers."""

from __future__ import annotations

import pytest

MODULES = "local modules = require 'core.modulemanager'; "
MODULE = """
greeting = "hello";
module:add_item("test-item", { name = "one" });
function module.command(a, b) return a .. b; end
function module.fail() error("no"); end
function module.unload() prosody.events.fire_event("test-unloaded"); end
"""


@pytest.fixture
def with_module(start_lua, tmp_path):
    """A server that can load mod_sample."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mod_sample.lua").write_text(MODULE)
    return start_lua(plugin_paths=[str(folder)])


def test_modules_are_loaded_found_and_unloaded(with_module):
    assert with_module.lua(MODULES + """
        local h = "localhost";
        assert(not modules.is_loaded(h, "sample") and modules.get_module(h, "sample") == nil);
        local sample = assert(modules.load(h, "sample"));
        assert(modules.get_module(h, "sample") == sample);
        assert(modules.get_modules(h).sample == sample);
        assert(prosody.hosts[h].modules.sample == sample);
        assert(sample.greeting == "hello");
        assert(modules.get_items("test-item", h)[1].name == "one");
        assert(modules.reload(h, "sample"));
        assert(modules.get_module(h, "sample") ~= sample);
        assert(modules.unload(h, "sample"));
        return modules.is_loaded(h, "sample"), #modules.get_items("test-item", h);
    """) == (False, 0)


@pytest.mark.parametrize(("call", "code"), [
    ("load('localhost', 'no_such')", "module-not-found"),
    ("load('elsewhere.example', 'sample')", "unknown-host"),
    ("load('localhost', 'ping')", "module-already-loaded"),
    ("unload('localhost', 'sample')", "module-not-loaded"),
    ("reload('localhost', 'sample')", "module-not-loaded")])
def test_what_fails_is_nil_and_a_code(with_module, call, code):
    assert with_module.lua(MODULES + "return modules." + call) == (None, code)


def test_methods_are_what_the_module_has_assigned(with_module):
    assert with_module.lua(MODULES + """
        local sample = modules.load("localhost", "sample");
        local failed, err = modules.call_module_method(sample, "fail");
        local ok, result = modules.call_module_method(sample, "command", "a", "b");
        return modules.module_has_method(sample, "command"),
            modules.module_has_method(sample, "hook"), ok, result, failed, err:match("no$"),
            modules.call_module_method(sample, "absent");
    """) == (True, False, True, "ab", False, "no", False, "no-such-method")


def test_modules_of_a_host_follow_from_the_configuration(start_lua):
    running = start_lua(hosts={"localhost": {"modules_enabled": ["time"]}},
                        components={"rooms.localhost": {"module": "vcard"}})
    assert running.lua(MODULES + """
        local set, component = modules.get_modules_for_host("localhost");
        assert(set:contains("time") and set:contains("iq") and component == nil);
        local _, name = modules.get_modules_for_host("rooms.localhost");
        assert(prosody.hosts["rooms.localhost"].type == "component");
        assert(modules.unload("localhost", "time"));
        modules.load_modules_for_host("localhost");
        return name, modules.is_loaded("localhost", "time"),
            modules.get_modules_for_host("elsewhere.example"):empty();
    """) == ("vcard", True, True)


def test_configuration_can_be_read(start_lua):
    running = start_lua(colours=["red", "blue"], hosts={"localhost": {"depth": 3}})
    assert running.lua("""
        local config = require "core.configmanager";
        return config.get("localhost", "colours"), config.get("localhost", "core", "depth"),
            config.get("*", "depth"), config.rawget("localhost", "colours"),
            config.rawget("localhost", "depth"), config.getconfig().localhost,
            config.resolve_relative_path("/etc", "x");
    """) == (["red", "blue"], 3, None, None, 3, {"depth": 3}, "/etc/x")


def test_hosts_can_be_found_and_taken_out_of_service(start_lua):
    running = start_lua(hosts={"localhost": {}, "a.localhost": {}, "b.example": {}})
    client = running.server.client("juliet", host="a.localhost")
    assert running.lua("""
        local hosts = require "core.hostmanager";
        local children = hosts.get_children("localhost");
        assert(children["a.localhost"] and not children["b.example"]);
        assert(hosts.deactivate("a.localhost"));
        return next(hosts.get_children("localhost")), hosts.deactivate("a.localhost");
    """)[:2] == (None, None)
    assert client.closed_with() == "host-gone"


def test_services_and_their_ports_are_known(running):
    number = running.server.address()[1]
    assert running.lua("""
        local ports = require "core.portmanager";
        local service = ports.get_service("c2s");
        assert(service.name == "c2s" and ports.get_service("no_such") == nil);
        assert(ports.get_registered_services().c2s[1] == service);
        assert(ports.get_service_at("127.0.0.1", ...) == service);
        assert(ports.get_service_at("127.0.0.1", 1) == nil);
        return ports.get_active_services():get("c2s", "127.0.0.1", ...).service == service;
    """, number) is True


def test_metrics_are_counted(running):
    assert running.lua("""
        local stats = require "core.statsmanager";
        local count = stats.measure("rate", "test/seen");
        local amount = stats.measure("amount", "test/now");
        count(); count();
        amount(7);
        local done = stats.measure("times", "test/time")();
        done();
        local family = stats.metric("counter", "test/all", "", "Everything", { "kind" });
        family:with_labels("big"):add(9);
        family:clear();
        family:with_labels("big"):add(5);
        local values = stats.get_stats();
        return values["test/seen"], values["test/now"], values["test/all/big"],
            values["test/time"] >= 0;
    """) == (2, 7, 5, True)


def test_limit_of_a_module_may_default_to_infinity(start_lua, tmp_path):
    (tmp_path / "mod_limit.lua").write_text(
        "unset = module:get_option_number('unset_limit', math.huge);"
        "set = module:get_option_number('set_limit', math.huge);")
    running = start_lua(plugin_paths=[str(tmp_path)], set_limit=5)
    assert running.lua(MODULES + """
        local limit = modules.load("localhost", "limit");
        return limit.unset == math.huge, limit.set;
    """) == (True, 5)


def test_methods_added_to_the_module_api_are_those_of_all_modules(with_module):
    assert with_module.lua(MODULES + """
        require "core.moduleapi".twice = function (self, text) return self.name .. text .. text; end
        return modules.load("localhost", "sample").module:twice("x");
    """) == "samplexx"
