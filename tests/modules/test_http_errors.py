"""mod_http_errors: pages for errors and messages."""

from __future__ import annotations

from html import unescape

import pytest

from prosody_py.events.bus import Event
from prosody_py.testing.web import WebClient

pytestmark = pytest.mark.twins("http_errors")
APP = '''
"""Fails in several ways."""
from prosody_py.api.http import StatusError
DEPENDS = ("http",)


def fail(event):
    raise RuntimeError("the inside")


def teapot(event):
    raise StatusError(418, "<b>hot</b>")


def load(module):
    module.provides("http", {"name": "t", "route": {
        "GET /fail": fail, "GET /teapot": teapot, "GET /403": 403}})
'''


@pytest.fixture
def start_web(start_server, tmp_path):
    (tmp_path / "mod_t.py").write_text(APP)
    clients = []

    def start(**options):
        running = start_server(["t"], plugin_paths=[str(tmp_path)], http_ports=[0],
                               https_ports=[], **options)
        clients.append(WebClient(running.address("http")))
        clients[-1].server = running.server
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def test_an_error_has_a_page_with_its_name_and_text(start_web):
    client = start_web()
    page = client.get("/t/teapot")
    assert page.status == 418 and "<title>418 I'm a teapot</title>" in unescape(page.text)
    assert "&lt;b&gt;hot&lt;/b&gt;" in page.text and "<b>hot" not in page.text
    assert "<title>404 Not Found</title>" in client.get("/absent").text


@pytest.mark.ours_alone("Debian's takes lists of texts")
def test_the_operator_may_say_it_differently(start_web):
    client = start_web(http_errors_messages={403: "Go away."},
                       http_errors_default_message="Hm & hm.")
    assert "Go away." in client.get("/t/403").text
    assert "Hm &amp; hm." in client.get("/t/teapot").text


@pytest.mark.parametrize("detailed", [False, True])
def test_what_went_wrong_inside_is_shown_to_developers_only(start_web, detailed):
    page = start_web(http_errors_detailed=detailed).get("/t/fail")
    assert page.status == 500 and ("the inside" in page.text) is detailed


@pytest.mark.ours_alone("Debian's has pages for common codes in any case")
def test_programs_may_get_plain_text(start_web):
    client = start_web(http_errors_always_show=False)
    plain = client.get("/absent", accept="application/json")
    assert (plain.status, plain.text) == (404, "404 Not Found\n")
    for accepted in ("text/html,*/*;q=0.1", "*/*"):
        assert "<h1>" in client.get("/absent", accept=accepted).text


def test_the_root_of_a_server_without_pages_says_that_it_works(start_web):
    page = start_web().get("/")
    assert page.status == 200 and "<h1>" in page.text


def test_a_module_may_make_its_own_page(start_web):
    client = start_web()
    client.server.http.events.add_handler(
        "http-error", lambda event: "own page" if event.code == 403 else None, 2)
    assert client.get("/t/403").text == "own page" and "<h1>" in client.get("/absent").text


def test_a_broken_page_is_plain_text(start_web):
    client = start_web()
    client.server.http.events.add_handler("http-error", lambda event: 1 / 0, 10)
    assert "404 Not Found</h1>" in client.get("/absent").text


@pytest.mark.parametrize("place", ["server", pytest.param(
    "host", marks=pytest.mark.ours_alone("Debian's hears global modules alone"))])
def test_messages_have_pages_on_hosts_and_on_the_server(start_web, place):
    server = start_web().server
    for events in [server.events if place == "server" else server.hosts["localhost"].events]:
        response = Event(headers={})
        page = events.fire_event("http-message", Event(
            response=response, title="A <title>", message="It & that", warning="Mind it"))
        assert "A &lt;title&gt;</h1>" in page and "It &amp; that" in page
        assert "Mind it" in page and response.headers["content_type"].startswith("text/html")
