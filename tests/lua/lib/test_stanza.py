"""util.stanza and the border form of stanzas."""

from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from prosody_py.lua.flat import flatten, unflatten
from prosody_py.xmpp.stanza import Stanza

NAMES = some.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
TEXTS = some.text(
    some.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="￾￿"), max_size=30
)
KEYS = NAMES | some.tuples(NAMES, NAMES).map(lambda pair: "urn:" + pair[0] + "\x01" + pair[1])


@some.composite
def stanzas(draw, depth=3):
    stanza = Stanza(draw(NAMES), draw(some.dictionaries(KEYS, TEXTS, max_size=10)))
    children = TEXTS.filter(bool)
    if depth:
        children = children | stanzas(depth - 1)
    stanza.children = draw(some.lists(children, max_size=4))
    return stanza


def shape(stanza):
    return stanza.name, stanza.attr, [
        child if type(child) is str else shape(child) for child in stanza.children
    ]


def parse_with_expat(text):
    """Return the shape of an XML text, with texts that touch joined."""
    root = Stanza("root")
    path = [root]

    def start(name, attr):
        child = Stanza(name, attr)
        path[-1].children.append(child)
        path.append(child)

    def characters(data):
        children = path[-1].children
        if children and type(children[-1]) is str:
            children[-1] += data
        else:
            children.append(data)

    parser = expat.ParserCreate("UTF-8", "\x01")
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: path.pop()
    parser.CharacterDataHandler = characters
    parser.Parse(text, True)
    return root.children[0]


def joined(stanza):
    copy = Stanza(stanza.name, stanza.attr)
    for child in stanza.children:
        if type(child) is str and copy.children and type(copy.children[-1]) is str:
            copy.children[-1] += child
        else:
            copy.children.append(child if type(child) is str else joined(child))
    return copy


@settings(max_examples=25, deadline=None)
@given(stanza=stanzas())
def test_the_flat_form_holds_a_whole_stanza(stanza):
    assert shape(unflatten(flatten(stanza))) == shape(stanza)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=some.data())
def test_a_stanza_is_the_same_after_a_trip_through_lua(data, lua):
    stanza = data.draw(stanzas())
    table = lua.border.to_lua(stanza)
    assert shape(lua.border.to_python(table)) == shape(stanza)


@settings(max_examples=25, deadline=None)
@given(data=some.data())
def test_tostring_is_xml_with_the_same_content(data, lua):
    stanza = data.draw(stanzas())
    text = lua.run("return tostring((...))", lua.border.to_lua(stanza))
    assert shape(parse_with_expat(text)) == shape(joined(stanza))


def test_a_stanza_with_more_values_than_a_call_takes_crosses_both_ways(lua):
    stanza = Stanza("iq", {"id": "1"})
    stanza.children = [Stanza("item", {"n": str(i)}) for i in range(9000)]
    table = lua.border.to_lua(stanza)
    assert lua.run("return #(...).tags, (...).tags[9000].attr.n", table) == (9000, b"8999")
    assert shape(lua.border.to_python(table)) == shape(stanza)


def test_heads_beyond_the_cache_are_still_right(lua):
    for i in range(2100):
        stanza = Stanza(f"n{i}", {f"a{i}": "v"})
        assert shape(lua.border.to_python(lua.border.to_lua(stanza))) == shape(stanza)


def test_a_name_with_the_separator_is_refused():
    with pytest.raises(ValueError):
        flatten(Stanza("a\x02b"))


def test_what_is_no_text_in_a_stanza_from_lua_is_refused(lua):
    table = lua.run("local s = require'util.stanza'.stanza('a'); s.attr.x = true; return s")
    with pytest.raises(ValueError):
        lua.border.to_python(table)


def test_a_number_in_a_stanza_from_lua_becomes_text(lua):
    table = lua.run("local s = require'util.stanza'.stanza('a'); s.attr.x = 3.0; s[1] = 7 return s")
    assert shape(lua.border.to_python(table)) == ("a", {"x": "3"}, ["7"])


def test_tables_from_python_are_stanzas_with_shared_children(lua):
    stanza = Stanza("message")
    stanza.children = [Stanza("body"), "x"]
    assert lua.run("""
        local st, s = require "util.stanza", ...;
        return st.is_stanza(s) and st.is_stanza(s[1]) and rawequal(s[1], s.tags[1]) and #s == 2
    """, lua.border.to_lua(stanza)) is True


