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
