"""Requests as they should not be: each gets the right refusal, and the connection ends."""

from __future__ import annotations

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.testing.client import wait_until
from prosody_py.testing.web import WebClient

HOST = "Host: localhost\r\n"


@pytest.mark.parametrize(("request_", "code"), [
    ("garbage\r\n\r\n", 400),
    ("GET /\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),                                     # no Host
    (f"GET / HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (f"GET / HTTP/2.0\r\n{HOST}\r\n", 505),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    (f"GET t/text HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET * HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /t/text#x HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /t/%00text HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /t/%0d%0atext HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /t/text HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n", 400),
    (f"GET /t/text HTTP/1.1\r\n{HOST}X : a\r\n\r\n", 400),
    (f"GET /t/text HTTP/1.1\r\n{HOST} folded: a\r\n\r\n", 400),           # the host goes on
    (f"GET /t/text HTTP/1.1\r\n{HOST}X: {'a' * 20_000}\r\n\r\n", 431),
    (f"GET /{'a' * 20_000} HTTP/1.1\r\n{HOST}\r\n", 431),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Content-Length: x\r\n\r\n", 400),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n", 400),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Content-Length: 99999999\r\n\r\n", 413),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0\r\n\r\n", 400),
    (f"POST /t/echo HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip\r\n\r\n", 501),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
    (f"POST /t/echo HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
])
def test_malformed_requests_are_refused(web, request_, code):
    client = web.client().send(request_)
    answer = client.answer()
    assert answer.status == code
    assert answer.headers["connection"] == "close"
    assert client.rest() == b""
    assert web.client().get("/t/text").text == "hello"


def test_what_follows_a_refused_request_is_not_looked_at(web):
    client = web.client().send(f"GET /t/echo/1 HTTP/1.1\r\n{HOST}\r\nbad\r\n\r\n"
                               f"GET /t/echo/2 HTTP/1.1\r\n{HOST}\r\n")
    assert [client.answer().status, client.answer().status] == [200, 400]
    assert client.rest() == b"" and [one.path for one in web.noted.seen] == ["/t/echo/1"]


def test_chunks_without_end_are_refused(web):
    web.limit(content=10_000)
    client = web.client().ask("POST", "/t/echo", {"Transfer-Encoding": "chunked"})
    client.send(b"1000\r\n" + b"a" * 4096 + b"\r\n")
    gevent.sleep(0.01)
    client.send(b"2000\r\n" + b"a" * 8192 + b"\r\n")
    assert client.answer().status == 413 and client.rest() == b""


def test_a_head_that_does_not_end_is_refused_whatever_trickles_in(web):
    web.limit(head_time=0.3)
    client = web.client().send("GET /t/text HTTP/1.1\r\n")

    def send_slowly():
        for _ in range(100):
            client.send("X: y\r\n")
            gevent.sleep(0.05)

    trickle = gevent.spawn(send_slowly)
    with gevent.Timeout(2):
        assert client.answer().status == 408
    trickle.kill()
    assert client.rest() == b""


def test_a_connection_without_a_request_is_closed_in_silence(web):
    web.limit(head_time=0.1)
    assert b" 408 " in web.client().rest()
    web.limit(head_time=20, idle_time=0.1)
    client = web.client()
    assert client.get("/t/text").status == 200
    assert client.rest() == b""


def test_a_handshake_that_does_not_end_is_given_up(web):
    web.limit(head_time=0.1)
    client = WebClient(web.running.address("https"))
    assert client.rest() == b""
    client.close()


def test_a_body_that_does_not_come_is_refused(web):
    web.limit(body_time=0.1)
    client = web.client().ask("POST", "/t/echo", {"Content-Length": "10"})
    assert client.answer().status == 408 and client.rest() == b""


def test_an_answer_may_take_its_time(web):
    web.limit(head_time=0.05, idle_time=0.05, body_time=0.05)
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    gevent.sleep(0.15)
    web.noted.waiting[0].send("late")
    assert client.answer().text == "late"


def test_pipelined_requests_are_not_read_without_bound(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    sent = 0
    client.sock.settimeout(0.2)
    request = f"GET /t/echo/x HTTP/1.1\r\n{HOST}X: {'x' * 8000}\r\n\r\n".encode() * 20
    with pytest.raises(TimeoutError):
        while sent < 64_000_000:
            sent += client.sock.send(request)
    assert web.session()._waiting < 300_000
    web.noted.waiting[0].send("go on")
    client.sock.settimeout(20)
    assert [client.answer().text for _ in range(3)] == ["go on", "GET /t/echo/x ",
                                                        "GET /t/echo/x "]


def test_who_does_not_read_gets_no_second_answer(web):
    client = web.client()
    client.sock.send(f"GET /t/big HTTP/1.1\r\n{HOST}\r\n".encode() * 2
                     + f"GET /t/echo HTTP/1.1\r\n{HOST}\r\n".encode())
    session = web.session()
    wait_until(lambda: session.output.busy)
    gevent.sleep(0.05)
    assert session.conn.pending < 1_000_000 and not web.noted.seen
    assert client.answer().body == client.answer().body == b"y" * 3_000_000
    assert client.answer().text == "GET /t/echo "


def test_who_reads_nothing_is_dropped(web):
    web.limit(write_time=0.2)
    client = web.client().ask("GET", "/t/many?1000")
    wait_until(lambda: web.server.sessions)
    wait_until(lambda: not web.server.sessions, 5)
    client.close()


def test_one_address_has_no_more_connections_than_allowed(start_web):
    web = start_web(http_connections_per_address=2, trusted_proxies=[])
    first, second = web.client(), web.client()
    assert first.get("/t/text").status == second.get("/t/text").status == 200
    assert web.client().rest() == b""
    first.close()
    wait_until(lambda: len(web.server.sessions) == 1)
    assert web.client().get("/t/text").status == 200


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(
    st.sampled_from([b"GET", b" ", b"/t/text", b" HTTP/1.1", b"\r\n", b"Host: localhost", b":",
                     b"Content-Length: 3", b"Transfer-Encoding: chunked", b"\r\n\r\n", b"\0",
                     b"0\r\n\r\n"]), st.binary(max_size=6)), max_size=14))
def test_any_bytes_leave_the_server_alive(web, parts):
    client = web.client().send(b"".join(parts))
    gevent.sleep(0)
    client.close()
    web.clients.remove(client)
    assert web.client().get("/t/text").text == "hello"
    web.clients.pop().close()
