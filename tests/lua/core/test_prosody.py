"""The functions of `prosody` that concern the whole server."""

from __future__ import annotations

from prosody_py.testing.client import wait_until


def test_server_can_be_stopped(running):
    client = running.server.client("juliet")
    running.lua("prosody.shutdown('enough', 1)")
    assert client.closed_with() == "system-shutdown"
    wait_until(lambda: running.server.server.stopping)


def test_configuration_can_be_read_anew(running):
    assert running.lua("return require 'core.configmanager'.get('*', 'colour')") is None
    running.server.write_config(colour="red")
    assert running.lua("""
        assert(prosody.reload_config());
        return require "core.configmanager".get("*", "colour");
    """) == "red"
    with open(running.server.file, "a") as file:
        file.write("\n]")
    result = running.lua("return prosody.reload_config()")
    assert result[0] is None and isinstance(result[1], str)
    assert running.lua("return require 'core.configmanager'.get('*', 'colour')") == "red"


def test_stanza_can_be_posted_for_a_session(running):
    juliet, romeo = (running.server.client(name).available() for name in ("juliet", "romeo"))
    running.lua("""
        local st = require "util.stanza";
        local session, to = ...;
        prosody.core_post_stanza(prosody.full_sessions[session],
            st.message({ from = session, to = to }, "posted"), true);
    """, juliet.jid, romeo.jid)
    assert romeo.message().get_child_text("body") == "posted"


def test_fields_of_prosody_are_those_that_modules_read(running):
    assert running.lua("""
        local kinds = {};
        for _, name in ipairs { "hosts", "full_sessions", "bare_sessions", "events", "paths", "arg",
            "incoming_s2s", "opts", "features", "main_thread", "started", "version", "release",
            "platform", "process_type", "config_file", "start_time", "shutdown", "reload_config",
            "reopen_logfiles", "unlock_globals", "lock_globals", "core_process_stanza",
            "core_post_stanza", "core_route_stanza", "log", "resolve_relative_path",
            "shutdown_reason", "shutdown_code", "prosodyctl" } do
            kinds[name] = type(prosody[name]);
        end
        return kinds;
    """) == {
        **dict.fromkeys(("hosts", "full_sessions", "bare_sessions", "events", "paths", "arg",
                         "incoming_s2s", "opts", "features", "main_thread", "started"), "table"),
        **dict.fromkeys(("version", "release", "platform", "process_type", "config_file"),
                        "string"),
        "start_time": "number", "shutdown_reason": "nil", "shutdown_code": "nil",
        "prosodyctl": "nil",
        **dict.fromkeys(("shutdown", "reload_config", "reopen_logfiles", "unlock_globals",
                         "lock_globals", "core_process_stanza", "core_post_stanza",
                         "core_route_stanza", "log", "resolve_relative_path"), "function")}
    assert running.lua("return prosody.platform, prosody.process_type, prosody.config_file") == (
        "posix", "prosody", running.server.file)


def test_paths_name_the_servers_folders(running):
    paths = running.lua("""
        local found = {};
        for name, path in pairs(prosody.paths) do found[name] = path; end
        return found;
    """)
    assert {"config", "data", "certs", "plugins", "source"} <= set(paths)
    assert all(path.startswith("/") for path in paths.values())


def test_fields_of_a_host_are_those_that_modules_read(running):
    running.server.client("juliet").available()
    assert running.lua("""
        local host = prosody.hosts.localhost;
        assert(hosts == prosody.hosts and full_sessions == prosody.full_sessions);
        assert(bare_sessions["juliet@localhost"] == host.sessions.juliet);
        assert(type(host.send) == "function" and host.component == nil and host.muc == nil);
        assert(host.modules.iq.module.name == "iq" and host.users.name == "internal_hashed");
        assert(next(host.s2sout) == nil and type(host.events.fire_event) == "function");
        assert(#host.sessions.juliet.top_resources == 1);
        host.muc = { jid = "x" };
        assert(host.muc.jid == "x");
        host.muc = nil;
        return host.type, host.host, host.muc;
    """) == ("local", "localhost", None)


def test_work_can_be_given_to_the_main_thread(running):
    assert running.lua("""
        local done;
        prosody.main_thread:run(function () done = "done"; end);
        return done;
    """) == "done"


def test_globals_are_locked_until_a_module_unlocks_them(running):
    ok, error = running.lua("return pcall(function () some_global = 1; end)")
    assert ok is False and "Attempt to set a global" in error
    assert running.lua("""
        prosody.unlock_globals();
        some_global = 1;
        prosody.lock_globals();
        local value = some_global;
        rawset(_G, "some_global", nil);
        return value, type(import), select("#", unpack({ 1, 2 })), prosodyctl;
    """) == (1, "function", 2, None)


def test_shutdown_tells_why_and_how(running):
    running.lua("""
        rawset(_G, "told", {});
        prosody.events.add_handler("server-stopping", function (event)
            told = { event.reason, event.code, prosody.shutdown_reason, prosody.shutdown_code };
        end);
        prosody.shutdown("enough", 3);
    """)
    server = running.server.server
    wait_until(lambda: server.stopping)
    assert (server.shutdown_reason, server.shutdown_code) == ("enough", 3)
