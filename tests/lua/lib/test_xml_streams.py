"""XML as it comes in: lxp, lxp.lom and util.xmppstream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

MODEST = settings(max_examples=20, deadline=None)
HEADER = ("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
          "to='a' xml:lang='de'>")

# Collects what the callbacks of lxp get.
EVENTS = """
    local lxp, log = require "lxp", {};
    local function note(name)
        return function (parser, first, second)
            if type(second) == "table" then second = #second .. tostring(second.k); end
            log[#log + 1] = name .. ":" .. tostring(first) .. ":" .. tostring(second);
        end;
    end
    local callbacks = {};
    for _, name in ipairs { "StartElement", "EndElement", "CharacterData", "Comment",
        "ProcessingInstruction", "StartNamespaceDecl", "XmlDecl" } do
        callbacks[name] = note(name);
    end
"""


def test_a_parser_reports_what_it_reads(lua):
    assert lua.run(EVENTS + """
        local parser = lxp.new(callbacks, ":");
        local same = parser:parse("<?xml version='1.0'?><a xmlns='u' k='1'>te");
        parser:parse("xt<!--c--><b/><?p d?></a>");
        return same == parser, parser:parse() == parser, table.concat(log, " ");
    """) == (True, True,
             b"XmlDecl:1.0:nil StartNamespaceDecl:nil:u StartElement:u:a:11 CharacterData:te:nil "
             b"CharacterData:xt:nil Comment:c:nil StartElement:u:b:0nil EndElement:u:b:nil "
             b"ProcessingInstruction:p:d EndElement:u:a:nil")


def test_an_error_is_told_with_its_place_and_stays(lua):
    assert lua.run("""
        local parser = require "lxp".new {};
        local results = { parser:parse("<a>\\n</b>") };
        local _, again = parser:parse("<c/>");
        return results[1], results[2], results[3], results[4], results[5], again;
    """) == (None, b"mismatched tag", 2, 3, 7, b"mismatched tag")


def test_a_parser_stops_and_closes(lua):
    assert lua.run("""
        local lxp, names = require "lxp", {};
        local parser = lxp.new { StartElement = function (p, name)
            names[#names + 1] = name;
            if name == "b" then p:stop(); end
        end };
        local _, first = parser:parse("<a><b/><c/></a>");
        local _, second = parser:parse("<d/>");
        local unfinished = lxp.new {};
        unfinished:parse("<a>");
        return table.concat(names), first, second, (pcall(parser.close, parser)),
            (pcall(unfinished.close, unfinished)), (pcall(unfinished.parse, unfinished, "x"));
    """) == (b"ab", b"parsing aborted", b"parsing finished", False, False, False)


def test_an_error_in_a_callback_is_raised_by_parse(lua):
    ok, text, after = lua.run("""
        local parser = require "lxp".new { StartElement = function () error("boom", 0); end };
        local ok, err = pcall(parser.parse, parser, "<a>");
        return ok, err, parser:parse("</a>") == parser;
    """)
    assert (ok, text, after) == (False, b"boom", True)


@pytest.mark.parametrize("call", ["lxp.new()", "lxp.new({ Foo = print })", "lxp.new({}, 'ab')",
                                  "lxp.new({}):parse({})", "lxp.new {}.parse {}"])
def test_wrong_arguments_are_lua_errors(lua, call):
    assert lua.run(f"""
        local lxp = require "lxp";
        return (pcall(function () return {call}; end));
    """) is False


def test_text_of_another_encoding_is_read_when_that_is_said(lua):
    assert lua.run("""
        local text;
        local parser = require "lxp".new { CharacterData = function (_, t) text = t; end };
        parser:setencoding("ISO-8859-1");
        parser:parse((...));
        local odd = require "lxp".new {};
        return text, (require "lxp".new {}:setencoding("x-none"):parse("<a/>")),
            select(2, odd:parse("<?xml version='1.0' encoding='x-none'?><a/>")),
                (odd:parse("<b/>")),
            (require "lxp".new {}:parse("<?xml version='1.0' encoding='utf-7'?><a/>"));
    """, b"<a>\xe4</a>") == ("ä".encode(), None, b"unknown encoding", None, None)


@MODEST
@given(data=some.binary(max_size=60), cut=some.integers(0, 60))
def test_a_parser_never_raises_whatever_comes_in(lua, data, cut):
    lua.run("""
        local first, second = ...;
        local parser = require "lxp".new { StartElement = function () end };
        parser:parse(first); parser:parse(second); parser:parse();
    """, data[:cut], data[cut:])


def test_entities_do_not_blow_up(lua):
    """Ten levels of ten references each: the protection of expat itself."""
    entities = "<!ENTITY e0 'xxxxxxxxxxxxxxxxxxxx'>" + "".join(
        f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 11))
    ok, reason = lua.run("""
        local size = 0;
        local parser = require "lxp".new { CharacterData = function (_, t) size = size + #t; end };
        local ok, err = parser:parse((...));
        return ok, err;
    """, f"<!DOCTYPE a [{entities}]><a>&e10;</a>".encode())
    assert ok is None and b"amplification" in reason


def test_documents_become_nested_tables(lua):
    assert lua.run("""
        local lom = require "lxp.lom";
        local tree = lom.parse("<a x='1'>t<b i='1'/>u<b i='2'><c/></b></a>");
        local count = 0;
        for child in lom.list_children(tree, "b") do count = count + child.attr.i; end
        return tree.tag, tree.attr.x, tree.attr[1], tree[1], tree[3], count, lom.find_elem(tree,
            "c").tag,
            lom.find_elem(tree, "z"), lom.parse({ "<a>", "</a>" }).tag, select(2, lom.parse("<a>")),
            (lom.parse(("<a>"):rep(5000) .. ("</a>"):rep(5000)));
    """) == (b"a", b"1", b"x", b"t", b"u", 3, b"c", None, b"a", b"no element found", None)


# util.xmppstream --------------------------------------------------------------------------------

STREAM = """
    local new, log = require "util.xmppstream".new, {};
    local function note(...) log[#log + 1] = table.concat({ ... }, " "); end
    local function open(more, limit)
        local session = { notopen = true };
        local callbacks = {
            default_ns = "jabber:client";
            streamopened = function (s, attr)
                s.notopen = nil;
                note("open", tostring(attr.to), tostring(attr["xml:lang"]));
            end;
            streamclosed = function () note("closed"); end;
            handlestanza = function (s, stanza) note(tostring(stanza)); end;
            error = function (s, condition, data) note("error", condition, tostring(data)); end;
        };
        for name, value in pairs(more or {}) do callbacks[name] = value or nil; end
        return new(session, callbacks, limit), session;
    end
"""


def feed(lua, *parts, setup="open()"):
    """Return the log, and what the last feed returned."""
    return lua.run(STREAM + f"""
        local stream = {setup};
        local result;
        for _, part in ipairs {{ ... }} do result = {{ stream:feed(part) }}; end
        return table.concat(log, "\\n"), result[1], result[2];
    """, *(part.encode() if isinstance(part, str) else part for part in parts))


def test_a_stream_gives_its_stanzas(lua):
    log, ok, _ = feed(lua, "<?xml version='1.0'?>" + HEADER, "<message><bo",
        "dy>a &lt; b</body></mes",
                      "sage> <iq/>", "</stream:stream>")
    assert ok is True
    assert log.decode().split("\n") == [
        "open a de", "<message xml:lang='de'><body>a &lt; b</body></message>",
            "<iq xml:lang='de'/>",
        "closed"]


def test_namespaces_stand_where_they_differ(lua):
    log, _, _ = feed(lua, HEADER,
        "<message><x xmlns='u'><y/><z xmlns='jabber:client'/></x><w/></message>",
                     "<q:presence xmlns:q='jabber:server'/>")
    lines = log.decode().split("\n")
    assert lines[1].endswith("<x xmlns='u'><y/><z xmlns='jabber:client'/></x><w/></message>")
    assert "xmlns='jabber:server'" in lines[2]


@pytest.mark.parametrize(("text", "expected"), [
    ("<foo/>", "error no-stream foo"), ("<stream xmlns='u'>", "error no-stream u\x01stream"),
    (HEADER + "<a/>", "error invalid-top-level-element nil"),
    (HEADER + "<!-- c -->", "error parse-error restricted-xml"),
    (HEADER + "<?p d?>", "error parse-error restricted-xml"),
    ("<!DOCTYPE a>" + HEADER, "error parse-error restricted-xml"),
    ("<?xml version='1.0' encoding='iso-8859-1'?>" + HEADER, "error parse-error restricted-xml"),
    (HEADER + "<stream:error><conflict/></stream:error>", "error stream-error <error"),
])
def test_what_a_stream_must_not_hold_is_told(lua, text, expected):
    assert expected in feed(lua, text)[0].decode()


@pytest.mark.parametrize("text", [
    "<message></iq>", "<message>&foo;</message>", "<x:message/>", b"<message>\xff</message>",
    b"<message>\0</message>", "<message a='1' a='2'/>", "<message>" * 600])
def test_bad_xml_ends_the_stream(lua, text):
    log, ok, reason = feed(lua, HEADER, text)
    assert ok is None and type(reason) is bytes
    assert feed(lua, HEADER, text, "<iq/>")[1] is None


@pytest.mark.parametrize("parts", [
    ("<message>" + "x" * 1200 + "</message>",), ("<message>" + "x" * 600, "x" * 600),
    ("<message><body>", "x" * 2000)])
def test_a_stanza_over_the_limit_is_refused(lua, parts):
    log, ok, reason = feed(lua, HEADER, *parts, setup="open(nil, 1000)")
    assert (log.count(b"\n"), ok, reason) == (0, None, b"stanza-too-large")


def test_many_stanzas_below_the_limit_pass(lua):
    log, ok, _ = feed(lua, HEADER, ("<message>" + "x" * 300 + "</message>") * 20,
                      setup="open(nil, 1000)")
    assert ok is True and log.count(b"\n") == 20


def test_the_header_is_limited_too(lua):
    assert feed(lua, "<stream:stream " + "x" * 2000, setup="open(nil, 1000)")[1:] == (
        None, b"stanza-too-large")


def test_a_reset_leaves_out_the_rest_of_the_chunk(lua):
    log, ok, err = lua.run(STREAM + """
        local stream, session;
        stream, session = open { handlestanza = function (s, stanza)
            note(stanza.name);
            s.notopen = true;
            stream:reset();
        end };
        local header = ...;
        local ok, err = stream:feed(header .. "<iq/><message/>");
        stream:feed(header .. "<presence/>");
        return table.concat(log, " "), ok, err;
    """, HEADER.encode())
    assert (log, ok, err) == (b"open a de iq open a de presence", True, None)


def test_the_session_and_the_limit_can_be_changed(lua):
    assert lua.run(STREAM + """
        local seen;
        local stream = open { handlestanza = function (s) seen = s.name; end };
        local header = ...;
        stream:feed(header);
        stream:set_session { name = "other" };
        stream:feed("<iq/>");
        stream:set_stanza_size_limit(50);
        return seen, stream:feed("<iq><a>" .. ("x"):rep(60));
    """, HEADER.encode()) == (b"other", None, b"stanza-too-large")


def test_another_root_can_be_asked_for(lua):
    setup = ("open { stream_ns = 'http://jabber.org/protocol/httpbind', stream_tag = 'body', "
             "handlestanza = function (_, s) note(s.name, tostring(s.attr.xmlns)); end }")
    log, ok, _ = feed(lua, "<body xmlns='http://jabber.org/protocol/httpbind' to='b'>"
                      "<message xmlns='jabber:client'/><presence/></body>", setup=setup)
    assert log.decode().split("\n") == [
        "open b nil", "message nil", "presence http://jabber.org/protocol/httpbind", "closed"]


def test_an_error_in_a_handler_reaches_who_feeds(lua):
    ok, text = lua.run(STREAM + """
        local stream = open { handlestanza = function () error("boom", 0); end };
        return pcall(stream.feed, stream, ... .. "<iq/>");
    """, HEADER.encode())
    assert (ok, text) == (False, b"boom")


@MODEST
@given(cuts=some.lists(some.integers(1, 30), max_size=8))
def test_the_cuts_between_chunks_do_not_matter(lua, cuts):
    text = HEADER + "<message to='x'><body>é &amp; ü</body></message><iq/></stream:stream>"
    data, parts = text.encode(), []
    for cut in cuts:
        parts.append(data[:cut])
        data = data[cut:]
    log, ok, _ = feed(lua, *parts, data)
    assert ok is True
    assert log == feed(lua, text)[0]
