"""The fields of clients' sessions that modules read and write, on a real connection."""

from __future__ import annotations

import pytest

from prosody_py.lua import guard, runtime_of
from prosody_py.testing.client import Closed
from prosody_py.testing.server import TestServer

READ = {
    "type": "c2s", "username": "juliet", "host": "localhost", "resource": "r",
    "full_jid": "juliet@localhost/r", "ip": "127.0.0.1", "secure": True, "encrypted": True,
    "priority": 5, "interested": True, "notopen": None, "destroyed": None, "compressed": None,
    "version": 1.0, "sasl_handler": None, "lang": None,
}
KINDS_OF = {
    "id": "string", "log": "function", "send": "function", "rawsend": "function",
    "close": "function", "data": "function", "dispatch_stanza": "function",
    "open_stream": "function", "reset_stream": "function", "filter": "function",
    "conn": "table", "stream": "table", "roster": "table", "presence": "table", "role": "table",
    "streamid": "string", "conntime": "number", "unknown_field": "nil", "sends2s": "nil",
}
WRITTEN = ("id", "type", "ip", "secure", "encrypted", "compressed", "priority", "interested",
           "username", "host", "resource", "full_jid", "client_id", "caps_cache", "smacks",
           "hibernating", "auth_token", "sasl_handler", "streamid", "version", "conntime",
           "wake", "sleeping", "since", "thread", "stream_attrs", "starttls", "notopen",
           "authenticated", "want_carbons", "state", "rooms_joined", "directed")


@pytest.fixture(scope="module", params=["lua54", "luajit21"])
def running(request, tmp_path_factory):
    guard.install()
    running = TestServer(tmp_path_factory.mktemp("server"), lua_runtime=request.param)
    runtime_of(running.server)
    yield running
    running.stop()
    guard.check()


@pytest.fixture
def client(running):
    client = running.connect()
    running.user("juliet")
    client.login("juliet", resource="r", tls=True)
    client.iq("get", "<query xmlns='jabber:iq:roster'/>")
    yield client.available("<priority>5</priority>")
    client.close()


@pytest.fixture
def lua(running, client):
    """Return a function that runs Lua code with the client's session as `session`."""
    border = runtime_of(running.server)
    session = running.server.full_sessions[client.jid]

    def run(code, *args):
        source = "local session, a = ...; " + code
        function = border.compile(source.encode(), "test", border.lua.globals())
        result = border.driver.call(function, border.to_lua(session), *map(border.to_lua, args))
        if type(result) is tuple:
            return tuple(map(border.copy_to_python, result))
        return border.copy_to_python(result)

    return run


def test_fields_that_the_server_sets_can_be_read(lua):
    for name, value in READ.items():
        assert lua("return session[a]", name) == value, name


def test_fields_have_the_kinds_that_modules_expect(lua):
    for name, kind in KINDS_OF.items():
        assert lua("return type(session[a])", name) == kind, name
    assert lua("return session.role.name, session.role:may('x:y')") == ("prosody:user", False)
    assert lua("return session.presence:get_child_text('priority'), session.conn:ip()") == (
        "5", "127.0.0.1")


def test_fields_can_be_written_and_taken_away(lua):
    for name in WRITTEN:
        assert lua("""
            local before = session[a];
            local value = { 1 };
            if a == "id" then value = "mine"; end
            session[a] = value;
            local same = session[a] == value;
            session[a] = before;
            return same and (session[a] == before or type(before) == "table");
        """, name) is True, name


def test_what_a_module_writes_is_shown_by_pairs_and_taken_by_tables_as_a_key(lua):
    assert lua("""
        session.mine = "x";
        local found = {};
        for name, value in pairs(session) do found[name] = value; end
        local key = { [session] = "known" };
        return found.mine, found.username, key[prosody.full_sessions[session.full_jid]];
    """) == ("x", "juliet", "known")


def test_a_log_of_its_own_is_for_lua_and_leaves_the_servers_alone(lua, client, caplog):
    assert lua("""
        local lines = {};
        session.log = function (level, text, ...) lines[#lines + 1] = level .. text:format(...); end
        session.log("info", "hello %s", "you");
        return lines;
    """) == ["infohello you"]
    client.send("<presence/>").flush()
    lua("session.log = nil")
    assert lua("return type(session.log)") == "function"


def test_text_is_sent_as_it_is_and_elements_through_filters(lua, client):
    lua("""
        local st = require "util.stanza";
        session:filter("stanzas/out", st.message());
        session.rawsend("<message id='raw'/>");
        session.send(st.message({ id = "built" }));
        session.send("<message id='text'/>");
    """)
    assert [message.attr["id"] for message in client.flush()
            if message.name == "message"] == ["raw", "built", "text"]


def test_a_replaced_send_gets_what_is_for_the_session_and_calls_the_one_before(lua, client,
                                                                               running):
    lua("""
        local send = session.send;
        session.send = function (stanza)
            if stanza.name == "message" then stanza.attr.id = "seen"; end
            return send(stanza);
        end
    """)
    romeo = running.client("romeo")
    romeo.send(f"<message to='{client.jid}' id='x'/>").flush()
    assert client.message().attr["id"] == "seen"


def test_elements_and_bytes_can_be_given_as_if_the_client_had_sent_them(lua, client, running):
    romeo = running.client("romeo").available()
    lua("session.data(a)", f"<message to='{romeo.jid}' id='bytes'/>")
    lua("""
        session:dispatch_stanza(require "util.stanza".message({ to = a, id = "element" }));
    """, romeo.jid)
    assert [romeo.message().attr["id"] for _ in range(2)] == ["bytes", "element"]


def test_a_replaced_data_sees_what_the_client_sends(lua, client):
    lua("""
        local data = session.data;
        session.data = function (text) return data((text:gsub("colour", "color"))); end
    """)
    client.send(f"<message to='{client.jid}'><body>colour</body></message>")
    assert client.message().get_child_text("body") == "color"


def test_a_module_can_close_the_stream_with_a_condition(lua, client):
    lua("session:close({ condition = 'policy-violation', text = 'enough' })")
    assert client.closed_with() == "policy-violation"
    with pytest.raises(Closed):
        client.receive()
