"""Bytes in several forms: util.struct, cbor, zlib, basexx, util.serialization."""

import base64
import math
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

MODEST = settings(max_examples=25, deadline=None)


@MODEST
@given(number=some.integers(-2**31, 2**31 - 1), letter=some.sampled_from("bhiBHI"),
       order=some.sampled_from("<>"))
def test_integers_are_packed_as_the_format_says(lua, number, letter, order):
    size = struct.calcsize("=" + letter)
    wrapped = number & ((1 << 8 * size) - 1)
    packed = wrapped.to_bytes(size, "little" if order == "<" else "big")
    back = int.from_bytes(packed, "little" if order == "<" else "big", signed=letter.islower())
    code = """
        local struct, format, number = require "util.struct", ...;
        local data = struct.pack(format, number);
        return data, struct.unpack(format, data);
    """
    assert lua.run(code, (order + letter).encode(), number) == (packed, back, size + 1)


@MODEST
@given(number=some.floats(allow_nan=False), text=some.binary(max_size=20))
def test_floats_and_strings_come_back(lua, number, text):
    assert lua.run("""
        local struct, number, text = require "util.struct", ...;
        local data = struct.pack(">dI1c0", number, #text, text);
        local value, string, after = struct.unpack(">dI1c0", data);
        return value, string, after, #data;
    """, number, text) == (number, text, len(text) + 10, len(text) + 9)


@pytest.mark.parametrize(("arguments", "expected"), [
    ("'>I2', 65537", b"\0\x01"), ("'<i3', -2", b"\xfe\xff\xff"),
    ("'!4bI', 1, 2", b"\x01\0\0\0\x02\0\0\0"), ("'b', '3'", None), ("'b', 3.7", b"\x03"),
    ("'s', 'abc'", b"abc\0"), ("'c2', 'abc'", b"ab"), ("'xbx', 1", b"\0\x01\0"), ("'b'", None),
    ("'c5', 'ab'", None), ("'z', 1", None), ("'I33', 1", None), ("'!3i', 1", None),
    ("'s', {}", None), ("nil", None), ("'f', 1e300", struct.pack("<f", math.inf)),
    ("'b', 0/0", b"\0"), ("('b'):rep(5000)", None), ("'I99999999999999999999', 1", None)])
def test_packing_follows_lua_struct(lua, arguments, expected):
    ok, data = lua.run(f"return pcall(require 'util.struct'.pack, {arguments})")
    assert (data if ok else None) == expected
    assert ok or b"bad argument" in data


@pytest.mark.parametrize("arguments", [
    "'>I2', 'a'", "'bc0', '\\9abc'", "'bc0', '\\255abc'", "'s', 'abc'", "'c0', 'a'",
        "'I2', 'ab', 0",
    "'I2', 'ab', 99", "'I2', nil", "'b', '', -5"])
def test_too_little_data_is_an_error(lua, arguments):
    ok, text = lua.run(f"return pcall(require 'util.struct'.unpack, {arguments})")
    assert not ok and b"bad argument" in text


def test_sizes_are_told_where_they_are_fixed(lua):
    assert lua.run("""
        local size = require "util.struct".size;
        return size "bhid", size "!8bd", size "c5", (pcall(size, "s")), (pcall(size, "c0"));
    """) == (15, 16, 5, False, False)


# cbor -------------------------------------------------------------------------------------------

CBOR = [  # RFC 8949 appendix A
    ("0", "00"), ("23", "17"), ("24", "1818"), ("1000", "1903e8"), ("1000000", "1a000f4240"),
    ("-1", "20"), ("-1000", "3903e7"), ("1.1", "fb3ff199999999999a"), ("true", "f5"),
    ("false", "f4"), ("'IETF'", "6449455446"), ("{1,2,3}", "83010203"), ("'\\1\\255'", "4201ff"),
    ("{1,{2,3}}", "8201820203"), ("{a=1}", "a1616101"), ("{}", "a0"), ("''", "60")]


@pytest.mark.parametrize(("value", "data"), CBOR)
def test_cbor_is_written_as_in_the_standard(lua, value, data):
    assert lua.run(f"return require 'cbor'.encode({value})").hex() == data


@pytest.mark.parametrize(("data", "expected"), [
    ("1bffffffffffffffff", 2.0**64), ("3bffffffffffffffff", -2.0**64), ("f93c00", 1.0),
    ("f90001", 2.0**-24), ("f97c00", math.inf), ("fa47c35000", 100000.0), ("c11a514b67b0",
        1363896240),
    ("7f657374726561646d696e67ff", b"streaming"), ("5f42010243030405ff", b"\1\2\3\4\5"),
    ("6161", b"a")])
