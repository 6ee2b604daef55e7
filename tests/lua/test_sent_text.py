"""What handlers send: text that Lua makes, without the hook of the time limit where that can be."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event

SEND = """
local st = require "util.stanza";
module:hook("send", function (event)
    local stanza = st.message({{ to = "a@b" }}):tag("body"):up();
    local body, attr = stanza.tags[1], stanza.attr;
    {};
    event.origin.send(stanza);
    return true;
end);
"""


def sent(place, change):
    place.load("sender", SEND.format(change))
    session = place.session("alice")
    place.host.events.fire_event("send", Event(origin=session))
    return session.conn.text


@pytest.mark.parametrize(("change", "text"), [
    (r"body[1] = 'a\0b\1\31\127\tc\nd\re'", "a\ufffdb\ufffd\ufffd\x7f\tc\nd&#13;e"),
    (r"body.attr.x = '\1\'<\n'", "x='\ufffd&apos;&lt;&#10;'"),
    (r"body[1] = '\195\164\255'", "\u00e4\ufffd"),
    (r"body[1] = '\239\191\191 \239\191\190 \239\191\188'", "\ufffd \ufffd \ufffc"),
    (r"body[1] = '\195\164'", "<body>\u00e4</body>"),
    ("attr.xmlns = 'urn:x'; body.attr.xmlns = 'urn:x'",
     "<message to='a@b' xmlns='urn:x'><body/></message>"),
])
def test_what_a_handler_sends_is_xml(place, change, text):
    told = sent(place, change)
    if "message" in text:  # Lua's order of attributes is its own
        told = told.replace("xmlns='urn:x' to='a@b'", "to='a@b' xmlns='urn:x'")
    assert text in told


def test_an_element_of_a_modules_own_kind_is_sent_as_well(place):
    told = sent(place, "body.tags[1] = setmetatable({ name = 'x', attr = {}, tags = {} }, { "
                       "__index = function () return nil; end }); body[1] = body.tags[1]")
    assert "<body><x/></body>" in told


def test_what_cannot_be_written_is_refused_and_what_comes_next_is_sent(place, caplog):
    assert sent(place, "if not module.done then module.done = true; attr.to = {} end") == ""
    assert "the value of an attribute is a table" in caplog.text
    session = place.session("bob")
    place.host.events.fire_event("send", Event(origin=session))
    assert "to='a@b'" in session.conn.text


def test_code_of_a_module_in_an_element_is_under_the_time_limit(make_place, caplog):
    place = make_place(lua_time_limit=0.05)
    assert sent(place, "body[1] = setmetatable({ name = 'x', attr = {}, tags = {} }, { "
                       "__index = function () while true do end end })") == ""
    assert "interrupted" in caplog.text
