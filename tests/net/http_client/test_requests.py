"""Requests and answers, what goes wrong with them, and redirects."""

from __future__ import annotations

import time

import gevent
import gevent.server
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.api.outgoing import HttpError
from prosody_py.net.http_client import url as urls
from prosody_py.testing.answering import ok


def test_an_answer_has_status_headers_and_body(web, client):
    server = web({"/a?b=c": ok(b"hello", b"X-Y: z\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n")})
    answer = client.request(server.url("/a?b=c#fragment"), headers={"X-Asked": "yes"})
    assert (answer.status, answer.body, answer.http_version) == (200, b"hello", "1.1")
    assert answer.header("X-Y") == "z" and answer.header("set-cookie") == "a=1,b=2"
    head = server.requests[0][0]
    assert head.startswith("GET /a?b=c HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}" in head and "X-Asked: yes" in head


def test_a_body_is_posted_with_its_length(web, client):
    server = web({"/": ok()})
    client.request(server.url("/"), body="größe", headers={"Content-Length": "3"})
    head, body = server.requests[0]
    assert head.startswith("POST ") and "Content-Length: 7" in head
    assert head.lower().count("content-length") == 1 and body.decode() == "größe"


@pytest.mark.parametrize(("raw", "body"), [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
     b"abcdefg"),
    (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"until the end"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" + ok(b"x"), b"x"),
], ids=["chunked", "until the end", "without", "after interim answers"])
def test_the_ways_in_which_a_body_ends(web, client, raw, body):
    assert client.request(web({"/": raw}).url("/")).body == body


def test_head_has_no_body(web, client):
    server = web({"/": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"})
    answer = client.request(server.url("/"), method="HEAD")
    assert answer.body == b"" and answer.header("content-length") == "7"


def test_text_and_json_of_an_answer(web, client):
    server = web({"/": ok(b'{"a": "\xe4"}', b"Content-Type: text/plain; charset=latin-1\r\n"),
                  "/json": ok(b'{"a": [1]}')})
    assert client.request(server.url("/")).text() == '{"a": "ä"}'
    assert client.request(server.url("/json")).json() == {"a": [1]}


def test_credentials_in_the_url_become_a_header(web, client):
    server = web({"/": ok()})
    client.request(f"http://user:p%40ss@127.0.0.1:{server.port}/")
    assert "Authorization: Basic dXNlcjpwQHNz" in server.requests[0][0]


def test_data_is_handed_on_piece_by_piece(web, client):
    def slowly(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"abc", b"def"):
            sock.sendall(b"3\r\n%s\r\n" % piece)
            gevent.sleep(0.01)
        sock.sendall(b"0\r\n\r\n")

    server, pieces, heads = web({"/": slowly}), [], []
    answer = client.request(server.url("/"), on_data=pieces.append)
    assert (pieces, answer.body) == ([b"abc", b"def"], b"")
    pieces.clear()
    client.request(server.url("/"), on_head=lambda head: heads.append(head) or pieces.append)
    assert pieces == [b"abc", b"def"] and heads[0].status == 200


# -- what goes wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(("raw", "code"), [
    (b"", "closed"),
    (b"SSH-2.0-x\r\n\r\n", "invalid-status-line"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello", "unexpected-eof"),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
     "unexpected-eof"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "content-length-limit-exceeded"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100000, "response-headers-too-large"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "invalid-response"),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "invalid-response"),
])
def test_what_is_wrong_with_an_answer_has_a_name(web, client, raw, code, failure):
    def send(sock):
        sock.sendall(raw)
        gevent.sleep(0.01)

    assert failure(client, web({"/": send}).url("/")) == code


def test_an_endless_body_ends_at_the_limit(web, client, failure):
    def endless(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(b"x" * 65536)

    assert failure(client, web({"/": endless}).url("/"),
                   max_body=200_000) == "content-length-limit-exceeded"


@pytest.mark.parametrize("url", ["", "nonsense", "/path", "ftp://example.com/", "http://",
                                 "http://exa mple/", "http://example.com:0/",
                                 "http://example.com:99999/", "http://a/\r\nX: y", "http://[::1/"])
def test_a_url_that_is_none_is_refused(client, url, failure):
    assert failure(client, url) == "invalid-url"


def test_headers_cannot_break_out(web, client, failure):
    server = web({"/": ok()})
    for headers in ({"X": "a\r\nY: b"}, {"X\r\nY": "b"}, {"Transfer-Encoding": "chunked"}):
        assert failure(client, server.url("/"), headers=headers) == "invalid-header"
    assert failure(client, server.url("/"), method="GET / HTTP/1.1\r\n") == "invalid-method"
    assert server.requests == []


def test_refused_unresolved_and_silent_servers(web, client, failure):
    def silent(_sock):
        gevent.sleep(5)

    server = web({"/": silent})
    closed = web({})
    closed.stop()
    assert failure(client, closed.url("/")) == "connection refused"
    assert failure(client, "http://nobody.invalid/") == "unable to resolve service"
    begin = time.monotonic()
    assert failure(client, server.url("/"), silence=0.05) == "read timeout"
    assert failure(client, server.url("/"), timeout=0.05) == "timeout"
    assert time.monotonic() - begin < 2


def test_a_trickle_ends_with_the_time_for_everything(web, client, failure):
    def trickle(sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            sock.sendall(b"x")
            gevent.sleep(0.01)

    assert failure(client, web({"/": trickle}).url("/"), silence=1, timeout=0.1) == "timeout"


def test_an_early_answer_counts_although_not_all_was_sent(web, client):
    def refuse(sock):
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")

    server = web({})
    server.stop()
    early = gevent.server.StreamServer(("127.0.0.1", 0), lambda sock, _address: (
        sock.recv(1000), refuse(sock), gevent.sleep(0.2), sock.close()))
    early.start()
    answer = client.request(f"http://127.0.0.1:{early.server_port}/", body=b"x" * 3_000_000)
    early.stop(timeout=0)
    assert answer.status == 413


# -- redirects -----------------------------------------------------------------------------


def test_redirects_are_followed_only_when_asked(web, client):
    server = web({"/": b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
                  "/there": ok()})
    assert client.request(server.url("/")).status == 302
    answer = client.request(server.url("/"), body="a=b", redirects=3)
    assert (answer.status, answer.url) == (200, server.url("/there"))
    assert server.requests[-1][0].startswith("GET /there") and server.requests[-1][1] == b""


def test_a_redirect_to_another_server_gets_no_secrets(web, client):
    other = web({"/": ok()})
    location = other.url("/").encode()
    server = web({"/": b"HTTP/1.1 307 T\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location})
    client.request(server.url("/"), method="POST", body="x", redirects=1,
                   headers={"Authorization": "secret", "X-Kept": "yes"})
    head, body = other.requests[0]
    assert "secret" not in head and "X-Kept: yes" in head and body == b"x"
    assert f"Host: 127.0.0.1:{other.port}" in head


def test_a_circle_of_redirects_ends(web, client):
    server = web({"/": b"HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"})
    assert client.request(server.url("/"), redirects=3).status == 302
    assert len(server.requests) == 4


def test_no_redirect_leads_from_tls_to_plain_text():
    with pytest.raises(HttpError, match="insecure-redirect"):
        urls.follow(urls.parse("https://a.example/"), "http://a.example/")


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_url_or_is_refused(text):
    for candidate in (text, "http://" + text, "http://a/" + text):
        try:
            parsed = urls.parse(candidate)
        except HttpError:
            continue
        assert parsed.target.isascii() and all(33 <= ord(char) < 127 for char in parsed.target)