def test_cbor_is_read_as_in_the_standard(lua, data, expected):
    assert lua.run("return require 'cbor'.decode((...))", bytes.fromhex(data)) == expected


def test_cbor_containers_come_back(lua):
    assert lua.run("""
        local cbor = require "cbor";
        local t = cbor.decode(cbor.encode { list = { 1, "x", false }, map = { k = -5 } });
        local open = cbor.decode("\\159\\1\\130\\2\\3\\255");
        return t.list[2], t.list[3], t.map.k, open[2][1], cbor.decode("\\246") == cbor.null,
            cbor.encode(cbor.null), cbor.decode("\\191\\97\\97\\1\\255").a;
    """) == (b"x", False, -5, 2, True, b"\xf6", 1)


@pytest.mark.parametrize("data", [
    "", "18", "19ff", "1c", "ff", "61", "6161ff", "83", "8201", "a101", "9fff00", "5f6161ff",
    "81" * 500 + "01", "9bffffffffffffffff", "bbffffffffffffffff00", "7bffffffffffffffff",
    "f8ff", "df00", "a1ff00", "81ff", "f93c"])
def test_bad_cbor_is_a_lua_error(lua, data):
    ok, text = lua.run("return pcall(require 'cbor'.decode, (...))", bytes.fromhex(data))
    assert not ok and text.startswith(b"cbor: ")


def test_what_has_no_form_in_cbor_is_refused(lua):
    assert lua.run("""
        local encode, loop = require "cbor".encode, {};
        loop[1] = loop;
        return (pcall(encode, print)), (pcall(encode, loop));
    """) == (False, False)


# zlib -------------------------------------------------------------------------------------------

@MODEST
@given(parts=some.lists(some.binary(max_size=200), min_size=1, max_size=4))
def test_streams_are_deflated_and_inflated_a_part_at_a_time(lua, parts):
    whole = lua.run("""
        local zlib, out = require "zlib", {};
        local deflate, inflate = zlib.deflate(), zlib.inflate();
        for _, part in ipairs { ... } do out[#out + 1] = inflate((deflate(part, "sync"))); end
        local last, ended, bytes_in = inflate((deflate("", "finish")));
        assert(ended);
        return table.concat(out) .. last;
    """, *parts)
    assert whole == b"".join(parts)


def test_other_programs_read_and_write_the_same(lua):
    data = b"hello " * 100
    assert zlib.decompress(lua.run("return (require'zlib'.deflate(9)((...), 'finish'))",
        data)) == data
    assert lua.run("return (require'zlib'.inflate()((...)))", zlib.compress(data)) == data
    assert lua.run("return require'zlib'.crc32()((...))", data) == zlib.crc32(data)


def test_bad_and_growing_data_is_an_error(lua):
    bomb = zlib.compress(b"\0" * (32 << 20))
    for data in (b"this is no zlib data", bomb):
        ok, text = lua.run("return pcall(require'zlib'.inflate(), (...))", data)
        assert not ok and type(text) is bytes
    assert lua.run("return (pcall(require'zlib'.deflate, 77))") is False


# basexx -----------------------------------------------------------------------------------------

@MODEST
@given(data=some.binary(max_size=60))
def test_text_forms_are_those_of_the_standard(lua, data):
    assert lua.run("""
        local basexx, data = require "basexx", ...;
        return basexx.to_base32(data), basexx.to_url64(data), basexx.to_hex(data),
            basexx.from_base32(basexx.to_base32(data)), basexx.from_url64(basexx.to_url64(data)),
            basexx.from_hex(basexx.to_hex(data)), basexx.from_bit(basexx.to_bit(data));
    """, data) == (base64.b32encode(data), base64.urlsafe_b64encode(data).rstrip(b"="),
                   data.hex().upper().encode(), data, data, data, data)


def test_foreign_characters_are_refused_or_ignored_as_asked(lua):
    assert lua.run("""
        local basexx = require "basexx";
        return (basexx.from_base32("!!")), basexx.from_base32("me-2w", "-"),
            (basexx.from_url64("a+b")),
            basexx.from_base64("YQ"), basexx.from_base32("mfrgg==="), (basexx.from_bit("012"));
    """) == (None, b"a5", None, b"a", b"abc", None)


# util.serialization -----------------------------------------------------------------------------

