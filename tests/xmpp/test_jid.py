"""Addresses: cutting, preparing, joining, escaping."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp import jid

NOTHING = (None, None, None)

VALID = [
    ("node@server", ("node", "server", None)),
    ("node@server/resource", ("node", "server", "resource")),
    ("server", (None, "server", None)),
    ("server/resource", (None, "server", "resource")),
    ("server/resource@foo/bar", (None, "server", "resource@foo/bar")),
    ("server//", (None, "server", "/")),
]
INVALID = [None, "", "@", "/", "node@", "@server", "server/", "node@/res", "@server/res", "a@b@c",
           "/res", "a@b/", "a@b@c/d"]


@pytest.mark.parametrize(("text", "parts"), VALID)
def test_an_address_is_cut_and_joined(text, parts):
    assert jid.split(text) == parts
    assert jid.prepped_split(text) == parts
    assert jid.join(*parts) == text
    assert (jid.node(text), jid.host(text), jid.resource(text)) == parts
    assert jid.bare(text) == jid.join(parts[0], parts[1])


@pytest.mark.parametrize("text", INVALID)
def test_what_is_no_address_gives_nothing(text):
    assert jid.split(text) == NOTHING
    assert jid.prepped_split(text) == NOTHING
    assert jid.bare(text) is None
    assert jid.prep(text) is None


def test_join_needs_a_host():
    assert jid.join("node", None, "resource") is None


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("Romeo@MONTAGUE.example/Balcony", "romeo@montague.example/Balcony"),
        ("r\u00d6meo@B\u00dccher.example/\u2168", "r\u00f6meo@b\u00fccher.example/IX"),
        ("node@server.", "node@server"),
        ("node@server./r", "node@server/r"),
        ("a\u3002b\uff0ec", "a.b.c"),
        ("a\uff0e", "a"),
        ("a@[2001:DB8::0:1]/x", "a@[2001:db8::1]/x"),
        ("[::1]", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("under_score.example", "under_score.example"),
    ],
)
def test_prep_gives_the_canonical_form(text, prepared):
    assert jid.prep(text) == prepared
    assert jid.prep(prepared) == prepared


@pytest.mark.parametrize(
    "text",
    [
        ".", "..", "a..", "a..b", ".a", "a b", "a:1", "a%b", "a\\b", "a\x00b", "n@<host>",
        "a\u2100b",  # ACCOUNT OF would put a slash into the host
        "x@a\uff20b", "x@a\uff0fb",  # full-width separators
        "\u00ad@host", "host/\u00ad", "\u00ad", "n@\u00ad.b",  # empty once prepared
        "[", "[]", "[::1", "::1", "[::1]x", "[1.2.3.4]", "[fe80::1%eth0]", "[::g]",
        "<no de>@server", "node@server/a\x00b", "a\ud800@b", "a@b\ud800", "a@b/\ud800",
    ],
)
def test_prep_refuses(text):
    assert jid.prep(text) is None
    assert jid.prepped_split(text) == NOTHING


@pytest.mark.parametrize("form", ["{}@host", "{}", "host/{}"])
def test_a_part_has_at_most_1023_bytes(form):
    host_part = form == "{}"
    longest = ".".join(["a" * 63] * 16) if host_part else "a" * 1023
    assert jid.prep(form.format(longest)) == form.format(longest)
    assert jid.prep(form.format(longest + "a")) is None or host_part
    assert jid.prep(form.format("a" + longest)) is None or host_part
    assert jid.prep(form.format("\u00e9" * 511)) == form.format("\u00e9" * 511)
    assert jid.prep(form.format("\u00e9" * 512)) is None
    assert jid.prep(form.format("a" * 1024)) is None


def test_strict_refuses_newer_code_points_and_lax_accepts_them_either_way_round():
    text = "room@host/\U0001f600"
    assert jid.prep(text) == text
    assert jid.prep(text, strict=True) is None
    assert jid.prepped_split(text, strict=True) == NOTHING
    assert jid.prep(text) == text


def test_invalid_and_long_addresses_are_not_kept():
    before = jid._cached.cache_info().currsize
    for number in range(50):
        assert jid.prep(f"a b{number}@host") is None
        assert jid.prep("x" * 300 + str(number) + "@host") is not None
        assert jid.prep(f"{number}" * 4000) is None
    info = jid._cached.cache_info()
    assert info.currsize == before
    assert info.maxsize is not None


@pytest.mark.parametrize(
    ("rule", "address", "matches"),
    [
        ("host", "host", True),
        ("host", "user@host", True),
        ("host", "user@host/res", True),
        ("user@host", "user@host/res", True),
        ("user@host/res", "user@host/res", True),
        ("host/res", "user@host/res", True),
        ("user@host", "host", False),
        ("user@host", "other@host", False),
        ("user@host/res", "user@host", False),
        ("host", "other", False),
        ("", "user@host", False),
        ("@host", "user@host", False),
        ("host", "@host", False),
        ("", "", False),
    ],
)
def test_a_rule_covers_what_it_does_not_mention(rule, address, matches):
    assert jid.compare(rule, address) is matches


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("space cadet", r"space\20cadet"),
        ('call me "ishmael"', r"call\20me\20\22ishmael\22"),
        ("at&t guy", r"at\26t\20guy"),
        ("d'artagnan", r"d\27artagnan"),
        ("/.fanboy", r"\2f.fanboy"),
        ("::foo::", r"\3a\3afoo\3a\3a"),
        ("<foo>", r"\3cfoo\3e"),
        ("user@host", r"user\40host"),
        (r"c:\net", r"c\3a\net"),
        (r"c:\\net", r"c\3a\\net"),
        (r"c:\5commas", r"c\3a\5c5commas"),
        (r"\3and\2is\5cool", r"\5c3and\2is\5c5cool"),
        (r"foob\41r", r"foob\41r"),
    ],
)
def test_escaping_follows_the_table_of_xep_0106(text, escaped):
    assert jid.escape(text) == escaped
    assert jid.unescape(escaped) == text


@settings(max_examples=100)
@given(st.text(alphabet=st.sampled_from("\\25cCfF07a @/ ")) | st.text())
def test_unescape_undoes_escape(text):
    assert jid.unescape(jid.escape(text)) == text


anything = st.text() | st.text(alphabet=st.sampled_from("aB.@/[]:\u00ad\u0130\u3002\uff20\u2100"))


@settings(max_examples=200, deadline=None)
@given(anything)
def test_no_text_makes_prep_raise_and_prep_is_idempotent(text):
    prepared = jid.prep(text)
    if prepared is None:
        assert jid.prepped_split(text) == NOTHING
    else:
        assert jid.prep(prepared) == prepared
        assert jid.split(prepared) == jid.prepped_split(text) == jid.prepped_split(prepared)


@settings(max_examples=200)
@given(anything)
def test_what_split_accepts_join_gives_back(text):
    parts = jid.split(text)
    assert parts == NOTHING or jid.join(*parts) == text


names = st.text(min_size=1).filter(lambda text: not set(text) & set("@/"))


@settings(max_examples=100)
@given(st.none() | names, names, st.none() | st.text(min_size=1))
def test_what_join_builds_split_takes_apart(node, host, resource):
    assert jid.split(jid.join(node, host, resource)) == (node, host, resource)
