"""Dates and times of XEP-0082, and the stamp of a delayed stanza."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_py.xmpp.datetime import delay, format_datetime, parse_datetime


@pytest.mark.parametrize("text, when", [
    ("1969-07-21T02:56:15Z", -14159025), ("1969-07-20T21:56:15-05:00", -14159025),
    ("2002-09-10T23:08:25Z", 1031699305), ("20020910T23:08:25", 1031699305),
    ("2002-09-10T23:08:25.5Z", 1031699305.5),
])
def test_examples_of_the_specification(text, when):
    assert parse_datetime(text) == when


@pytest.mark.parametrize("text", [None, "", "2002-09-10", "2002-13-10T23:08:25Z", "now",
                                  "2002-09-10T25:08:25Z", "2002-09-10T23:08:25Zulu",
                                  "\uff12002-09-10T23:08:25Z"])
def test_what_is_no_date_with_time(text):
    assert parse_datetime(text) is None


@given(st.integers(-62_000_000_000_000_000, 250_000_000_000_000_000))
def test_what_is_written_is_read(microseconds):
    when = microseconds / 1_000_000
    assert abs(parse_datetime(format_datetime(when)) - when) < 1e-4


def test_delay_says_when_and_who():
    assert str(delay(1031699305, "a.example")) == (
        "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z' from='a.example'/>")