@pytest.mark.parametrize(("code", "message"), [
    ("st.stanza()", b"invalid tag name: expected string, got nil"),
    ("st.stanza('')", b"invalid tag name: empty string"),
    ("st.stanza('a b')", b"invalid tag name: contains invalid characters"),
    ("st.stanza('a\\255')", b"invalid tag name: contains invalid utf8"),
    ("st.stanza('a', {x = 1})", b"invalid attribute value: expected string, got number"),
    ("st.stanza('a', {['x y'] = ''})", b"invalid attribute name: contains invalid characters"),
    ("st.stanza('a', 'b')", b"invalid attributes: expected table, got string"),
    ("st.stanza('a'):text('\\1')", b"invalid text value: contains control characters"),
    ("st.stanza('a'):text('\\0')", b"invalid text value: contains control characters"),
    ("st.stanza('a'):text('\\237\\160\\128')", b"invalid text value: contains invalid utf8"),
    ("st.stanza('a'):tag('b', {x = true})", b"invalid attribute value: expected string, got bool"),
    ("st.stanza('a'):add_child({})", b"invalid text value: expected string, got table"),
    ("st.iq()", b"iq stanzas require id and type attributes"),
    ("st.iq{type='get'}", b"iq stanzas require an id attribute"),
    ("st.reply({})", b"bad argument to reply: expected stanza, got table"),
    ("st.error_reply(st.iq{type='error',id='1'}, 'cancel', 'x')", b"got stanza of type error"),
    ("st.clone('x')", b"bad argument to clone: expected stanza, got string"),
])
def test_bad_content_is_refused_where_it_is_built(lua, code, message):
    ok, error = lua.run(f"""
        local st = require "util.stanza";
        return pcall(function () {code} end);
    """)
    assert not ok and message in error


@pytest.mark.parametrize(("path", "expected"), [
    ("body#", b"hello"), ("{urn:x}x@a", b"1"), ("{urn:x}x/y#", b"deep"), ("@type", b"chat"),
    ("{urn:x}x/{urn:y}y#", b"other"), ("{urn:x}/y@k", b"v"), ("x", None), ("nope/y#", None),
    ("{urn:x", None), ("{urn:x}x/nope/y#", None), ("{}body#", None),
])
def test_find_follows_paths(lua, path, expected):
    assert lua.run("""
        local st = require "util.stanza";
        local m = st.message({ type = "chat" }, "hello"):tag("x", { xmlns = "urn:x", a = "1" })
            :tag("y", { k = "v" }):text("deep"):up():text_tag("y", "other", { xmlns = "urn:y" });
        return m:find(...)
    """, path.encode()) == expected


def test_builder_and_readers_agree(lua):
    assert lua.run("""
        local st = require "util.stanza";
        local s = st.iq { id = "1", type = "set" }:query("urn:q")
            :text_tag("item", "one", { n = "1" })
            :text_tag("item", "two", { n = "2" }):up():tag("last"):reset();
        local q = s:get_child("query", "urn:q");
        local seen = {};
        for item in q:childtags("item") do seen[#seen + 1] = item:get_text(); end
        return table.concat(seen, ","), q:get_child_with_attr("item", nil, "n", "2"):get_text(),
            s:get_child_attr("query", "urn:q", "xmlns"), s:get_child("query") == nil,
            s:child_with_name("last").name, s:child_with_ns("urn:q").name, s:get_text() == nil;
    """) == (b"one,two", b"two", b"urn:q", True, b"last", b"query", True)


def test_maptags_and_remove_children_keep_texts_and_both_lists(lua):
    assert lua.run("""
        local st = require "util.stanza";
        local s = st.stanza("a"):text("x"):tag("b"):up():text("y"):tag("c"):up():tag("b"):up();
        s:maptags(function (tag) if tag.name ~= "c" then return tag; end end);
        local first = tostring(s) .. #s.tags;
        return first, tostring(s:remove_children("b")), #s.tags, #s;
    """) == (b"<a>x<b/>y<b/></a>2", b"<a>xy</a>", 0, 2)


def test_replies_swap_addresses_and_errors_carry_their_parts(lua):
    table = lua.run("""
        local st = require "util.stanza";
        local iq = st.iq { id = "7", type = "get", from = "a@x", to = "b@y" };
        return st.error_reply(iq, { type = "modify", condition = "gone", text = "moved",
            extra = { uri = "xmpp:new", namespace = "urn:e", condition = "own" } });
    """)
    stanza = lua.border.to_python(table)
    assert stanza.attr == {"id": "7", "type": "error", "from": "b@y", "to": "a@x"}
    error = stanza.children[0]
    assert [child.name for child in error.children] == ["gone", "text", "own"]
    assert error.children[0].children == ["xmpp:new"]
    assert lua.run("return (...):get_error()", table)[:3] == (b"modify", b"gone", b"moved")


def test_clones_and_stored_forms_are_independent_and_equal(lua):
    assert lua.run("""
        local st = require "util.stanza";
        local s = st.stanza("a", { ["urn:n\\1k"] = "v" }):text_tag("b", "t"):reset();
        local c, d = st.clone(s), st.deserialize(st.preserialize(s));
        s.attr.x, s.tags[1][1] = "1", "changed";
        local old = st.deserialize { name = "a", attr = { ["urn:n|k"] = "v" } };
        return tostring(c), tostring(d) == tostring(c), rawequal(d[1], d.tags[1]),
            tostring(st.clone(c, true)) == tostring(old), st.deserialize(nil);
    """) == (b"<a xmlns:ns1='urn:n' ns1:k='v'><b>t</b></a>", True, True, True, None)


def test_indent_leaves_text_alone_and_the_stanza_as_it_was(lua):
    assert lua.run("""
        local st = require "util.stanza";
        local s = st.stanza("a"):text_tag("b", " t "):tag("c"):tag("d"):reset();
        return tostring(s:indent()), tostring(s);
    """) == (b"<a>\n\t<b> t </b>\n\t<c>\n\t\t<d/>\n\t</c>\n</a>", b"<a><b> t </b><c><d/></c></a>")
