"""Lua modules that keep, change and send stanzas and sessions as they should not."""

from __future__ import annotations

import gc

import pytest

from prosody_py.events.bus import StanzaEvent
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"


def message(to=f"bob@{HOST}/phone", body="hello"):
    stanza = Stanza("message", {"type": "chat", "id": "m", "to": to})
    child = Stanza("body", {})
    child.children.append(body)
    stanza.children.append(child)
    return stanza


def fire(place, session, stanza, name="message/full"):
    return place.host.events.fire_event(name, StanzaEvent(session, stanza))


def test_kept_stanza_and_session_can_be_used_after_the_session_has_ended(place):
    module = place.load("bad", """
        local stanza, session;
        module:hook("message/full", function (event)
            stanza, session = event.stanza, event.origin;
        end);
        function later()
            stanza.attr.late = "yes";
            stanza:get_child("body")[1] = "changed";
            session.mark = "here";
            local sent = session.send(stanza);
            session:close("gone");
            session:close();
            return stanza.attr.id .. stanza:get_child_text("body") .. session.username
                .. session.mark .. type(sent);
        end
    """)
    session = place.session()
    fire(place, session, message())
    session.type, session.conn = "c2s_destroyed", None
    del session
    gc.collect()
    assert module.exports.later().startswith("mchangedalicehere")


def test_what_was_sent_stays_as_it_was_and_receivers_are_not_mixed_up(place):
    sessions = [place.session(name) for name in ("alice", "bob", "carol")]
    place.load("bad", """
        local st = require "util.stanza";
        module:hook("message/full", function (event)
            local stanza = st.message({ id = "1" }, "first");
            for i, session in ipairs(event.sessions) do
                stanza.attr.to = session.username;
                stanza.attr.id = tostring(i);
                session.send(stanza);
                stanza:tag("more" .. i):up();
            end
            stanza[1][1], stanza.name = "overwritten", "presence";
        end);
    """)
    event = StanzaEvent(sessions[0], message())
    event.sessions = sessions
    place.host.events.fire_event("message/full", event)
    texts = [session.conn.text for session in sessions]
    for number, (session, text) in enumerate(zip(sessions, texts, strict=True), 1):
        assert f"to='{session.username}'" in text and f"id='{number}'" in text
        assert "overwritten" not in text and "<presence" not in text and "first" in text
        assert f"<more{number}" not in text and ("<more1" in text) is (number > 1)


def test_change_after_the_handler_does_not_reach_what_python_has_queued(place):
    module = place.load("bad", """
        local kept;
        module:hook("message/full", function (event)
            kept = event.stanza;
            event.origin.send(kept);
        end);
        function change() kept.attr.id = "changed"; kept:tag("more"); return true; end
    """)
    session = place.session()
    fire(place, session, message())
    assert module.exports.change() is True
    assert "changed" not in session.conn.text and "<more" not in session.conn.text


@pytest.mark.parametrize("code, told", [
    ("st.message({ to = 'x' }):tag('a b')", "invalid tag name"),
    ("st.message({ to = 'x' }, 'a\\0b')", "control characters"),
    ("st.message({ to = 'x' }, 'a\\1b')", "control characters"),
    ("st.message({ to = 'x' }, 'a\\255b')", "invalid utf8"),
    ("st.message({ ['x y'] = '5' })", "invalid attribute name"),
])
def test_stanza_that_cannot_be_written_is_refused_where_it_is_built(place, code, told):
    assert told in place.run(f"""
        local st = require "util.stanza";
        return select(2, pcall(function () return {code}; end));
    """)


@pytest.mark.parametrize("code", [
    "s[1] = s", "local t = st.stanza('x'); t[1], t.tags[1] = t, t; s[1], s.tags[1] = t, t",
    "s.name = nil", "s.name = {}", "s.attr = nil", "s[1] = {}"])
def test_stanza_that_is_none_any_more_is_not_sent_and_the_session_lives_on(place, code):
    module = place.load("bad", f"""
        local st = require "util.stanza";
        function try(session)
            local s = st.message({{ id = "1" }}, "x");
            {code};
            return pcall(session.send, s), session.send(st.message({{ id = "2" }}));
        end
    """)
    session = place.session()
    module.exports["try"](session)
    assert session.conn.text == "<message id='2'/>"


def test_deep_nesting_is_sent_or_refused_without_harm(place):
    session = place.session()
    assert place.run("""
        local st, session = require "util.stanza", ...;
        local stanza = st.message({ id = "deep" });
        for _ = 1, 20000 do stanza:tag("a"); end
        pcall(session.send, stanza);
        pcall(st.clone, stanza);
        pcall(tostring, stanza);
        pcall(session.send, st.message({ id = "2" }));
        return true;
    """, session) is True
    assert session.conn.text.endswith("<message id='2'/>")


@pytest.mark.parametrize("value", ["t", "deep"])
def test_data_that_no_store_can_hold_is_told_in_one_line(place, value):
    told = place.load("bad", f"""
        local store, t, deep = module:open_store("x"), {{}}, {{}};
        t.t = t;
        for _ = 1, 20000 do deep = {{ deep }}; end
        ok, told = store:set("user", {value});
        assert(store:set("user", {{ 5 }}) and store:get("user")[1] == 5);
    """).exports
    assert told.ok is None and told.told == "this table is nested too deeply, or contains itself"


def test_loop_in_a_filter_ends_and_other_sessions_send(make_place):
    place = make_place(lua_time_limit="0.05 seconds")
    told = place.load("bad", """
        local filters, st = require "util.filters", require "util.stanza";
        function try(session)
            filters.initialize(session);
            filters.add_filter(session, "stanzas/out", function () while true do end end);
            return select(2, pcall(session.send, st.message()));
        end
    """).exports["try"](place.session())
    assert "mod_bad.lua:5: interrupted" in told
    other = place.session("bob")
    place.run("(...).send(require 'util.stanza'.message())", other)
    assert other.conn.text == "<message/>"
