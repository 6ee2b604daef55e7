"""Smaller libraries: util.rfc6724, sslconfig, hashring, session, termcolours, argparse, vcard."""

import pytest

PARSE = """
    local arguments, config = {}, %s;
    for word in (...):gmatch("%%S+") do arguments[#arguments + 1] = word; end
    local options, err, where = require "util.argparse".parse(arguments, config);
    if not options then return nil, err, where; end
    local parts = {};
    for key, value in pairs(options) do
        if type(value) == "table" then value = table.concat(value, "+"); end
        parts[#parts + 1] = tostring(key) .. "=" .. tostring(value);
    end
    table.sort(parts);
    return table.concat(parts, " "), table.concat(arguments, " ");
"""


# RFC 6724, sections 10.1 and 10.2 ---------------------------------------------------------------

@pytest.mark.parametrize(("destination", "candidates", "best"), [
    ("2001:db8:1::1", "2001:db8:3::1 fe80::1", "2001:db8:3::1"),
    ("ff05::1", "2001:db8:3::1 fe80::1", "2001:db8:3::1"),
    ("2001:db8:1::1", "2001:db8:2::1 2001:db8:1::1", "2001:db8:1::1"),
    ("fe80::1", "2001:db8:1::1 fe80::2", "fe80::2"),
    ("2001:db8:1::1", "2001:db8:3::2 2001:db8:1::2", "2001:db8:1::2"),
    ("2001:db8:1::1", "2002:c633:6401::2 2a00::1", "2a00::1"),
    ("2002:c633:6401::1", "2001:db8:1::2 2002:c633:6401::d5e3:7953:13eb:22e8",
     "2002:c633:6401::d5e3:7953:13eb:22e8")])
def test_the_best_source_is_chosen(lua, destination, candidates, best):
    assert lua.run("""
        local rfc6724, new_ip = require "util.rfc6724", require "util.ip".new_ip;
        local candidates = {};
        for address in (select(2,
            ...)):gmatch("%S+") do candidates[#candidates + 1] = new_ip(address); end
        return rfc6724.source(new_ip((...)), candidates).addr, rfc6724.source(new_ip((...)), {});
    """, destination.encode(), candidates.encode()) == (best.encode(), None)


@pytest.mark.parametrize(("candidates", "sources", "order"), [
    ("2001:db8:1::1 198.51.100.121", "2001:db8:1::2 fe80::1 169.254.13.78",
     "2001:db8:1::1 198.51.100.121"),
    ("2001:db8:1::1 198.51.100.121", "fe80::1 198.51.100.117", "198.51.100.121 2001:db8:1::1"),
    ("10.1.2.3 2001:db8:1::1", "2001:db8:1::2 fe80::1 10.1.2.4", "2001:db8:1::1 10.1.2.3"),
    ("2001:db8:1::1 fe80::1", "2001:db8:1::2 fe80::2", "fe80::1 2001:db8:1::1"),
    ("2001:db8:3ffe::1 2001:db8:1::1", "2001:db8:1::2 2001:db8:3f44::2 fe80::2",
     "2001:db8:1::1 2001:db8:3ffe::1"),
    ("2002:c633:6401::1 2001:db8:1::1", "2002:c633:6401::2 fe80::2",
     "2002:c633:6401::1 2001:db8:1::1"),
    ("2002:c633:6401::1 2001:db8:1::1", "2002:c633:6401::2 2001:db8:1::2 fe80::2",
     "2001:db8:1::1 2002:c633:6401::1"),
    ("2001:db8::1 192.0.2.1", "192.0.2.9", "192.0.2.1 2001:db8::1"), ("", "", "")])
def test_destinations_are_sorted(lua, candidates, sources, order):
    assert lua.run("""
        local rfc6724, new_ip = require "util.rfc6724", require "util.ip".new_ip;
        local function list(text)
            local found = {};
            for address in text:gmatch("%S+") do found[#found + 1] = new_ip(address); end
            return found;
        end
        local names = {};
        for i, ip in ipairs(rfc6724.destination(list((...)), list((select(2,
            ...))))) do names[i] = ip.addr; end
        return table.concat(names, " ");
    """, candidates.encode(), sources.encode()) == order.encode()


