"""The parts that need no connection: names of events, proxies in front, paths of files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.net.http.events import HttpEvents
from prosody_py.net.http.forwarding import Forwarding


@pytest.mark.parametrize(("name", "order"), [
    ("GET h/w/v", "c2 c b3 b a"), ("GET h/w/v/", "d b3 b a"), ("GET h/w/", "b3 b a"),
    ("GET h/w", "a"), ("GET h/w/v/z/y", "d b3 b a"), ("GET h/", "a"), ("GET /w/v", "l g"),
    ("GET /", "g"), ("POST h/w/v", ""), ("http-error", "e"), ("GET h/w/*", "b3 b a")])
def test_patterns_come_after_the_exact_name_and_the_longest_first(name, order):
    events, ran = HttpEvents(), []
    for event, priority, tag in (
            ("GET h/*", 5, "a"), ("GET h/w/*", 0, "b"), ("GET h/w/v", -1, "c"),
            ("GET h/w/v", 1, "c2"), ("GET h/w/v/*", 0, "d"), ("GET h/w/*", 3, "b3"),
            ("GET h/w*", 9, "no"), ("GET *", 9, "no"), ("GET /*", 0, "g"), ("GET /w/*", 0, "l"),
            ("http-error", 0, "e")):
        events.add_handler(event, lambda _data, tag=tag: ran.append(tag), priority)
    assert events.fire_event(name) is None
    assert " ".join(ran) == order
    ran.clear()
    events.add_wrapper(None, lambda fire, name, data: fire(name, data))
    events.fire_event(name)
    assert " ".join(ran) == order and len(events.get_handlers(name)) == len(ran)


def test_the_first_result_ends_the_chain():
    events = HttpEvents()
    events.add_handler("GET h/*", lambda _data: "pattern")
    events.add_handler("GET h/x", lambda _data: None)
    assert events.fire_event("GET h/x") == "pattern"
    events.add_handler("GET h/x", lambda _data: False)
    assert events.fire_event("GET h/x") is False


TRUSTED = Forwarding(["127.0.0.1", "10.0.0.0/8", "::1"])


@pytest.mark.parametrize(("ip", "headers", "expected"), [
    ("192.0.2.1", {"x_forwarded_for": "198.51.100.1", "x_forwarded_proto": "https"},
     ("192.0.2.1", False)),
    ("127.0.0.1", {}, ("127.0.0.1", False)),
    ("127.0.0.1", {"x_forwarded_for": "1.2.3.4, 5.6.7.8", "x_forwarded_proto": "https"},
     ("5.6.7.8", True)),
    ("127.0.0.1", {"x_forwarded_for": "9.9.9.9, 10.1.2.3, 127.0.0.1"}, ("9.9.9.9", False)),
    ("127.0.0.1", {"x_forwarded_for": "10.0.0.1"}, ("10.0.0.1", False)),
    ("127.0.0.1", {"x_forwarded_for": "1.2.3.4, unknown"}, ("127.0.0.1", False)),
    ("::ffff:127.0.0.1", {"x_forwarded_for": "2001:db8::1"}, ("2001:db8::1", False)),
    ("127.0.0.1", {"forwarded": 'for="[2001:db8::7]:4711";proto=https'}, ("2001:db8::7", True)),
    ("127.0.0.1", {"forwarded": "for=192.0.2.60;proto=https;by=10.0.0.2, for=10.0.0.2",
                   "x_forwarded_for": "6.6.6.6"}, ("192.0.2.60", True)),
    ("127.0.0.1", {"forwarded": "for=_hidden"}, ("127.0.0.1", False)),
    ("127.0.0.1", {"forwarded": "=broken", "x_forwarded_for": "6.6.6.6"}, ("127.0.0.1", False))])
def test_a_trusted_proxy_says_who_asks(ip, headers, expected):
    assert TRUSTED.resolve(ip, False, headers) == expected


def test_the_older_headers_can_be_switched_off():
    forwarding = Forwarding(["127.0.0.1"], legacy=False)
    assert forwarding.resolve("127.0.0.1", True, {"x_forwarded_for": "1.2.3.4"}) == (
        "127.0.0.1", True)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_a_proxy_sends_there_is_an_address(forwarded, addresses):
    headers = {"forwarded": forwarded, "x_forwarded_for": addresses}
    ip, secure = TRUSTED.resolve("127.0.0.1", False, headers)
    assert ip and secure in (True, False)
