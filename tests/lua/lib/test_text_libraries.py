"""Libraries that turn values into text and back, and the native functions under them."""

import base64
import hashlib
import hmac
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

MODEST = settings(max_examples=30, deadline=None)
JSON_VALUES = some.recursive(
    some.booleans() | some.integers(-2**53, 2**53) | some.floats(allow_nan=False,
                                                                 allow_infinity=False)
    | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)


@MODEST
@given(data=some.binary(max_size=200))
def test_base64_and_hex_keep_all_bytes(lua, data):
    code = """
        local b64, hex, data = require "util.encodings".base64, require "util.hex", ...;
        return b64.encode(data), b64.decode(b64.encode(data)), hex.decode(hex.encode(data)),
            hex.encode(data)
    """
    expected = (base64.b64encode(data), data, data, data.hex().encode())
    assert lua.run(code, data) == expected


@pytest.mark.parametrize(("text", "expected"), [
    (b"YW\nJj", b"abc"), (b"YQ", b"a"), (b"Y!Jj", None), (b"_-__", None), (b"YQ==YQ==", b"aa"),
    (b"====", b""), (b"Y", b""),
])
def test_base64_skips_space_and_refuses_what_is_foreign(lua, text, expected):
    assert lua.run("return require'util.encodings'.base64.decode((...))", text) == expected


@MODEST
@given(key=some.binary(max_size=80), data=some.binary(max_size=80))
def test_hashes_are_those_of_the_standard(lua, key, data):
    code = """
        local h, key, data = require "util.hashes", ...;
        return h.sha1(data), h.sha256(data, true), h.hmac_sha256(key, data), h.equals(data, data)
    """
    assert lua.run(code, key, data) == (
        hashlib.sha1(data).digest(), hashlib.sha256(data).hexdigest().encode(),
        hmac.digest(key, data, "sha256"), True,
    )


def test_a_hash_of_nil_is_an_ordinary_lua_error(lua):
    ok, error = lua.run("return pcall(require'util.hashes'.sha1, nil)")
    assert not ok and b"bad argument #1 to 'sha1' (string expected, got no value)" in error


def test_native_functions_are_functions_to_lua(lua):
    assert lua.run("return type(require'util.hashes'.md5), type(require'util.time'.now)") == (
        b"function", b"function")


@MODEST
@given(value=JSON_VALUES)
def test_json_is_the_same_for_python(lua, value):
    code = """
        local json = require "util.json";
        return json.encode(assert(json.decode("[" .. ... .. "]")))
    """
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        (back,) = json.loads(lua.run(code, text.encode()))
        assert same(back, value)


def same(a, b):
    """Compare, taking a list and an object without members for the same, and floats loosely."""
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-15)
    if isinstance(b, dict) and {"__array", "__hash"} & set(b):
        return True
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(
            same(a[key], b[key]) for key in b)
    if isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("text", [
    "", "  ", "nul", "[1,]", '{"a"}', '"\\ud83d"', '{"a":1}x', '"\\x"', "[1 2]", '"abc', "-",
    "[" * 2000 + "]" * 2000, "\0",
])
def test_bad_json_is_nil_and_a_reason(lua, text):
    value, reason = lua.run("return require'util.json'.decode((...))", text.encode())
    assert value is None and type(reason) is bytes


def test_json_tells_lists_objects_and_null_apart(lua):
    assert lua.run("""
        local json, array = require "util.json", require "util.array";
        return json.encode({}), json.encode(array {}), json.encode(json.decode("[]")),
            json.decode("null") == json.null, json.encode { a = json.null }, json.encode(3.0),
            json.encode_ordered { b = 1, a = 2 }
    """) == (b"{}", b"[]", b"[]", True, b'{"a":null}', b"3", b'{"a":2,"b":1}')


