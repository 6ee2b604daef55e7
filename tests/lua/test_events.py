"""Lua handlers on the bus, and the data of events."""

from __future__ import annotations

import logging

from prosody_py.events.bus import Event, Events, StanzaEvent
from prosody_py.lua.events import LuaHandler
from prosody_py.xmpp.stanza import Stanza


def handler(place, source, *args):
    return LuaHandler(place.border, place.run(source, *args))


def stanza_event(place):
    return StanzaEvent(place.session(), Stanza("message", {"to": "bob@example.com"}))


def test_fields_changed_by_lua_are_changed_for_those_who_come_after(place):
    event = stanza_event(place)
    handler(place, "return function (e) e.extra = { 1 }; e.to_self = true; "
                   "e.stanza = require 'util.stanza'.message({ id = 'new' }); end")(event)
    assert event.extra[1] == 1 and event.to_self is True and event.stanza.attr["id"] == "new"
    assert handler(place, "return function (e) return e.extra[1]; end")(event) == 1


def test_fields_are_the_same_during_a_nested_firing(place):
    events = Events()
    event = stanza_event(place)

    def python(data):
        assert data is event
        assert data.mark == "lua"
        data.mark, data.more = "python", 7

    events.add_handler("inner", python, 1)
    events.add_handler("inner", handler(
        place, "return function (e) e.deep = e.mark; e.mark = 'inner'; end"))
    outer = handler(place, """
        local events = ...;
        return function (e)
            e.mark = "lua";
            events.fire_event("inner", e);
            return e.mark .. e.more .. e.deep .. e.stanza.attr.to;
        end
    """, events)
    assert outer(event) == "inner7pythonbob@example.com"


def test_event_that_lua_keeps_can_be_read_later(place):
    event = stanza_event(place)
    keep = handler(place, "local kept; return function (e) if e then kept = e; end "
                          "return kept.origin.username .. kept.stanza.name; end")
    assert keep(event) == "alicemessage"
    del event
    assert place.run("return (...)(nil)", keep.callable) == "alicemessage"


def test_table_fired_by_lua_is_the_same_table_for_lua_and_open_for_python(place):
    events = Events()
    events.add_handler("x", lambda data: setattr(data, "python", data.lua + 1), 2)
    events.add_handler("x", handler(place, "return function (e) e.seen = e; end"), 1)
    assert place.run("local ev = ...; local t = { lua = 1 }; ev.fire_event('x', t); "
                     "return t.python, t.seen == t", events) == (2, True)


def test_event_data_may_be_anything(place):
    events = Events()
    seen = []
    events.add_handler("x", handler(place, "local seen = ...; return function (e) seen(e); end",
                                    seen.append))
    for data in ("host", None, 5, {"a": 1}):
        events.fire_event("x", data)
    assert seen == ["host", None, 5, {"a": 1}]


def test_false_ends_the_chain_and_nil_does_not(place):
    events = Events()
    events.add_handler("x", handler(place, "return function () return nil; end"), 2)
    events.add_handler("x", handler(place, "return function () return false; end"), 1)
    events.add_handler("x", lambda _data: "python")
    assert events.fire_event("x", Event()) is False


def test_same_function_added_twice_is_there_once(place):
    events = Events()
    function = place.run("return function () end")
    events.add_handler("x", LuaHandler(place.border, function), 1)
    events.add_handler("x", LuaHandler(place.border, function), 5)
    assert len(events.get_handlers("x")) == 1
    events.remove_handler("x", LuaHandler(place.border, function))
    assert events.get_handlers("x") == ()


def test_error_stays_with_its_handler_and_an_iq_is_answered(place, caplog):
    session = place.session()
    place.load("broken", """
        module:hook("iq-get/host/urn:x:query", function (event)
            local nothing; return nothing.field;
        end);
        module:hook("iq/host", function (event) return module:fire_event(
            "iq-get/host/urn:x:query", event); end);
    """)
    stanza = Stanza("iq", {"type": "get", "id": "i1", "to": "example.com"})
    stanza.tag("query", {"xmlns": "urn:x"}).up()
    with caplog.at_level(logging.DEBUG):  # the traceback is no error line
        place.server.process_stanza(session, stanza)
    assert "internal-server-error" in session.conn.text and "i1" in session.conn.text
    text = caplog.text
    assert "mod_broken.lua:3" in text and "broken" in text and "'i1'" in text
    assert "stack traceback" in text
    assert place.modules.get_module("example.com", "broken").errors == 1
