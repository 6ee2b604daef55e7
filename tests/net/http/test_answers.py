"""What handlers give, and what becomes of it on the wire."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import wait_until


@pytest.mark.parametrize(("path", "status", "body"), [
    ("/t/text", 200, b"hello"), ("/t/nothing", 204, b""), ("/t/number", 451, None),
    ("/t/none", 404, None), ("/t/object", 500, None), ("/t/fail", 500, None),
    ("/t/teapot", 418, None), ("/t/table", 201, b"made"), ("/t/many?3", 200, b"x" * 3 * 65536),
    ("/t/big", 200, b"y" * 3_000_000)])
def test_each_kind_of_result_is_an_answer_and_the_connection_lives(web, path, status, body):
    client = web.client()
    answer = client.get(path)
    assert answer.status == status
    if body is None:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f"{status} " in answer.text
    else:
        assert answer.body == body
    assert client.get("/t/text").text == "hello"


def test_a_list_of_values_becomes_several_headers(web):
    assert web.client().get("/t/table").headers["x-a"] == "1,2"


def test_what_an_error_says_is_shown_as_text_and_what_is_internal_is_not(web):
    client = web.client()
    assert "short &amp; stout" in client.get("/t/teapot").text
    page = client.get("/t/fail").text
    assert "out of order" not in page and "Traceback" not in page


def test_nobody_can_put_headers_into_an_answer(web):
    client = web.client()
    assert client.get("/t/header", x_value="fine").headers["x-evil"] == "fine"
    client.ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    response = web.noted.waiting[0]
    response.headers["x_evil"] = "a\r\nset-cookie: b"
    response.send("body")
    answer = client.answer()
    assert (answer.status, answer.body) == (500, b"") and "set-cookie" not in answer.headers
    assert client.rest() == b""


def test_an_error_in_the_middle_ends_the_connection(web):
    data = web.client().ask("GET", "/t/broken").rest()
    assert b"first" in data and not data.endswith(b"0\r\n\r\n")


def test_an_answer_that_nobody_waits_for_is_told_so(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    response = web.noted.waiting[0]
    client.close()
    wait_until(lambda: web.noted.ended == [response])
    assert response.finished and response.send("too late") is None
    assert web.noted.ended == [response]


def test_an_answer_is_sent_once(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    response = web.noted.waiting[0]
    assert response.send("one") is True and response.send("two") is None
    assert response.done() is None and response.write_body("three") is False
    assert client.answer().text == "one" and client.get("/t/text").text == "hello"


def test_a_body_may_be_written_in_parts(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    response = web.noted.waiting[0]
    response.status_code, response.headers["content_type"] = 202, "text/x"
    assert response.write_body("one ") and response.write_body(b"two")
    response.done()
    answer = client.answer()
    assert (answer.status, answer.text, answer.headers["content-type"]) == (202, "one two",
                                                                           "text/x")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert client.get("/t/text").text == "hello"


def test_a_writer_waits_for_a_slow_reader(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    response, written = web.noted.waiting[0], []

    def write():
        for _ in range(200):
            if not response.write_body(b"z" * 65536):
                return
            written.append(1)
        response.done()

    writer = gevent.spawn(write)
    gevent.sleep(0.1)
    assert len(written) < 150, "nobody has read yet"
    assert client.answer().body == b"z" * 65536 * 200
    writer.join(5)
    assert writer.successful()


def test_a_writer_goes_on_when_its_reader_is_gone(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    response, results = web.noted.waiting[0], []
    writer = gevent.spawn(lambda: results.extend(
        response.write_body(b"z" * 65536) for _ in range(500)))
    gevent.sleep(0.05)
    client.close()
    writer.join(5)
    assert len(results) == 500 and results[-1] is False and response.finished


def test_persistent_set_to_false_ends_the_connection(web):
    client = web.client().ask("GET", "/t/later")
    wait_until(lambda: web.noted.waiting)
    web.noted.waiting[0].persistent = False
    web.noted.waiting[0].send("bye")
    answer = client.answer()
    assert (answer.text, answer.headers["connection"]) == ("bye", "close")
    assert client.rest() == b""


def test_a_body_larger_than_memory_goes_to_a_sink(web):
    web.limit(content=10_000)
    client = web.client()
    small = client.request("PUT", "/up/", body=b"a" * 10_000)
    assert (small.status, small.text) == (200, "-10000")
    large = client.request("PUT", "/up/", body=b"a" * 500_000)
    assert (large.status, large.text) == (200, "500000")
    assert client.request("PUT", "/up/", {"Expect": "100-continue"}, b"a" * 20_000).text == "20000"
    refused = client.request("PUT", "/up/", {"X-Refuse": "1", "Content-Length": "20000"})
    assert (refused.status, refused.headers["connection"]) == (403, "close")
    assert client.rest() == b""


def test_a_body_larger_than_memory_is_refused_before_it_comes(web):
    web.limit(content=10_000)
    client = web.client().ask("POST", "/t/echo", {"Content-Length": "10001",
                                                  "Expect": "100-continue"})
    assert client.answer().status == 413 and client.rest() == b"" and not web.noted.seen


UPGRADE = '''
"""A module that takes a connection over."""
from prosody_py.api.http import StatusError
DEPENDS = ("http",)
ended = []


class Echo:
    def onconnect(self, conn):
        conn.write(b"welcome ")

    def onincoming(self, conn, data):
        conn.write(data.upper())

    def ondisconnect(self, conn, reason):
        ended.append(conn)

    def onreadtimeout(self, conn):
        return True


def upgrade(event):
    if "upgrade" not in event.request.headers:
        raise StatusError(426)
    event.response.headers["upgrade"] = "echo"
    event.response.upgrade(Echo())
    return True


def load(module):
    module.provides("http", {"route": {"GET": upgrade}})
'''


@pytest.mark.parametrize("tls", [False, True])
def test_a_module_takes_a_connection_over(start_web, tls):
    web = start_web(UPGRADE, "echo")
    client = web.client(tls)
    assert client.get("/echo").status == 426
    client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                "Upgrade: echo\r\n\r\nearly ")
    data = b""
    while not data.endswith(b"EARLY "):
        data += client.sock.recv(1000)
    head, _end, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Connection: Upgrade" in head and b"Upgrade: echo" in head
    assert rest == b"welcome EARLY " and not web.server.sessions
    client.send(b"late")
    assert client.sock.recv(100) == b"LATE"
    client.close()
    wait_until(lambda: len(web.noted.ended) == 1)


def test_the_server_says_good_bye(start_web):
    web = start_web()
    idle, busy = web.client(), web.client().ask("GET", "/t/later")
    assert idle.get("/t/text").status == 200
    wait_until(lambda: web.noted.waiting)
    web.server._say_goodbye(None)
    assert idle.rest() == b""
    web.noted.waiting[0].send("the last")
    answer = busy.answer()
    assert (answer.text, answer.headers["connection"]) == ("the last", "close")
    assert busy.rest() == b""
