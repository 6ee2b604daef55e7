"""The stream parser: elements, restarts, restrictions, limits, fragments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.parser import StreamClose, StreamOpen, StreamParser, parse_fragment
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

HEADER = (b"<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' "
          b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")


def opened(max_bytes=10_000, single=False) -> StreamParser:
    parser = StreamParser(max_bytes, single)
    (event,) = parser.feed(HEADER)
    assert isinstance(event, StreamOpen)
    return parser


def error_of(*chunks: bytes, **more) -> str:
    parser = opened(**more)
    for chunk in chunks:
        for event in parser.feed(chunk):
            if isinstance(event, StreamError):
                assert parser.feed(b"<message/>") == [], "an error is the last event"
                return event.condition
    return "none"


def test_the_header_gives_its_attributes_and_namespaces():
    parser = StreamParser(1000)
    (event,) = parser.feed(HEADER)
    assert event.attr == {"to": "localhost", "version": "1.0"}
    assert event.default_ns == "jabber:client"


def test_namespaces_are_set_where_they_differ_from_the_stream_and_below():
    (message,) = opened().feed(
        b"<message><body>x</body><a xmlns='urn:a'><b/><c xmlns='jabber:client'/></a></message>")
    body, a = message.tags
    assert "xmlns" not in message.attr and "xmlns" not in body.attr
    assert a.attr["xmlns"] == "urn:a"
    assert [child.attr["xmlns"] for child in a.tags] == ["urn:a", "jabber:client"]


def test_namespaced_attributes_keep_their_namespace_and_xml_lang_its_prefix():
    (message,) = opened().feed(b"<message xml:lang='de' xmlns:p='urn:p' p:q='1'/>")
    assert message.attr == {"xml:lang": "de", "urn:p\x01q": "1"}


@pytest.mark.parametrize("data", [
    b"<!-- comment -->", b"<message><!-- comment --></message>",
    b"<?target data?>", b"<message><?target data?></message>", b"<message>&entity;</message>",
])
def test_what_rfc_6120_section_11_1_forbids_is_restricted_xml(data):
    assert error_of(data) == "restricted-xml"


def test_a_dtd_before_the_header_is_restricted_xml():
    parser = StreamParser(1000)
    (error,) = parser.feed(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + HEADER[21:])
    assert error.condition == "restricted-xml"


@pytest.mark.parametrize(("data", "condition"), [
    (b"<message></iq>", "not-well-formed"),
    (b"<message a='1' a='2'/>", "not-well-formed"),
    (b"<message>\xff\xfe</message>", "not-well-formed"),
    (b"<message>&#0;</message>", "not-well-formed"),
    (b"<message>\x01</message>", "not-well-formed"),
    (b"<p:message/>", "bad-namespace-prefix"),
    (b"text<message/>", "bad-format"),
    ("\u00a0<message/>".encode(), "bad-format"),  # no whitespace of XML
    (b"<a>" * 200, "policy-violation"),
])
def test_broken_xml_ends_the_stream_with_its_condition(data, condition):
    assert error_of(data) == condition


@pytest.mark.parametrize(("header", "condition"), [
    (b"<stream:stream xmlns:stream='urn:other'>", "invalid-namespace"),
    (b"<html>", "bad-format"),
    (b"GET / HTTP/1.1\r\nHost: <x>\r\n\r\n", "not-well-formed"),
    (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + HEADER[21:], "unsupported-encoding"),
])
def test_a_wrong_header_is_told_from_broken_xml(header, condition):
    (error,) = StreamParser(1000).feed(header)
    assert error.condition == condition


@pytest.mark.parametrize("stanza", [
    b"<message><body>" + b"x" * 2000 + b"</body></message>",
    b"<message " + b" ".join(b"a%d='%d'" % (i, i) for i in range(300)) + b"/>",
    b"<message a='" + b"x" * 2000,
    b"<message>" + b"x" * 2000,
])
@pytest.mark.parametrize("chunk", [1, 50, 5000])
def test_a_stanza_over_the_limit_is_refused_before_it_is_complete(stanza, chunk):
    chunks = [stanza[i:i + chunk] for i in range(0, len(stanza), chunk)]
    assert error_of(*chunks, max_bytes=1000) == "policy-violation"


def test_what_comes_in_small_pieces_is_not_kept_in_small_pieces():
    parser = opened(max_bytes=300_000)
    assert parser.feed(b"<message>") == []
    for _ in range(10_000):
        assert parser.feed(b"ab") == []
    assert len(parser._held) < 100
    [stanza] = parser.feed(b"</message>")
    assert stanza.get_text() == "ab" * 10_000


def test_many_stanzas_within_the_limit_are_no_large_stanza():
    assert len(opened(max_bytes=1000).feed(b"<message><body>hello</body></message>" * 500)) == 500


@pytest.mark.parametrize(("inside", "most"), [("<a/>", 9_999), ("<a><b><c/></b></a>", 3_333)])
def test_a_stanza_of_too_many_elements_is_refused(inside, most):
    stanza = b"<iq>%s</iq>"
    [found] = opened(max_bytes=300_000).feed(stanza % (inside.encode() * most))
    assert len(found.children) == most
    assert error_of(stanza % (inside.encode() * (most + 2)),
                    max_bytes=300_000) == "policy-violation"


def test_what_is_stored_may_have_any_number_of_elements():
    assert len(parse_fragment("<a>" + "<b/>" * 20_000 + "</a>").children) == 20_000


def test_whitespace_between_stanzas_is_a_keep_alive():
    parser = opened()
    assert parser.feed(b" ") == [] and parser.feed(b"\n\n") == []
    assert len(parser.feed(b" <message/> ")) == 1


def test_the_end_of_the_stream_is_an_event():
    *_before, last = opened().feed(b"<message/></stream:stream>")
    assert isinstance(last, StreamClose)


def test_a_single_parser_keeps_what_follows_for_the_next_stream():
    parser = opened(single=True)
    (auth,) = parser.feed(b"<auth xmlns='urn:sasl'>x</auth>" + HEADER + b"<iq/>")
    assert auth.name == "auth" and parser.kept
    parser.reset()
    events = [event for _ in range(3) for event in parser.feed(b"")]
    assert isinstance(events[0], StreamOpen) and events[1].name == "iq"


def test_what_follows_starttls_can_be_dropped():
    parser = opened(single=True)
    parser.feed(b"<starttls xmlns='urn:tls'/><injected/>")
    parser.drop_kept()
    parser.reset()
    assert not parser.kept
    assert isinstance(parser.feed(HEADER)[0], StreamOpen)


def test_an_idle_parser_has_no_expat_parser():
    parser = opened()
    parser.feed(b"<message/>")
    assert parser._document is None
    parser.feed(b"<message>")
    assert parser._document is not None


def test_a_stream_with_prefixes_of_its_own_keeps_them():
    parser = StreamParser(10_000, single=True)
    parser.feed(HEADER.replace(b" to=", b" xmlns:x='urn:x' to="))
    for _ in range(3):
        (element,) = parser.feed(b"<x:foo/>")
        assert element.attr["xmlns"] == "urn:x"


names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")),
                max_size=20)


@st.composite
def stanzas(draw, depth=3):
    stanza = Stanza(draw(names), draw(st.dictionaries(names, texts, max_size=3)))
    if draw(st.booleans()):
        stanza.attr["xmlns"] = "urn:" + draw(names)
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = draw(stanzas(depth - 1)) if draw(st.booleans()) else draw(texts)
        previous = stanza.children[-1] if stanza.children else None
        if child and not (isinstance(child, str) and isinstance(previous, str)):
            stanza.children.append(child)
    return stanza


def same(a: Stanza, b: Stanza, ns=None) -> bool:
    a_ns, b_ns = a.attr.get("xmlns", ns), b.attr.get("xmlns", ns)
    rest = [{k: v for k, v in x.attr.items() if k != "xmlns"} for x in (a, b)]
    return (a.name == b.name and a_ns == b_ns and rest[0] == rest[1]
            and len(a.children) == len(b.children)
            and all(x == y if isinstance(x, str) else same(x, y, a_ns)
                    for x, y in zip(a.children, b.children, strict=True)))


@given(stanzas(), st.lists(st.integers(1, 40), min_size=1))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back_however_it_is_cut(stanza, cuts):
    data = serialize(stanza, "jabber:client").encode()
    parser, events, position, i = opened(max_bytes=1_000_000), [], 0, 0
    while position < len(data):
        step = cuts[i % len(cuts)]
        events += parser.feed(data[position:position + step])
        position, i = position + step, i + 1
    (event,) = events
    stanza.attr.setdefault("xmlns", "jabber:client")
    event.attr.setdefault("xmlns", "jabber:client")
    assert same(stanza, event, "jabber:client")


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_parser_raise(data):
    opened().feed(data)
    StreamParser(1000).feed(data)


def test_characters_that_xml_forbids_never_reach_the_wire():
    stanza = Stanza("body", {"a": "x\x00y\n"})
    stanza.children.append("a\x01\ud800\uffff\r")
    read = parse_fragment(serialize(stanza))
    assert read.attr["a"] == "x\ufffdy\n" and read.get_text() == "a\ufffd\ufffd\ufffd\r"


def test_a_fragment_is_exactly_one_element():
    for text in ("", "<a/><b/>", "<a>", "text"):
        with pytest.raises(StreamError):
            parse_fragment(text)
