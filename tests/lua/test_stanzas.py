"""A stanza is one thing on both sides of the border."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.events.bus import StanzaEvent
from prosody_py.lua.events import LuaHandler
from prosody_py.lua.stanzas import LuaStanza
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("<>&'\"\r\n\t"), st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"))), max_size=6)
PLAIN_NAMES = st.sampled_from(("a", "b", "message"))
NAMES = st.sampled_from(("a", "b", "c", "xmlns", "http://www.w3.org/XML/1998/namespace\x01lang"))
EDITS = st.lists(st.one_of(
    st.tuples(st.just("attr"), NAMES, TEXTS), st.tuples(st.just("unset"), NAMES),
    st.tuples(st.just("tag"), NAMES, TEXTS), st.tuples(st.just("text"), TEXTS),
    st.tuples(st.just("drop"), st.integers(0, 4)), st.tuples(st.just("name"), PLAIN_NAMES),
    st.tuples(st.just("child-attr"), st.integers(0, 4), NAMES, TEXTS),
), max_size=6)

LUA_EDITS = """
return {
    attr = function (s, k, v) s.attr[k] = v; end;
    unset = function (s, k) s.attr[k] = nil; end;
    tag = function (s, n, t) s:reset():tag("x", { [n] = t }):up(); end;
    text = function (s, t) if t ~= "" then s[#s + 1] = t; end end;
    drop = function (s, i)
        local child = s[i + 1];
        if child == nil then return; end
        table.remove(s, i + 1);
        for n, tag in ipairs(s.tags) do
            if tag == child then table.remove(s.tags, n); break; end
        end
    end;
    name = function (s, n) s.name = n; end;
    ["child-attr"] = function (s, i, k, v)
        local tag = s.tags[i + 1];
        if tag then tag.attr[k] = v; end
    end;
}
"""


def edit(stanza, what, *args):
    """Do in Python what the Lua functions above do."""
    if what == "attr":
        stanza.attr[args[0]] = args[1]
    elif what == "unset":
        stanza.attr.pop(args[0], None)
    elif what == "tag":
        stanza.reset().tag("x", {args[0]: args[1]}).up()
    elif what == "text" and args[0]:
        stanza.children.append(args[0])
    elif what == "drop" and args[0] < len(stanza.children):
        del stanza.children[args[0]]
    elif what == "name":
        stanza.name = args[0]
    elif what == "child-attr" and args[0] < len(stanza.tags):
        stanza.tags[args[0]].attr[args[1]] = args[2]


def edit_in_turns(edits, both, reference, rounds):
    """Change one stanza in Lua and in Python, the other in Python; they stay the same."""
    for in_lua, changes in rounds:
        for change in changes:
            if in_lua:
                edits[change[0]](both, *change[1:])
            else:
                edit(both, *change)
            edit(reference, *change)
        assert shape(both) == shape(reference)
        assert serialize(both).count("<") == serialize(reference).count("<")


def shape(stanza):
    """Return the content as plain values; neighbouring texts count as they are."""
    return (stanza.name, dict(stanza.attr.items()),
            [child if type(child) is str else shape(child) for child in stanza.children])


def message():
    stanza = Stanza("message", {"to": "bob@example.com", "id": "1"})
    return stanza.tag("body").text("Hi & <all>\r").up().tag("x", {"xmlns": "urn:x"}).up()


READ = "return function (e) return e.stanza.attr.to .. e.stanza:get_child_text('body'); end"


def handler(place, source):
    return LuaHandler(place.border, place.run(source))


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.tuples(st.booleans(), EDITS), max_size=4))
def test_random_edits_on_both_sides_stay_equal(place, rounds):
    edits = place.run(LUA_EDITS)
    both, reference = message(), message()
    held = both.tags[0]
    place.border.to_lua(both)
    assert type(held) is LuaStanza
    edit_in_turns(edits, both, reference, rounds)


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=EDITS)
def test_lua_writes_the_same_text_as_python(place, changes):
    ours, plain = message(), message()
    place.border.to_lua(ours)
    for change in changes:
        edit(ours, *change)
        edit(plain, *change)
    place.run("local s = ...; s.attr.zz = 'z';", ours)
    plain.attr["zz"] = "z"
    made = place.run("local st = require 'util.stanza'; return tostring(...) ~= nil", ours)
    assert made
    written = serialize(ours, "jabber:client")
    # Lua's tables have no order, so attributes are compared as sets.
    assert sorted(written) == sorted(serialize(plain, "jabber:client"))


def test_reading_handler_leaves_the_python_object_as_it_knew_it(place):
    stanza = message()
    text = serialize(stanza)
    event = StanzaEvent(place.session(), stanza)
    assert handler(place, READ)(event) == "bob@example.comHi & <all>\r"
    assert event.stanza is stanza and type(stanza) is LuaStanza
    assert serialize(stanza) == text
    assert stanza.lua.as_made


@pytest.mark.parametrize("change", [
    "s.attr.to = 'x'", "s.attr.new = 'x'", "s.attr.id = nil", "s.name = 'iq'", "s[1][1] = 'Ho'",
    "s:tag('more')", "table.insert(s, 'text')", "s.attr = { a = 'b' }", "s[1] = s[2]",
    "s.tags[1].attr.y = 'z'", "s.tags[2]:text('inner')", "s:maptags(function () end)",
    "s.tags[1][1] = nil"])
def test_every_kind_of_change_in_lua_is_seen_in_python(place, change):
    stanza = message()
    before = serialize(stanza)
    place.border.to_lua(stanza)
    attr = stanza.attr
    assert attr["to"] == "bob@example.com"
    place.run(f"local s = ...; {change}", stanza)
    assert serialize(stanza) != before
    assert place.run("return #tostring(...)", stanza) == len(serialize(stanza).encode()) \
        - 4 * serialize(stanza).count("&#13;")
    assert dict(attr.items()) == dict(stanza.attr.items())


def test_child_that_python_held_before_is_the_child_of_both(place):
    stanza = message()
    body = stanza.get_child("body")
    place.run("local s = ...; s.tags[1].attr.seen = 'yes'; s.tags[1][1] = 'new'", stanza)
    assert body.attr["seen"] == "yes" and body.get_text() == "new"
    body.attr["back"] = "too"
    assert place.run("return (...).tags[1].attr.back", stanza) == "too"
    assert stanza.get_child("body") is body


def test_grandchild_that_python_held_before_is_linked(place):
    stanza = Stanza("iq").tag("query").tag("item", {"n": "1"}).up().up()
    item = stanza.tags[0].tags[0]
    place.run("(...).tags[1].tags[1].attr.n = '2'", stanza)
    assert item.attr["n"] == "2"


def test_lua_element_inside_a_python_reply_stays_the_same_table(place):
    element = place.run("local st = require 'util.stanza'; return st.stanza('item')")
    reply = Stanza("iq").tag("query").add_child(element).reset()
    place.run("local reply, item = ...; assert(reply.tags[1].tags[1] == item); item.attr.a = 'b'",
              reply, element)
    assert serialize(reply) == "<iq><query><item a='b'/></query></iq>"


def test_table_from_lua_is_the_same_python_object_while_it_lives(place):
    one, two = place.run("local st = require 'util.stanza'; local s = st.message(); return s, s")
    assert one is two and type(one) is LuaStanza
    again = place.run("return ...", one)
    assert again is one


def test_custom_fields_stay_in_lua(place):
    stanza = message()
    place.run("(...)._mark = { 1 }", stanza)
    stanza.attr["to"] = "carol@example.com"
    assert place.run("return (...)._mark[1]", stanza) == 1
    assert "_mark" not in serialize(stanza)


def test_stanza_mt_tags_and_hidden_fields(place):
    assert place.run("""
        local st, s = require "util.stanza", ...;
        local names = {};
        for key in pairs(s) do
            if type(key) ~= "number" then names[#names + 1] = tostring(key); end
        end
        table.sort(names);
        return getmetatable(s) == st.stanza_mt and st.is_stanza(s) and s.tags[1] == s[1]
            and table.concat(names, " ");
    """, message()) == "attr name tags"


def test_shallow_copies_part_when_one_goes_to_lua(place):
    first = message()
    second = first.shallow()
    place.run("(...).tags[1][1] = 'changed'", first)
    assert first.get_child_text("body") == "changed"
    assert second.get_child_text("body") == "Hi & <all>\r"


def test_python_builds_on_a_lua_stanza_with_the_cursor(place):
    stanza = place.run("local st = require 'util.stanza'; return st.iq({ id = 'x', type = 'get' })")
    stanza.tag("query", {"xmlns": "urn:q"}).tag("item").text("t").up().up()
    assert serialize(stanza).endswith("><query xmlns='urn:q'><item>t</item></query></iq>")
    assert place.run("return (...):get_child('query', 'urn:q'):get_child_text('item')",
                     stanza) == "t"


def test_large_stanzas_cross_in_parts(place):
    stanza = Stanza("iq").tag("query")
    for number in range(3000):
        stanza.tag("item", {"n": str(number)}).text("t").up()
    stanza.reset()
    text = serialize(stanza)
    assert place.run("return #(...).tags[1].tags", stanza) == 3000
    assert serialize(stanza) == text
    place.run("(...).tags[1].tags[3000].attr.n = 'last'", stanza)
    assert len(stanza.tags[0].tags) == 3000
    assert stanza.tags[0].tags[-1].attr["n"] == "last"
    stanza.tags[0].children[:] = stanza.tags[0].children[:2500]
    assert place.run("return #(...).tags[1]", stanza) == 2500


def test_control_characters_of_lua_never_reach_the_wire(place):
    stanza = message()
    place.run("(...)[1] = 'a\\1b'", stanza)
    assert "\x01" not in serialize(stanza) and "a\ufffdb" in serialize(stanza)


def test_clone_and_views_behave_like_plain_ones(place):
    stanza = message()
    place.border.to_lua(stanza)
    assert stanza.attr == {"to": "bob@example.com", "id": "1"}
    assert {**stanza.attr, "x": "y"} == {"to": "bob@example.com", "id": "1", "x": "y"}
    assert stanza.attr | {"id": "2"} == {"to": "bob@example.com", "id": "2"}
    copy = stanza.clone()
    copy.attr["to"] = "other"
    assert type(copy) is Stanza and stanza.attr["to"] == "bob@example.com"
    assert stanza.children[0].name == "body" and len(stanza.children) == 2
    stanza.maptags(lambda tag: None if tag.name == "x" else tag)
    assert place.run("return #(...).tags", stanza) == 1
    stanza.attr.clear()
    stanza.attr.update(a="1")
    assert stanza.attr.setdefault("b", "2") == "2" and stanza.attr.popitem() is not None
    with pytest.raises(KeyError):
        stanza.attr["missing"]


# -- shapes that come again and again --------------------------------------------------------


def know_the_shape(place):
    """Let the shape of `message` come so often that Lua has a function for it."""
    for _ in range(5):
        place.border.to_lua(message())
    assert place.border.stanzas.shapes.heads


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.tuples(st.booleans(), EDITS), max_size=4))
def test_random_edits_of_a_known_shape_stay_equal(place, rounds):
    know_the_shape(place)
    edits = place.run(LUA_EDITS)
    both, reference = message().reset(), message().reset()
    place.border.to_lua(both)
    edit_in_turns(edits, both, reference, rounds)


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=EDITS, during=EDITS, after=EDITS)
def test_what_a_handler_changes_is_seen_when_it_returns(place, before, during, after):
    know_the_shape(place)
    edits = place.run(LUA_EDITS)
    change_it = handler(place, "return function (e) e.origin.change(e.stanza); end")
    both, reference = message().reset(), message().reset()
    for change in before:
        edit(both, *change)

    def change(stanza):
        for what in during:
            edits[what[0]](stanza, *what[1:])

    event = StanzaEvent(place.session(), both)
    event.origin.change = change
    change_it(event)
    for what in after:
        edit(both, *what)
    for what in (*before, *during, *after):
        edit(reference, *what)
    assert shape(both) == shape(reference)


@pytest.mark.parametrize("change", [
    "s.attr.to = 'x'", "s.attr.new = 'x'", "s.attr.id = nil", "s.name = 'iq'", "s[1][1] = 'Ho'",
    "s:tag('more')", "table.insert(s, 'text')", "s.attr = { a = 'b' }", "s[1] = s[2]",
    "s.tags[1].attr.y = 'z'", "s.tags[2]:text('inner')", "s:maptags(function () end)",
    "s.tags[1][1] = nil", "s[3] = 'x'", "s.tags[2].attr.xmlns = 'urn:y'", "s.tags = {}",
    "local t = s.tags[1]; s.tags[1], s[1] = s.tags[2], s[2]; s.tags[2], s[2] = t, t"])
def test_a_handler_with_a_known_shape_tells_each_kind_of_change(place, change):
    know_the_shape(place)
    stanza = message()
    event = StanzaEvent(place.session(), stanza)
    handler(place, f"return function (e) local s = e.stanza; {change}; end")(event)
    assert not stanza.lua.as_made
    table_text = place.run("return tostring(...)", stanza)
    assert sorted(serialize(stanza)) == sorted(table_text.replace("&#13;", "\r")) \
        or "&" in table_text


def test_a_reading_handler_leaves_a_known_shape_as_known(place):
    know_the_shape(place)
    stanza = message()
    text = serialize(stanza)
    reading = handler(place, "return function (e) return e.stanza.attr.nothing; end")
    reading(StanzaEvent(place.session(), stanza))
    assert stanza.lua.as_made and stanza.lua.epoch == place.border.epoch
    assert serialize(stanza) == text


def test_a_stanza_is_itself_below_its_first_handler(place):
    know_the_shape(place)
    stanza, seen = message(), []
    event = StanzaEvent(place.session(), stanza)
    event.origin.look = seen.append
    handler(place, "return function (e) e.origin.look(e.stanza); e.stanza.attr.to = 'x'; end")(
        event)
    assert seen == [stanza] and seen[0] is stanza
    assert stanza.attr["to"] == "x"


def test_a_shape_that_comes_once_makes_no_function(place):
    for number in range(50):
        place.border.to_lua(Stanza("message", {f"a{number}": "x"}))
    assert not place.border.stanzas.shapes.heads


# -- building goes on where the other side has stopped ---------------------------------------


def test_lua_builds_on_where_python_has_stopped(place):
    stanza = Stanza("iq").tag("query", xmlns="urn:x")
    place.run("local s = ...; s:tag('feature', { var = 'a' }):up();", stanza)
    assert [tag.name for tag in stanza.tags[0].tags] == ["feature"]
    stanza.tag("feature", var="b").up()
    assert [tag.attr["var"] for tag in stanza.tags[0].tags] == ["a", "b"]
    assert [tag.name for tag in stanza.reset().tag("more").tags] == ["query", "more"]


def test_python_builds_on_where_lua_has_stopped(place):
    stanza = place.run(
        "return require 'util.stanza'.stanza('iq'):tag('query', { xmlns = 'urn:x' })")
    stanza.tag("feature", var="b").up().text("t")
    assert str(stanza) == "<iq><query xmlns='urn:x'><feature var='b'/>t</query></iq>"
    stanza.up().tag("last")
    assert place.run("local s = ...; return tostring(s:tag('inner'))", stanza).endswith(
        "<last><inner/></last></iq>")


@pytest.mark.parametrize(("change", "told"), [
    ("s.name = '<evil/>'", "a name is \"<evil/>\""), ("s.name = 5", "a name is a number"),
    ("s.tags[1].name = ''", 'a name is ""'), ("s.tags[1].name = nil", "a name is a nil"),
    ("s.attr[\"a'><x\"] = '1'", "the name of an attribute is"),
    ("s.attr['urn:x\\1a b'] = '1'", "the name of an attribute is \"a b\""),
    ("s.attr[7] = '1'", "the name of an attribute is a number"),
    ("s.attr.a = {}", "the value of an attribute is a table"), ("s[1] = print", "a text is a"),
    ("s[1] = true", "a text is a boolean")])
def test_what_is_not_xml_is_refused_and_not_sent(place, change, told):
    session = place.session()
    with pytest.raises(Exception, match=re.escape(told)):
        place.run(f"local s, o = ...; {change}; o.send(s);", message(), session)
    stanza = message()
    place.run(f"local s = ...; {change};", stanza)
    with pytest.raises(ValueError, match=re.escape(told)):
        serialize(stanza)
    assert session.conn.written == []