# util.sslconfig ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("protocol", "expected"), [
    ("tlsv1_2+", b"sslv23 no_sslv2 no_sslv3 no_tlsv1 no_tlsv1_1"), ("tlsv1_3", b"tlsv1_3"),
    ("sslv2+", b"sslv23"), ("tlsv9+", b"tlsv9+")])
def test_a_least_protocol_leaves_out_the_older_ones(lua, protocol, expected):
    assert lua.run("""
        local config = require "util.sslconfig".new();
        config:apply { protocol = (...) };
        local final = config:final();
        return final.protocol .. (final.options[1] and " " or "") .. table.concat(final.options,
            " ");
    """, protocol.encode()) == expected


def test_later_settings_win_and_sets_are_merged(lua):
    assert lua.run("""
        local config = require "util.sslconfig".new();
        config:apply { options = { "a", "b" }, ciphers = { "X", "Y" }, key = "k" };
        config:apply { options = { b = false, c = true }, curveslist = { "P", "Q" } };
        config:apply(nil);
        local final = config:final();
        return table.concat(final.options, " "), final.ciphers, final.curveslist, final.key,
            config.ciphers[1];
    """) == (b"a c", b"X:Y", b"P:Q", b"k", b"X")


# util.hashring, util.session, util.termcolours --------------------------------------------------

def test_a_ring_moves_few_names_when_a_node_goes(lua):
    moved, first, after, empty, again = lua.run("""
        local ring = require "util.hashring".new(20, require "util.hashes".sha1);
        local empty = ring:get_node("x");
        ring:add_nodes { "a", "b", "c" };
        local before, counts = {}, {};
        for i = 1, 300 do
            before[i] = ring:get_node("k" .. i);
            counts[before[i]] = (counts[before[i]] or 0) + 1;
        end
        local again = ring:add_node("a");
        ring:remove_node("b");
        local moved = 0;
        for i = 1, 300 do
            local now = ring:get_node("k" .. i);
            if now ~= before[i] then moved = moved + 1; assert(before[i] == "b"); end
        end
        return moved, counts.a > 20 and counts.c > 20, moved == counts.b, empty, again;
    """)
    assert moved > 20 and (first, after, empty, again) == (True, True, None, False)


def test_sessions_are_put_together(lua):
    assert lua.run("""
        local parts, sent = require "util.session", {};
        local session = parts.set_logger(parts.set_id(parts.new("c2s")));
        parts.set_conn(session, { ip = function () return "192.0.2.1"; end,
            write = function (_, data) sent[#sent + 1] = data; return true; end });
        parts.set_send(session);
        local ok = session.send(require "util.stanza".stanza("a"));
        session.filter = function (kind, data)
            if kind == "stanzas/out" then return data ~= "drop" and data or nil; end
            return data .. "!";
        end;
        session.send("x");
        session.send("drop");
        session.conn = nil;
        return session.type, session.base_type, session.ip, ok, table.concat(sent, " "),
            session.send("y"),
            type(session.log), session.id:match("^c2s") ~= nil;
    """) == (b"c2s_unauthed", b"c2s", b"192.0.2.1", True, b"<a/> x!", False, b"function", True)


def test_styles_are_numbers_for_the_terminal(lua):
    assert lua.run("""
        local t = require "util.termcolours";
        return t.getstyle("bold", "red"), t.getstyle("red background"), t.getstyle("nope"),
            t.getstyle("ff0000"), t.getstring("1", "x"), t.getstring(nil, "x"),
                (t.tohtml("a\\27[1mb\\27[0mc"));
    """) == (b"1;31", b"41", b"", b"38;5;196", b"\x1b[1mx\x1b[0m", b"x",
             b"a</span><span style='font-weight: bold'>b</span>c")


# util.argparse ----------------------------------------------------------------------------------

