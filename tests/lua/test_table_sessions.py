"""Sessions that a Lua module makes: the server's own parts treat them as clients' sessions."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.lua.table_sessions import LuaSession
from prosody_py.testing.client import wait_until
from prosody_py.xmpp.errors import StreamError

MAKER = """
    local sm, st = require "core.sessionmanager", require "util.stanza";
    local filters = require "util.filters";
    sent, closed = {}, {};

    function make(username, resource)
        local session = {
            type = "c2s_unauthed"; host = module.host; ip = "192.0.2.7"; secure = true;
            dispatch_stanza = prosody.core_process_stanza; streamid = "stream1";
            log = require "util.logger".init("made");
        };
        filters.initialize(session);
        function session.send(stanza) sent[#sent + 1] = tostring(stanza); return true; end
        function session:close(reason)
            closed[#closed + 1] = type(reason) == "table" and reason.condition .. "|" .. reason.text
                or tostring(reason);
            sm.destroy_session(self);
        end
        assert(sm.make_authenticated(session, username));
        assert(sm.bind_resource(session, resource));
        return session;
    end

    function say(session, text)
        session:dispatch_stanza(st.stanza("message", { to = text, type = "chat" })
            :text_tag("body", "Hail"));
    end

    function features(session)
        local element = st.stanza("features");
        module:fire_event("stream-features", { origin = session; features = element });
        return tostring(element);
    end

    function become_available(session) session:dispatch_stanza(st.presence()); end
"""


@pytest.fixture(params=KINDS)
def maker(request, start_server, tmp_path):
    """Return a server with the module, and what the module exports."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mod_maker.lua").write_text(MAKER)
    running = start_server(["maker"], plugin_paths=[str(folder)], lua_runtime=request.param)
    exports = running.server.modules.get_module("localhost", "maker").exports
    return running, exports


def test_it_is_one_object_that_is_indexed_and_talks(maker):
    running, exports = maker
    romeo = running.client("romeo").available()
    session = exports.make("juliet", "made")
    assert type(session) is LuaSession and session.ip == "192.0.2.7" and session.missing is None
    assert running.server.full_sessions["juliet@localhost/made"] is session
    assert session.host_object is running.server.hosts["localhost"]
    exports.say(session, romeo.jid)
    assert romeo.message().attr["from"] == "juliet@localhost/made"
    romeo.send("<message to='juliet@localhost/made' type='chat'><body>Who?</body></message>")
    wait_until(lambda: any("Who?" in text for _n, text in exports.sent.items()))


def test_its_presence_is_broadcast_and_answered(maker):
    running, exports = maker
    other = running.client("juliet", "other").available()
    session = exports.make("juliet", "made")
    exports.become_available(session)
    assert other.receive_until(lambda element: element.attr.get("from") == "juliet@localhost/made")
    assert session.priority == 0 and "last_status" not in session.extras
    texts = [text for _n, text in exports.sent.items()]
    assert any("from='juliet@localhost/other'" in text.replace('"', "'") for text in texts)
    assert other.iq("get", "<ping xmlns='urn:xmpp:ping'/>", "localhost").attr["type"] == "result"


def test_fields_of_python_modules_are_fields_of_the_table(maker):
    session = maker[1].make("juliet", "made")
    extras = session.extras
    extras["colour"] = "red"
    assert session.colour == "red" and "colour" in extras and extras.get("none", 1) == 1
    assert extras.pop("colour") == "red" and extras.pop("colour", 2) == 2
    assert session.colour is None and "stream1" in repr(session) + session.id


@pytest.mark.parametrize(("arguments", "told"), [
    ((), "nil"), (("conflict",), "conflict"), (("conflict", "Too late"), "conflict|Too late"),
    ((StreamError("reset", "Now"),), "reset|Now")])
def test_closing_reaches_the_function_of_the_table(maker, arguments, told):
    running, exports = maker
    session = exports.make("juliet", "made")
    session.close(*arguments)
    assert [reason for _n, reason in exports.closed.items()] == [told]
    assert session.destroyed and not running.server.full_sessions


def test_mechanisms_are_offered_without_channel_binding(maker):
    running, exports = maker
    session = exports.make("juliet", "made")
    session.username = None  # as before the login
    text = exports.features(session)
    assert "<mechanism>PLAIN</mechanism>" in text and "SCRAM-SHA-1" in text
    assert "PLUS" not in text and "channel-binding" not in text