def test_gaps_in_a_list_stay_gaps(lua):
    assert lua.run("""
        local s = require "util.serialization";
        local back = s.deserialize(s.serialize({ 1, nil, 3, [7] = 7 }, "compact"));
        return s.serialize({ 1, nil, 3 }, "compact"), back[1], back[2], back[3], back[7],
            s.serialize({ [0] = "z", "a", [-1] = "m" }, "compact");
    """) == (b"{1;[3]=3}", 1, None, 3, 7, b'{"a";[-1]="m";[0]="z"}')


@pytest.mark.parametrize(("options", "expected"), [
    ("'oneline'", b'{ 1; ["a"] = { 2 } }'), ("'compact'", b"{1;a={2}}"),
    ("'default'", b'{\n\t1;\n\t["a"] = {\n\t\t2;\n\t};\n}'), ("nil",
        b'{\n\t1;\n\t["a"] = {\n\t\t2;\n\t};\n}'),
    ("{ preset = 'oneline', unquoted = true }", b"{ 1; a = { 2 } }"),
    ("{ preset = 'compact', unquoted = '^%u+$' }", b'{1;["a"]={2}}'),
    ("{ indentwith = ' ', itemlast = '\\n' }", b'{\n 1;\n ["a"] = {\n  2\n }\n}'),
    ("{ preset = 'compact', tstart = '<', tend = '>', equals = ':' }", b"<1;a:<2>>"),
    ("{ preset = 'compact', maxdepth = 1, fatal = false, fallback = function (v, why) "
     "return type(v) .. '/' .. why end }", b"{1;a=table/max table depth reached}")])
def test_the_form_can_be_chosen(lua, options, expected):
    assert lua.run(
        f"return require 'util.serialization'.new({options}) {{ 1, a = {{ 2 }} }}") == expected


def test_what_has_no_form_is_an_error_or_a_note(lua):
    assert lua.run("""
        local s = require "util.serialization";
        local twice = { 1 };
        return (pcall(s.serialize, print)), (pcall(s.serialize, { twice, twice })),
            s.new { multiref = true, preset = "compact" } { twice, twice },
            s.serialize({ print }, "debug"), s.serialize(require "util.set".new { "a" }, "debug"),
            (pcall(s.serialize, setmetatable({}, { __freeze = error })));
    """) == (False, False, b"{{1};{1}}", b'{ {__type="function",__error="fail"} }', b'set{ "a" }',
        True)


@pytest.mark.parametrize(("text", "expected"), [
    ("[[x]]", b"x"), ("[==[\na]]b]==]", b"a]]b"), ("1/0", math.inf), ("-1/0", -math.inf),
    ("(1/0)", math.inf), ("'\\u{e9}\\u{20ac}\\u{1f600}'", "é€😀".encode()),
    ("'\\u{110000}'", None),
    ("[[x", None), ("{[[a]]}", "table"), ("'\\x41\\z  B'", b"AB"), ("{[ [[k]] ]=1}", "table")])
def test_hand_written_forms_are_read(lua, text, expected):
    value = lua.run("local v = require 'util.serialization'.deserialize((...)); "
                    "return type(v) == 'table' and 'table' or v", text.encode())
    assert value == (expected.encode() if expected == "table" else expected)


# bit32 -------------------------------------------------------------------------------------------

@MODEST
@given(a=some.integers(0, 2**32 - 1), b=some.integers(0, 2**32 - 1), by=some.integers(-40, 40))
def test_bits_are_those_of_32_bit_numbers(lua, a, b, by):
    mask = 2**32 - 1
    shifted = (a << by if by >= 0 else a >> -by) & mask if abs(by) < 32 else 0
    rotated = ((a << by % 32) | (a >> (32 - by % 32))) & mask
    assert lua.run("""
        local bit32, a, b, by = require "bit32", ...;
        return bit32.band(a, b), bit32.bor(a, b, 0), bit32.bxor(a, b), bit32.bnot(a),
            bit32.lshift(a, by), bit32.rshift(a, -by), bit32.lrotate(a, by), bit32.rrotate(a, -by),
            bit32.extract(a, 4, 8), bit32.replace(a, b, 4, 8), bit32.btest(a, b), bit32.band(),
            bit32.arshift(a, 33);
    """, a, b, by) == (a & b, a | b, a ^ b, ~a & mask, shifted, shifted, rotated, rotated,
                       a >> 4 & 0xff, a & ~0xff0 | (b & 0xff) << 4, a & b != 0, mask,
                       mask if a >> 31 else 0)