@pytest.mark.parametrize(("words", "config", "expected", "left"), [
    ("--help", "nil", b"help=true", b""), ("--foo --no-bar", "nil", b"bar=false foo=true", b""),
    ("--foo bar --baz", "nil", b"1=bar 2=--baz foo=true", b"bar --baz"),
    ("-b", "{ short_params = { b = 'bar' } }", b"bar=true", b""),
    ("--foo x --bar=y=z", "{ value_params = { foo = true } }", b"bar=y=z foo=x", b""),
    ("-- --x", "nil", b"1=--x", b"--x"), ("--a-b=c", "nil", b"a_b=c", b""),
    ("a --x b", "{ stop_on_positional = false }", b"1=a 2=b x=true", b"a b"),
    ("--x 1 --x 2", "{ array_params = { x = true } }", b"x=1+2", b""), ("- x", "nil", b"1=- 2=x",
        b"- x"),
    ("-p=5", "{ short_params = { p = 'port' } }", b"port=5", b"")])
def test_options_are_taken_out_of_the_arguments(lua, words, config, expected, left):
    assert lua.run(PARSE % config, words.encode()) == (expected, left)


@pytest.mark.parametrize(("words", "config", "error", "where"), [
    ("--foo", "{ value_params = { foo = true } }", b"missing-value", b"--foo"),
    ("-h", "nil", b"param-not-found", b"-h"),
    ("--ok -z", "{ short_params = { h = 'help' } }", b"param-not-found", b"-z")])
def test_mistakes_in_arguments_are_named(lua, words, config, error, where):
    assert lua.run(PARSE % config, words.encode()) == (None, error, where)


# util.vcard -------------------------------------------------------------------------------------

CARD = (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Juliet\r\nN:Cap;Ju\\;liet;;;\r\n"
        b"item1.EMAIL;TYPE=home,pref:j@x\r\nNOTE:a\\nb\\, c\r\n  d\r\nORG:Acme;Unit\r\n"
        b"PHOTO;TYPE=image/png;ENCODING=b:AAAA\r\nPHOTO:http://x/y\r\nCATEGORIES:x,y\r\n"
        b"GEO:1;2\r\nbroken line\r\nEND:VCARD\r\n")


def test_cards_are_read_and_written_in_all_forms(lua):
    text, xml, four, back = lua.run("""
        local vcard = require "util.vcard";
        local cards = vcard.from_text((...));
        assert(cards[1][3][2] == "Ju;liet" and cards[1][4].TYPE[2] == "pref");
        assert(cards[1][5][1] == "a\\nb, c d");
        local xml = vcard.to_xep54(cards);
        return vcard.to_text(cards), tostring(xml), tostring(vcard.to_vcard4(cards)),
            vcard.to_text(vcard.from_xep54(xml));
    """, CARD)
    assert b"EMAIL;TYPE=home,pref:j@x\n" in text and b"NOTE:a\\nb\\, c d\n" in text
    assert b"N:Cap;Ju\\;liet;;;" in back and b"PHOTO:http://x/y" in back
    assert b"<EMAIL><HOME/><PREF/><USERID>j@x</USERID></EMAIL>" in xml
    assert b"<TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL>" in xml
    assert b"<ORGNAME>Acme</ORGNAME><ORGUNIT>Unit</ORGUNIT>" in xml
    assert b"<uri>data:image/png;base64,AAAA</uri>" in four and b"<uri>geo:1,2</uri>" in four


def test_several_cards_and_none(lua):
    assert lua.run("""
        local vcard, xml = require "util.vcard", require "util.xml".parse;
        local two = vcard.from_text(("BEGIN:VCARD\\nFN:%s\\nEND:VCARD\\n"):rep(2):format("a", "b"));
        return #two, vcard.to_xep54(two).name, #vcard.from_xep54(vcard.to_xep54(two)),
            #vcard.from_text("nonsense"), select(2, vcard.from_xep54(xml "<a/>")),
            select("#", vcard.from_text(("x"):rep(2^20 + 1)));
    """) == (2, b"xCard", 2, 0, b"wrong-xmlns", 2)


def test_a_long_value_takes_no_long_time(lua):
    assert lua.run("return #require 'util.vcard'.from_text((...))",
                   b"BEGIN:VCARD\nN:" + b"\\;" * 300_000 + b"\nEND:VCARD") == 1
