"""The language of the scripts: what a pattern matches, and what it does not."""

from __future__ import annotations

import pytest

from prosody_py.testing.dialogue import expect, parse, spoken
from prosody_py.xmpp.parser import CLOSE, StreamParser, parse_fragment

HEADER = ("<stream:stream from='localhost' id='1' xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams'>")


@pytest.mark.parametrize("pattern", [
    "<a x='1' xmlns='urn:a'><b/>text</a>", "<a x='*' xmlns='urn:*'><b/>t*t</a>",
    "<a ...>...</a>", "<a xmlns='urn:a' ...><b/>...</a>", "<a xmlns='urn:a' x='1'>...</a>",
    "<a x='1' xmlns='urn:a'> <b/> * </a>"])
def test_a_pattern_matches(pattern):
    expect(pattern, parse_fragment("<a x='1' xmlns='urn:a'><b/>text</a>"))


@pytest.mark.parametrize("pattern", [
    "<a xmlns='urn:a'><b/>text</a>", "<a x='1' xmlns='urn:b'><b/>text</a>",
    "<a x='2*' xmlns='urn:a'><b/>text</a>", "<a x='1' y='*' xmlns='urn:a'><b/>text</a>",
    "<a x='1' xmlns='urn:a'><b/></a>", "<a x='1' xmlns='urn:a'>text<b/></a>",
    "<a x='1' xmlns='urn:a'><c/>text</a>", "<a x='1' xmlns='urn:a'><b z='1'/>text</a>",
    "<a ...>...<b/></a>", "<b ...>...</b>", "</stream:stream>", HEADER])
def test_a_pattern_does_not_match(pattern):
    with pytest.raises(AssertionError):
        expect(pattern, parse_fragment("<a x='1' xmlns='urn:a'><b/>text</a>"))


def test_headers_and_the_end_of_a_stream_are_told_apart():
    (header,) = StreamParser(1000).feed(HEADER.encode())
    expect("<stream:stream from='localhost' id='*' xmlns='jabber:client'>", header)
    expect("</stream:stream>", CLOSE)
    for pattern in ("<stream:stream from='other' id='*'>", "<stream:stream id='*'>",
                    "<stream:stream from='localhost' id='*' xmlns='jabber:server'>"):
        with pytest.raises(AssertionError):
            expect(pattern, header)


def test_lines_go_on_when_indented_and_have_the_number_of_their_connection():
    script = parse("# comment\noption a: [1]\nuser juliet secret\nC: <a\n   b='c'/>\n"
                   "S2: <d/>\n2-> close\n<- closed\n")
    assert script.options == {"a": [1]} and script.users == [["juliet", "secret"]]
    assert [(step.kind, step.talk, step.text) for step in script.steps] == [
        ("C", 1, "<a b='c'/>"), ("S", 2, "<d/>"), ("->", 2, "close"), ("<-", 1, "closed")]


def test_a_line_that_is_none_is_named():
    with pytest.raises(ValueError, match="line 2"):
        parse("C: <a/>\nserver says hello\n")


def test_base64_is_made_of_what_is_meant():
    assert spoken(r"<a>{base64 \0juliet\0secret}</a>ä") == "<a>AGp1bGlldABzZWNyZXQ=</a>ä".encode()
