"""How often a handler's call crosses the border: that decides what it costs."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import StanzaEvent
from prosody_py.lua import guard
from prosody_py.lua.events import LuaHandler
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

READ = """return function (event)
    local stanza = event.stanza;
    if stanza.attr.to == "nobody" and stanza:get_child("body") then return true; end
end"""
REPLY = """local st = require "util.stanza";
return function (event)
    event.origin.send(st.reply(event.stanza):tag("a", { xmlns = "urn:x" }):up());
    return true;
end"""


class Border:
    """A border that counts the calls into Lua, and those out of it."""

    def __init__(self, place):
        self.place, self.border = place, place.border
        self.into, self.out = 0, []
        stanzas = self.border.stanzas
        for owner, names in (
                (self.border, ("enter_stanza", "enter_event", "take_table", "leave_event")),
                (self.border.driver, ("enter", "_resume")),
                (stanzas, ("unchanged", "xml", "_head", "_children", "_new", "_give_numbers"))):
            for name in names:
                setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, function):
        def enter(*args):
            self.into += 1
            return function(*args)
        return enter

    def handler(self, source):
        return LuaHandler(self.border, self.place.run(source))

    def cost(self, call):
        """Return how often `call` goes into Lua, and what Lua calls of Python."""
        self.into = 0
        self.out.clear()
        call()
        return self.into, self.out[:]

    def know(self, call):
        """Let shapes come so often that they have functions; then count their calls, too."""
        for _ in range(5):
            call()
        for alike in self.border.stanzas.shapes.heads.values():
            for shape in alike:
                shape.make, shape.run = self.counted(shape.make), self.counted(shape.run)


@pytest.fixture
def border(make_place, monkeypatch):
    out = []

    def watched(function):
        def call(*args):
            out.append(function.__name__)
            return function(*args)
        return call

    monkeypatch.setattr(guard, "watched", watched)
    made = Border(make_place())
    made.out = out
    return made


def message():
    stanza = Stanza("message", {"to": "bob@example.com", "id": "1"})
    return stanza.tag("body").text("Hi").up().tag("x", {"xmlns": "urn:x"}).up()


def test_reading_handlers_cost_one_call_each_and_nothing_afterwards(border):
    reader, session = border.handler(READ), border.place.session()

    def way(*handlers):
        stanza = message()
        event = StanzaEvent(session, stanza)
        for handler in handlers:
            handler(event)
        assert stanza.attr.get("to") == "bob@example.com" and "Hi" in serialize(stanza)

    border.know(lambda: way(reader))
    assert border.cost(lambda: way(reader)) == (1, [])
    assert border.cost(lambda: way(reader, reader)) == (2, [])


def test_an_answer_costs_one_call_into_lua_and_one_out_of_it(border):
    replier, session = border.handler(REPLY), border.place.session()
    proxy = border.border.to_lua(session)  # as long as Lua holds it, it is found again

    def answer():
        stanza = Stanza("iq", {"type": "get", "id": "1", "from": "a@example.com/b"})
        replier(StanzaEvent(session, stanza.tag("query", {"xmlns": "urn:x"}).up()))

    border.know(answer)
    assert border.cost(answer) == (1, ["send_text"])
    assert session.conn.text.endswith("<a xmlns='urn:x'/></iq>")
    del proxy


def test_send_that_python_has_replaced_is_the_one_that_lua_calls(border):
    replier, session, sent = border.handler(REPLY), border.place.session(), []

    def answer():
        stanza = Stanza("iq", {"type": "get", "id": "1", "from": "a@example.com/b"})
        replier(StanzaEvent(session, stanza))

    proxy = border.border.to_lua(session)
    answer()
    before = session.conn.text
    session.send = sent.append
    answer()
    assert session.conn.text == before and [stanza.name for stanza in sent] == ["iq"]
    del session.send
    answer()
    assert session.conn.text != before and len(sent) == 1
    del proxy
