"""Python objects as tables."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.events import filters
from prosody_py.events.bus import Events
from prosody_py.hosts.host import UserSessions
from prosody_py.lua.driver import ScriptError
from prosody_py.xmpp.stanza import Stanza


def test_session_is_an_open_table(place):
    session = place.session()
    assert place.run("""
        local s = ...;
        assert(type(s) == "table" and s.username == "alice" and s.nonsense == nil);
        s.mark = { 1, 2 };
        s.fn = function (x) return x + 1; end
        assert(s.mark == s.mark and s.mark[2] == 2 and s.fn(1) == 2);
        s.username = "bob"; s.flag = true; s.flag = nil;
        assert(s.flag == nil and rawget(s, "username") == "bob");
        rawset(s, "via_raw", "yes");
        return s.via_raw;
    """, session) == "yes"
    assert session.username == "bob" and session.fn(4) == 5 and session.mark[1] == 1
    assert "flag" not in session.__dict__


def test_proxy_is_a_table_key_and_the_same_for_the_same_object(place):
    session, other = place.session(), place.session("bob")
    assert place.run("""
        local a, b, again = ...;
        local t = { [a] = "a", [b] = "b" };
        return a == again and a ~= b and t[again];
    """, session, other, session) == "a"


def test_fields_of_an_object_are_traversed(place):
    session = place.session()
    session.extra = 5
    assert place.run("""
        local s = ...;
        local seen = {};
        for key, value in pairs(s) do seen[key] = value; end
        local count = 0;
        for key in next, s do count = count + 1; end
        local first = next(s);
        return seen.username == "alice" and seen.extra == 5 and seen.full_jid ~= nil
            and count >= 6 and s[first] ~= nil and seen._private == nil;
    """, session) is True


def test_mappings_and_lists_are_live(place):
    data = {"one": 1, "list": ["a", "b"], 5: "five"}
    assert place.run("""
        local d = ...;
        assert(d.one == 1 and d[5] == "five" and d.two == nil and next({}) == nil);
        d.two = 2; d.one = nil;
        -- LuaJIT is Lua 5.1: there # does not ask the metatable of a table.
        assert(#d.list == (jit and 0 or 2));
        assert(d.list[1] == "a" and d.list[3] == nil and d.list.x == nil);
        table.insert(d.list, "c"); table.insert(d.list, 1, "z");
        assert(table.concat(d.list, ",") == "z,a,b,c");
        assert(table.remove(d.list) == "c" and table.remove(d.list, 1) == "z");
        local n = 0;
        for i, v in ipairs(d.list) do n = n + i; end
        table.sort(d.list, function (a, b) return a > b; end);
        local keys = {};
        for k in pairs(d) do keys[#keys + 1] = tostring(k); end
        table.sort(keys);
        return n, table.concat(keys, ","), table.unpack(d.list);
    """, data) == (3, "5,list,two", "b", "a")
    assert data == {"two": 2, "list": ["b", "a"], 5: "five"}


def test_entries_may_be_removed_while_they_are_traversed(place):
    data = {f"k{n}": n for n in range(2500)}
    assert place.run("""
        local d, n = ..., 0;
        for k, v in pairs(d) do d[k] = nil; n = n + 1; end
        return n, next(d) == nil;
    """, data) == (2500, True)
    assert data == {}


def test_emptiness_is_asked_with_next(place):
    assert place.run("local a, b = ...; return next(a) == nil, next(b)", {}, {"k": False}) \
        == (True, "k", False)


def test_methods_are_called_with_a_colon_and_may_block(place):
    class Thing:
        def wait(self, seconds, text):
            gevent.sleep(seconds)
            return text, self.name

        name = "thing"

    assert place.run("return (...):wait(0.001, 'x')", Thing()) == ("x", "thing")
    with pytest.raises(ScriptError, match="colon"):
        place.run("(...).wait(0.001, 'x')", Thing())


def test_connection_and_session_functions(place):
    session = place.session()
    assert place.run("""
        local s = ...;
        assert(s.conn:ip() == "192.0.2.1");
        local send = s.send;
        assert(send == s.send);
        s.log("info", "hello %s %d", {}, 5);
        assert(send("<a/>") == true);
        s.send(require "util.stanza".message():body("hi"));
        s:send("<b/>");
        s:close("bye");
        return true;
    """, session) is True
    assert session.conn.written[0] == b"<a/>"
    assert b"<body>hi</body>" in session.conn.written[1]
    assert session.conn.written[2:] == [b"<b/>", None]


def test_send_replaced_in_lua_is_used_by_python_and_can_call_the_old_one(place):
    session = place.session()
    place.run("""
        local s = ...;
        local old = s.send;
        s.send = function (stanza)
            if stanza.name == "presence" then return false; end
            return old(stanza:tag("seen"):up());
        end
        assert(s.send ~= old);
    """, session)
    assert session.send(Stanza("presence")) is False
    assert session.send(Stanza("message")) is True
    assert session.conn.text == "<message><seen/></message>"
    place.run("(...).send(require 'util.stanza'.message())", session)
    assert session.conn.text.count("<seen/>") == 2


def test_send_with_a_filter_that_waits(place):
    session = place.session()

    def slow(stanza, _session):
        gevent.sleep(0.001)
        stanza.attr["slow"] = "yes"
        return stanza

    filters.add_filter(session, "stanzas/out", slow)
    place.run("(...).send(require 'util.stanza'.message())", session)
    assert session.conn.text == "<message slow='yes'/>"


def test_function_stored_by_python_takes_a_dot_or_a_colon(place):
    session = place.session()
    closed = []
    session.close = lambda reason=None: closed.append(reason)
    place.run("local s = ...; s:close('one'); s.close('two'); assert(s.close == s.close)", session)
    assert closed == ["one", "two"]


def test_objects_that_take_no_attributes_keep_fields_in_extras(place):
    user = UserSessions("alice")
    place.run("(...).blocklist = { x = true }", user)
    assert user.extras["blocklist"].x is True
    assert place.run("local u = ...; u.blocklist.y = 1; return u.blocklist.y, u.username", user) \
        == (1, "alice")


def test_events_object_works_from_lua(place):
    events = Events()
    assert place.run("""
        local events = ...;
        local seen = {};
        local function low(e) seen[#seen + 1] = "low"; return e.value; end
        local function high() seen[#seen + 1] = "high"; end
        events.add_handler("x", low);
        events.add_handler("x", high, 10);
        local result = events.fire_event("x", { value = "v" });
        events.remove_handler("x", high);
        events.fire_event("x", {});
        events.add_wrapper("x", function (go, name, data)
            seen[#seen + 1] = "wrap"; return go(name, data);
        end);
        events.fire_event("x", {});
        return result, table.concat(seen, " ");
    """, events) == ("v", "high low low wrap low")


def test_private_parts_of_python_are_not_reachable(place):
    session = place.session()
    assert place.run("""
        local s = ...;
        return s.__class__ == nil and s.__dict__ == nil and s.server.lua == nil
            and getmetatable(s) == nil and debug.getregistry().x == nil;
    """, session) is True


def test_a_file_in_an_object_is_kept_beyond_the_coroutine_it_was_made_in(place, tmp_path):
    session, path = place.session(), tmp_path / "note"
    place.run("""
        local s, path = ...;
        local work = coroutine.wrap(function ()
            s.file = assert(io.open(path, "w"));
        end);
        work();
    """, session, str(path))
    for _ in range(50):  # whatever stood on the stacks of that time is overwritten
        place.run("local t = {}; for i = 1, 200 do t[i] = { tostring(i) }; end collectgarbage();")
    assert place.run("""
        local s = ...;
        s.file:write("kept"); s.file:close();
        local file = s.file;
        s.file = nil;
        return io.type(file), s.file == nil;
    """, session) == ("closed file", True)
    assert path.read_text() == "kept"
