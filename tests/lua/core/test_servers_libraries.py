"""core.loggingmanager, hostmanager, configmanager, statsmanager, s2smanager and their kin."""

from __future__ import annotations

import logging

import gevent

from prosody_py.testing.client import wait_until


def test_a_sink_of_lua_gets_the_log_from_its_level_on(start_lua):
    running = start_lua(log={"level": "debug", "sinks": [{"to": "keep", "level": "warn",
                                                          "size": 5}]})
    running.lua("""
        rawset(_G, "kept", {});
        require "core.loggingmanager".register_sink_type("keep", function (config)
            return function (source, level, format, ...)
                table.insert(kept, config.size .. source .. level .. format:format(...));
            end;
        end);
    """)
    logging.getLogger("demo").warning("first 100%")
    logging.getLogger("demo").info("not this")
    running.lua("require 'util.logger'.init('lua-demo')('error', 'from %s', 'Lua')")
    wait_until(lambda: len(running.lua("return kept")) == 2)
    assert running.lua("return kept") == ["5demowarnfirst 100%", "5lua-demoerrorfrom Lua"]
    told = []
    running.server.server.events.add_handler("logging-reloaded", lambda _event: told.append(1))
    running.lua("require 'core.loggingmanager'.reload_logging()")
    logging.getLogger("demo").error("again")
    wait_until(lambda: len(running.lua("return kept")) == 3)
    running.lua("require 'core.loggingmanager'.register_sink_type('keep', nil)")
    logging.getLogger("demo").error("too late")
    gevent.sleep(0.01)
    assert told and len(running.lua("return kept")) == 3


def test_a_sink_that_fails_gets_no_more_lines(start_lua, caplog):
    running = start_lua(log={"sinks": [{"to": "broken"}]})
    running.lua("""
        require "core.loggingmanager".register_sink_type("broken", function ()
            return function () error("no sink"); end;
        end);
    """)
    logging.getLogger("demo").error("one")
    wait_until(lambda: "broken fails and gets no more lines" in caplog.text)
    assert "no sink" in caplog.text


def test_a_host_is_put_into_service_with_its_modules(start_lua):
    running = start_lua(hosts={"localhost": {}, "later.localhost": {"enabled": False}})
    assert running.lua("""
        local hosts = require "core.hostmanager";
        local activated = {};
        prosody.events.add_handler("host-activated", function (name) activated[1] = name; end);
        assert(hosts.activate("later.localhost", { colour = "red" }));
        assert(prosody.hosts["later.localhost"].modules.iq);
        assert(require "core.configmanager".get("later.localhost", "colour") == "red");
        return activated[1], select(2, hosts.activate("later.localhost")),
            select(2, hosts.activate("not a host"));
    """) == ("later.localhost", "The host later.localhost is already activated",
             "not a host is not a valid name of a host")
    running.server.client("juliet", host="later.localhost")


def test_options_can_be_set_until_the_configuration_is_read_anew(running):
    assert running.lua("""
        local config = require "core.configmanager";
        assert(config.set("*", "colour", { "red" }) and config.set("localhost", "depth", 3));
        assert(config.get("localhost", "colour")[1] == "red");
        assert(config.rawget("localhost", "depth") == 3 and config.rawget("*", "depth") == nil);
        assert(config.files[1] == prosody.config_file and #config.files == 1);
        assert(config.load());
        return config.get("*", "colour"), config.load("/elsewhere");
    """) == (None, False, "file", f"The server reads {running.server.file}")


def test_metrics_are_collected_and_can_be_listed(running):
    assert running.lua("""
        local stats = require "core.statsmanager";
        local told = {};
        prosody.events.add_handler("stats-update", function () table.insert(told, "stats"); end);
        prosody.events.add_handler("openmetrics-updated", function (event)
            table.insert(told, event.metric_registry and "openmetrics" or "nothing");
        end);
        stats.metric("counter", "test_all", "", "Everything", { "kind" }):with_labels("big"):add(5);
        stats.metric("summary", "test_time", "seconds"):with_labels():sample(2);
        stats.cork(); stats.collect(); stats.uncork();
        local families = stats.get_metric_registry():get_metric_families();
        local found = {};
        for _, name in ipairs { "test_all", "test_time" } do
            for labels, metric in families[name]:iter_metrics() do
                for suffix, _, value in metric:iter_samples() do
                    table.insert(found, name .. suffix .. (labels[1] or "") .. value);
                end
            end
        end
        assert(families.test_all.description == "Everything");
        assert(families.test_all.label_keys[1] == "kind" and families.test_time.unit == "seconds");
        local text = table.concat(found, " "):gsub("%.0", "");
        return text, told;
    """) == ("test_all_totalbig5 test_time_count1 test_time_sum2", ["stats", "openmetrics"])