@MODEST
@given(value=some.recursive(
    some.binary(max_size=20) | some.integers(-2**53, 2**53) | some.booleans(),
    lambda inner: some.dictionaries(some.binary(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=8,
))
def test_serialized_values_come_back(lua, value):
    def to_lua(item):
        if isinstance(item, dict):
            return lua.runtime.table_from({key: to_lua(inner) for key, inner in item.items()})
        return item

    def to_python(item):
        if hasattr(item, "items"):
            return {key: to_python(inner) for key, inner in item.items()}
        return item

    for preset in ("default", "compact", "oneline", "pretty"):
        back = lua.run("""
            local s, value, preset = require "util.serialization", ...;
            local back = s.deserialize(s.serialize(value, preset));
            return back;
        """, to_lua(value), preset.encode())
        assert to_python(back) == value


@pytest.mark.parametrize("text", [
    "os.exit()", "{", "{} {}", "(function() end)()", '"a', "{[nil]=1}", "{" * 500 + "}" * 500,
])
def test_deserialize_runs_no_code_and_gives_a_reason(lua, text):
    value, reason = lua.run("return require'util.serialization'.deserialize((...))", text.encode())
    assert value is None and b"at byte" in reason


@pytest.mark.parametrize(("arguments", "expected"), [
    ("'%s %s', 1", b"1 (nil)"), ("'%d', 'x'", b"[x]"), ("'%d', 3.5", b"[3.5]"), ("'%d', 3.0", b"3"),
    ("'no', 'x'", b"no [x]"), ("'%s', 'a\\255\\n'", b'"a\\255\\n"'), ("'%%'", b"%"),
    ("'a%'", b"a%"), ("'%s', true", b"true"), ("'%q', 'a\\nb'", b'"a\\nb"'),
    ("'%s', 'a\\0b'", b"a\xe2\x90\x80b"), ("'%-4s|', 'a'", b"a   |"), ("'%5.2f', 1.234", b" 1.23"),
])
def test_format_never_raises(lua, arguments, expected):
    assert lua.run(f"return require'util.format'.format({arguments})") == expected


@MODEST
@given(seconds=some.integers(-10**9, 4 * 10**9))
def test_datetime_comes_back(lua, seconds):
    code = "local d = require 'util.datetime'; return d.parse(d.datetime((...)))"
    assert lua.run(code, seconds) == seconds


@pytest.mark.parametrize(("text", "expected"), [
    ("2006-01-02T15:04:05Z", 1136214245), ("2006-01-02T15:04:05+02:00", 1136207045),
    ("20060102T15:04:05", 1136214245), ("2006-01-02T15:04:05.25Z", 1136214245.25),
    ("2006-01-02", None), ("bogus", None), ("2006-13-02T15:04:05Z", None),
])
def test_datetime_reads_the_profiles(lua, text, expected):
    assert lua.run("return require'util.datetime'.parse((...))", text.encode()) == expected


def test_xml_is_parsed_and_what_is_dangerous_refused(lua):
    code = "return require'util.xml'.parse((...))"
    table = lua.run(code, b"<a xmlns='u' xml:lang='de' n:k='1' xmlns:n='urn:n'><b>t</b></a>")
    stanza = lua.border.to_python(table)
    assert stanza.attr == {"xmlns": "u", "xml:lang": "de", "urn:n\x01k": "1"}
    for text in (b"<a", b"<!DOCTYPE a><a/>", b"<a><!-- c --></a>", b"<a><?p?></a>",
                 b"<a>" * 300 + b"</a>" * 300, b"\xff"):
        value, reason = lua.run(code, text)
        assert value is None and b"line" in reason


def test_templates_escape_and_iterate(lua):
    assert lua.run("""
        local render = require "util.interpolation".new("%b{}", function (s)
            return "<" .. s .. ">";
        end, { up = string.upper });
        return render("{a} {a!} {a|up} {z?no} {a&yes {a}} {z~none}{a~none} {l#{idx}{item!}} "
            .. "{n.m} {q}", { a = "v", l = { "x", "y" }, n = { m = "deep" } });
    """) == b"<v> v <V> no yes <v> none <1>x<2>y <deep> {q}"
