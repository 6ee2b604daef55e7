"""core.sessionmanager: sessions are made and ended by Lua code."""

from __future__ import annotations

SESSIONS = "local sessions = require 'core.sessionmanager'; "


def test_session_is_authenticated_and_bound(running):
    client = running.server.connect()
    client.open()
    server = running.server.server
    session = next(iter(server.modules.get_module("*", "c2s").shared("sessions").values()), None)
    assert session is not None
    assert running.lua(SESSIONS + """
        local session = ...;
        assert(session.type == "c2s_unauthed");
        assert(sessions.make_authenticated(session, "Juliet"));
        local bad, why = sessions.make_authenticated(session, "a@b");
        assert(not bad and why == "Invalid username");
        assert(session.username == "juliet" and session.type == "c2s_unbound");
        assert(sessions.bind_resource(session, "balcony"));
        assert(prosody.full_sessions["juliet@localhost/balcony"] == session);
        return session.full_jid, sessions.bind_resource(session, "orchard");
    """, session)[:4] == ("juliet@localhost/balcony", None, "cancel", "not-allowed")
    running.lua(SESSIONS + "sessions.destroy_session(..., 'over')", session)
    assert session.type == "c2s_destroyed" and server.full_sessions == {}


def test_stanzas_go_to_the_resources_that_want_them(running):
    available = running.server.client("juliet", "a").available()
    interested = running.server.client("juliet", "b")
    interested.iq("get", "<query xmlns='jabber:iq:roster'/>")
    assert running.lua(SESSIONS + """
        local st = require "util.stanza";
        local function message(text) return st.message({ from = "localhost" }, text); end
        return sessions.send_to_available_resources("juliet", "localhost", message("one")),
            sessions.send_to_interested_resources("juliet", "localhost", message("two")),
            sessions.send_to_available_resources("romeo", "localhost", message("three"));
    """) == (1, 1, 0)
    assert [message.get_child_text("body") for message in available.flush()] == ["one"]
    assert [message.get_child_text("body") for message in interested.flush()] == ["two"]


def test_filters_of_lua_see_and_change_what_a_session_sends(running):
    client = running.server.client("juliet")
    running.lua("""
        local filters = require "util.filters";
        local session = prosody.full_sessions[...];
        filters.add_filter(session, "stanzas/out", function (stanza)
            if stanza:get_child_text("body") ~= "drop" then return stanza; end
        end, 10);
        filters.add_filter(session, "stanzas/out", function (stanza)
            if stanza.name == "message" then stanza.attr.id = "seen"; end
            return stanza;
        end);
        filters.add_filter(session, "bytes/out", function (data)
            return (data:gsub("colour", "color"));
        end);
    """, client.jid)
    send = """
        local st = require "util.stanza";
        local session = prosody.full_sessions[...];
        session.send(st.message({ id = "x" }, "drop"));
        session.send(st.message({ id = "x" }, "colour \\195\\169"));
    """
    running.lua(send, client.jid)
    (message,) = client.flush()
    assert message.attr["id"] == "seen" and message.get_child_text("body") == "color é"


def test_removed_filters_leave_nothing_behind(running):
    client = running.server.client("juliet")
    running.lua("""
        local filters = require "util.filters";
        local session = prosody.full_sessions[...];
        local function drop() end
        filters.add_filter(session, "stanzas/in", drop);
        filters.remove_filter(session, "stanzas/in", drop);
    """, client.jid)
    assert running.server.server.full_sessions[client.jid].filters is None
    assert client.flush() == []


def test_filter_hooks_see_new_sessions(running):
    running.lua("""
        local filters = require "util.filters";
        filters.add_filter_hook(function (session)
            filters.add_filter(session, "stanzas/in", function (stanza)
                if not stanza:get_child("body") then return stanza; end
            end);
        end);
    """)
    sender, receiver = (running.server.client(name).available() for name in ("juliet", "romeo"))
    sender.send(f"<message to='{receiver.jid}'><body>hidden</body></message>")
    sender.send(f"<message to='{receiver.jid}'><subject>seen</subject></message>").flush()
    assert [message.tags[0].name for message in receiver.flush()] == ["subject"]
