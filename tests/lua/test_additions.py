"""Keys that Lua adds to tables that are just made: each way of adding one is seen in Python."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import StanzaEvent
from prosody_py.lua.events import LuaHandler
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

WAYS = (
    "t.new = 'x'", "rawset(t, 'new', 'x')", "load('(...).new = \"x\"')(t)",
    "setmetatable(t, {}); t.new = 'x'", "debug.setmetatable(t, nil); t.new = 'x'",
    "setmetatable(t, { __newindex = function (t, k, v) rawset(t, k, v) end }); t.new = 'x'",
    "t.other = 1; t.other = nil; t.new = 'x'", "local k = next(t); t.new = 'x'",
    "for key, value in pairs({ new = 'x' }) do t[key] = value; end",
    "coroutine.wrap(function () t.new = 'x'; end)()",
    "pcall(function () t[nil] = 1; end); t.new = 'x'")
READ = "return function (e) return e.stanza.attr.nothing; end"


def message() -> Stanza:
    stanza = Stanza("message", {"to": "bob@example.com", "id": "1"})
    return stanza.tag("body").text("Hi").up().tag("x", {"xmlns": "urn:x"}).up()


@pytest.fixture
def handler(place):
    """Return a function that makes a handler; the shape of `message` has come often."""
    for _ in range(5):
        place.border.to_lua(message())
    assert place.border.stanzas.shapes.heads
    return lambda source: LuaHandler(place.border, place.run(source))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("element", ["e.stanza", "e.stanza.tags[1]", "e.stanza.tags[2]"])
def test_an_attribute_more_is_seen(place, handler, way, element):
    for before in ((), (handler(READ),)):  # in the first handler, and in the second one
        stanza = message()
        event = StanzaEvent(place.session(), stanza)
        for one in before:
            one(event)
            assert stanza.lua.as_made
        handler(f"return function (e) local t = {element}.attr; {way}; end")(event)
        assert "new='x'" in serialize(stanza)


@pytest.mark.parametrize("way", WAYS)
def test_an_attribute_more_is_seen_when_lua_adds_it_later(place, handler, way):
    stanza = message()
    handler(READ)(StanzaEvent(place.session(), stanza))
    assert stanza.lua.as_made
    place.run(f"local t = (...).attr; {way}", stanza)
    assert stanza.attr["new"] == "x" and "new='x'" in serialize(stanza)


@pytest.mark.parametrize("way", WAYS)
def test_a_field_more_of_an_event_is_seen(place, handler, way):
    adding = handler(f"return function (t) {way}; end")
    for before in ((), (handler(READ),)):
        event = StanzaEvent(place.session(), message())
        for one in before:
            one(event)
        adding(event)
        assert event.new == "x"


def test_what_another_stanza_gets_changes_nothing_here(place, handler):
    stanza = message()
    handler("return function (e) require 'util.stanza'.message().attr.new = 'x'; "
            "rawset({}, 'a', 1); end")(StanzaEvent(place.session(), stanza))
    assert stanza.lua.as_made and "new=" not in serialize(stanza)


@pytest.mark.parametrize("what", ["e", "e.stanza.attr", "e.stanza.tags[1].attr"])
def test_these_tables_have_no_metatable_until_a_module_gives_them_one(place, handler, what):
    told = handler(f"""return function (e)
        local t, mt = {what}, {{}};
        local before, through_debug = getmetatable(t), debug.getmetatable(t);
        local same = setmetatable(t, mt) == t and getmetatable(t) == mt;
        return before == nil and through_debug == nil and same;
    end""")
    assert told(StanzaEvent(place.session(), message())) is True