def test_sessions_of_other_servers_are_made_where_modules_look_for_them(running):
    assert running.lua("""
        local s2s = require "core.s2smanager";
        local conn = { ip = function () return "192.0.2.7"; end };
        local incoming = s2s.new_incoming(conn);
        assert(prosody.incoming_s2s[incoming] and incoming.conn == conn and incoming.incoming);
        assert(type(incoming.hosts) == "table" and type(incoming.log) == "function");
        local outgoing = s2s.new_outgoing("localhost", "y.example");
        assert(prosody.hosts.localhost.s2sout["y.example"] == outgoing and outgoing.outgoing);
        assert(outgoing.notopen and outgoing.id ~= incoming.id and outgoing.host == "localhost");
        local ok, err = pcall(s2s.new_outgoing, "elsewhere.example", "y.example");
        return incoming.type, incoming.direction, incoming.ip, outgoing.type, outgoing.direction,
            outgoing.from_host, outgoing.to_host, ok, err:match("there is no host.*");
    """) == ("s2sin_unauthed", "incoming", "192.0.2.7", "s2sout_unauthed", "outgoing", "localhost",
             "y.example", False, "there is no host elsewhere.example to speak for")


def test_sessions_of_other_servers_end_once_and_are_dead(running):
    assert running.lua("""
        local s2s = require "core.s2smanager";
        assert(s2s.incoming_s2s == prosody.incoming_s2s);
        local told = {};
        local function note(event)
            table.insert(told, event.reason .. " " .. event.session.type);
        end
        prosody.hosts.localhost.events.add_handler("s2sout-destroyed", note);
        prosody.events.add_handler("s2sout-destroyed", note);
        prosody.events.add_handler("s2s-destroyed", note);
        local session = s2s.new_outgoing("localhost", "x.example");
        session.type, session.sendq = "s2sout", { "kept" };
        function session:bounce_sendq(reason)
            table.insert(told, self.sendq[1] .. " " .. reason);
        end
        assert(s2s.destroy_session(session, "over", "back") and not s2s.destroy_session(session));
        assert(prosody.hosts.localhost.s2sout["x.example"] == nil and session.sendq == nil);
        session:close(); session:reset_stream(); session:open_stream();
        assert(session.thread:run("x") == false and session.filter("stanzas/in", 1) == 1);
        return told, session.send("x"), session.destroyed, session.type, session.destruction_reason;
    """) == (["kept back", "over s2sout", "over s2sout", "over s2sout"], False, True,
             "s2s_destroyed", "over")


def test_who_has_not_said_who_it_is_ends_without_more_ado(running):
    assert running.lua("""
        local s2s, told = require "core.s2smanager", 0;
        prosody.events.add_handler("s2sin-destroyed", function () told = told + 1; end);
        local incoming = s2s.new_incoming({ ip = function () return "192.0.2.7"; end });
        local id = incoming.id;
        assert(s2s.destroy_session(incoming) and incoming.id == id and incoming.hosts == nil);
        return told, prosody.incoming_s2s[incoming];
    """) == (0, None)


def test_the_files_of_modules_can_be_read_and_run(start_lua, tmp_path):
    (tmp_path / "mod_sample.lua").write_text("return ...")
    (tmp_path / "words.txt").write_text("words")
    running = start_lua(plugin_paths=[str(tmp_path)])
    assert running.lua("""
        local loader = require "core.modulemanager".loader;
        local source, path = loader:load_resource("sample");
        local chunk = assert(loader:load_code("sample", nil, {}));
        return source, path, chunk("run"), loader:load_resource("sample", "words.txt"),
            loader:load_resource("no_such");
    """)[:4] == ("return ...", str(tmp_path / "mod_sample.lua"), "run", "words")


def test_a_session_can_be_made_retired_and_moved_to_another_connection(running):
    client, other = (running.server.client("juliet", name).available() for name in ("a", "b"))
    assert running.lua("""
        local sessions = require "core.sessionmanager";
        local fresh = sessions.new_session();
        assert(fresh.type == "c2s_unauthed" and fresh.send("x") == false);
        local old, new = prosody.full_sessions[...], prosody.full_sessions[select(2, ...)];
        local told;
        prosody.hosts.localhost.events.add_handler("c2s-session-updated", function (event)
            told = event.session == old and event.from_session == new and event.replaced_conn;
        end);
        sessions.update_session(old, new);
        assert(told and new.destroyed and new.type == "c2s_destroyed");
        assert(sessions.retire_session(fresh) == fresh and fresh.send("x") == false);
        old.send(require "util.stanza".message({ id = "moved" }));
        return old.full_jid;
    """, client.jid, other.jid) == "juliet@localhost/a"
    assert other.message().attr["id"] == "moved"
    client.closed_with()
    other.send("<message to='juliet@localhost/a' id='own'/>")
    assert other.message().attr["id"] == "own"


def test_the_routers_functions_are_those_of_prosody(running):
    assert running.lua("""
        local router = require "core.stanza_router";
        return router.core_post_stanza == prosody.core_post_stanza,
            require "core.features".available:contains("permissions");
    """) == (True, True)


def test_the_text_of_all_metrics_has_labels_by_name(running):
    text = running.lua("""
        local stats = require "core.statsmanager";
        stats.metric("counter", "test_text", "", "Some text", { "kind" })
            :with_labels('a "b"'):add(5);
        return stats.get_metric_registry():render();
    """)
    assert '\ntest_text_total{kind="a \\"b\\""} 5\n' in text
    assert "# TYPE test_text counter\n" in text and text.endswith("# EOF\n")
