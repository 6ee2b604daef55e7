"""Functions of sessions that modules replace, pass on and look into."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event

MODULE = """
function module.load()
    module:hook("give", function (event)
        local from, to = event.origin, event.other;
        to.send, to.close, to.rawsend = from.send, from.close, from.rawsend;
        to.send.session, to.rawsend.conn = to, to.conn;
        return true;
    end);
    module:hook("replace", function (event)
        local session = event.origin;
        local send, close = session.send, session.close;
        function session.send(text) return send("<" .. text .. ">"); end
        function session.close(self, reason)
            self.send(self == session and "same" or "other");
            return close(self, reason);
        end
        return true;
    end);
end
"""


@pytest.fixture
def sessions(place):
    place.load("functions", MODULE)
    return place, place.session("alice"), place.session("bob")


def fire(place, name, **data):
    assert place.host.events.fire_event(name, Event(**data)) is True


def test_a_lua_function_in_the_place_of_a_method_gets_the_session_first(sessions):
    place, alice, _bob = sessions
    fire(place, "replace", origin=alice)
    alice.close("over")
    assert alice.conn.text == "<same>"
    assert alice.conn.written[-1] is None


def test_a_lua_function_in_the_place_of_send_gets_what_is_sent(sessions):
    place, alice, _bob = sessions
    fire(place, "replace", origin=alice)
    alice.send("hail")
    assert alice.conn.text == "<hail>"


def test_a_function_of_another_session_is_the_own_one_again(sessions):
    place, alice, bob = sessions
    fire(place, "replace", origin=bob)
    fire(place, "give", origin=alice, other=bob)
    bob.send("hail")
    bob.rawsend("!")
    bob.close()
    assert (alice.conn.written, bob.conn.text) == ([], "hail!")


def test_the_upvalues_of_a_function_are_its_fields(place):
    assert place.run("""
        local session, other = "one", 1;
        local function f() return session, other; end
        f.session = "two";
        f.unknown = 3;
        return f(), f.session, f.other, f.unknown;
    """) == ("two", "two", 1, None)
