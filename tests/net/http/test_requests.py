"""Requests as they should be: bodies, keep-alive, pipelining, HEAD, older clients, TLS."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import wait_until


def test_one_connection_serves_many_requests(web):
    client = web.client()
    for number in range(5):
        answer = client.request("POST", "/t/echo", body=b"%d" % number)
        assert (answer.status, answer.body) == (200, b"POST /t/echo %d" % number)
        assert answer.headers["connection"] == "Keep-Alive" and answer.headers["date"]


def test_chunks_become_one_body(web):
    client = web.client().ask("POST", "/t/echo", {"Transfer-Encoding": "chunked"},
                              b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n")
    assert client.answer().body == b"POST /t/echo abcde"
    assert client.get("/t/text").text == "hello"


def test_bodies_are_bytes_whatever_is_in_them(web):
    body = bytes(range(256)) * 300
    assert web.client().request("POST", "/t/echo", body=body).body == b"POST /t/echo " + body
    assert web.noted.seen[-1].body == body


def test_pipelined_requests_are_answered_in_order(web):
    client = web.client()
    client.send(b"".join(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in (
        b"/t/slow", b"/t/echo/1", b"/t/text", b"/t/echo/2")))
    assert [client.answer().text for _ in range(4)] == [
        "slow", "GET /t/echo/1 ", "hello", "GET /t/echo/2 "]


def test_a_request_waits_for_the_answer_to_its_predecessor(web):
    client = web.client().ask("GET", "/t/later").ask("GET", "/t/text")
    wait_until(lambda: web.noted.waiting)
    gevent.sleep(0.02)
    assert client.is_open()
    web.noted.waiting[0].send("at last")
    assert [client.answer().text, client.answer().text] == ["at last", "hello"]
    assert len(web.noted.ended) == 1


def test_a_request_in_single_bytes_is_a_request(web):
    client = web.client()
    for byte in b"PUT /t/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab":
        client.send(bytes([byte]))
        gevent.sleep(0)
    assert client.answer().body == b"PUT /t/echo ab"


def test_the_client_is_told_to_go_on(web):
    client = web.client().ask("POST", "/t/echo", {"Expect": "100-continue",
                                                  "Content-Length": "4"})
    wait_until(lambda: web.server.sessions)
    assert client.sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
    client.send(b"body")
    assert client.answer().body == b"POST /t/echo body"


def test_head_is_get_without_the_body(web):
    client = web.client()
    answer = client.request("HEAD", "/t/text")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5")
    assert client.request("HEAD", "/t/absent").status == 404
    assert client.request("HEAD", "/t/many").body == b""
    assert client.get("/t/text").text == "hello"


@pytest.mark.parametrize(("head", "body"), [
    ("GET /t/text HTTP/1.0\r\nHost: localhost\r\n\r\n", b"hello"),
    ("GET /t/many?1 HTTP/1.0\r\nHost: localhost\r\n\r\n", b"x" * 65536),
    ("GET /t/text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"hello")])
def test_who_asks_for_one_answer_gets_it_and_the_end(web, head, body):
    data = web.client().send(head).rest()
    assert data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"\r\n\r\n" + body)
    assert b"Transfer-Encoding" not in data and b"connection: close" in data.lower()


def test_the_path_is_decoded_and_the_url_is_as_it_was(web):
    client = web.client()
    for target, path, url, query in (
            ("/t/echo/%41%2fb//c?x=%20&y", "/t/echo/A/b/c", "/t/echo/%41%2fb//c", "x=%20&y"),
            ("http://localhost/t/echo?", "/t/echo", "/t/echo", ""),
            ("/t/echo/%ff%c3%a9", "/t/echo/\udcffé", "/t/echo/%ff%c3%a9", None)):
        assert client.get(target).status == 200
        request = web.noted.seen[-1]
        assert (request.path, request.url.path, request.url.query) == (path, url, query)


def test_headers_have_one_name_each(web):
    client = web.client().send("GET /t/echo HTTP/1.1\r\nHost: LocalHost:80\r\nX-One: a\r\n"
                               "x-one: b\r\nX_One: evil\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n")
    assert client.answer().status == 200
    assert web.noted.seen[-1].headers == {"host": "LocalHost:80", "x_one": "a,b",
                                          "cookie": "a=1; b=2"}
    assert web.noted.seen[-1].host == "localhost"


def test_tls_is_the_same_and_says_so(web):
    client = web.client(tls=True)
    assert client.sock.selected_alpn_protocol() == "http/1.1"
    assert client.request("POST", "/t/echo", body=b"a" * 100_000).body.endswith(b"a" * 100_000)
    assert client.get("/t/big").body == b"y" * 3_000_000
    assert web.noted.seen[-1].secure and web.noted.seen[-1].ip == "127.0.0.1"
