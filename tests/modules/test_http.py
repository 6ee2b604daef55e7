"""mod_http: where apps are served, for which hosts and origins, and what survives a reload."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.web import WebClient

APP = '''
"""An app for tests."""
DEPENDS = ("http",)


def load(module):
    module.provides("http", {"default_path": "/app-path/", "cors": {"credentials": True}, "route": {
        "GET": "root", "GET /*": lambda event, rest: f"rest {rest} of {module.host}",
        "GET /dir/": lambda event: f"dir {event.request.ip} {event.request.secure}",
        "POST /x": lambda event: event.request.body, "OPTIONS /own": "own options",
        "HEAD /own": lambda event: event.response.headers.update(x_own="1") or b""}})
    module.provides("http", {"name": "closed", "cors": {"enabled": False}, "route": {
        "GET": "closed"}})
    module.provides("http", {"name": "slashed", "route": {"GET /": "slash"}})
'''
GLOBAL_APP = '''
"""An app of the whole server."""
GLOBAL = True


def load(module):
    module.depends("http")
    module.provides("http", {"name": "all", "route": {"GET": "for all hosts"}})
'''


@pytest.fixture
def start_app(start_server, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mod_app.py").write_text(APP)
    (folder / "mod_http_all.py").write_text(GLOBAL_APP)
    clients = []

    def start(*modules, **options):
        running = start_server(["app", *modules], plugin_paths=[str(folder)],
                               **{"http_ports": [0], "https_ports": [], **options})
        running.folder_of_app = folder

        def web(host="localhost"):
            clients.append(WebClient(running.address("http"), host))
            return clients[-1]

        running.web = web
        return running

    yield start
    for client in clients:
        client.close()


def app_of(running, host="localhost"):
    return running.server.modules.get_module(host, "app")


def test_ports_are_private_unless_told_otherwise(start_app):
    running = start_app(interfaces=["127.0.0.1", "127.0.0.2"], local_interfaces=["127.0.0.3"],
                        https_ports=[0])
    opened = {(port.service, port.interface) for port in running.server.ports.open.values()}
    assert {one for one in opened if one[0].startswith("http")} == {
        ("http", "127.0.0.3"), ("https", "127.0.0.1"), ("https", "127.0.0.2")}
    service = running.server.ports.services
    assert (service["http"]["default_port"], service["https"]["default_port"]) == (5280, 5281)


@pytest.mark.parametrize(("path", "answer"), [
    ("/app-path", "root"), ("/app-path/", "rest  of localhost"),
    ("/app-path/a/b?c", "rest a/b of localhost"), ("/app-path/dir/", "dir 127.0.0.1 False"),
    ("/slashed/", "slash"), ("/closed", "closed")])
def test_an_app_is_served_at_its_path(start_app, path, answer):
    assert start_app().web().get(path).text == answer


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/", 200), ("GET", "/absent", 404), ("GET", "/app-pathx", 404),
    ("POST", "/closed", 404), ("BREW", "/app-path", 404), ("GET", "/closed/", 404)])
def test_what_nobody_serves_is_not_found(start_app, method, path, status):
    assert start_app().web().request(method, path).status == status


def test_a_missing_slash_is_put_there(start_app):
    client = start_app().web()
    assert client.get("/slashed?a=b").headers["location"] == "/slashed/?a=b"
    assert client.get("/slashed").status == 301
    assert client.request("POST", "/slashed").status == 404


def test_a_handler_for_head_goes_before_that_for_get(start_app):
    answer = start_app().web().request("HEAD", "/app-path/own")
    assert (answer.status, answer.headers["x-own"], answer.body) == (200, "1", b"")


def test_hosts_have_names_paths_and_apps_of_their_own(start_app):
    running = start_app("http_all", hosts={"localhost": {}, "other.example": {
        "http_host": "Web.Example", "http_paths": {"app": "/on/$host", "closed": "/"}}})
    other = running.web("web.example:8080")
    assert other.get("/on/other.example").text == "root"
    assert other.get("/on/other.example/x").text == "rest x of other.example"
    assert other.get("/").text == "closed"
    assert other.get("/app-path").status == running.web().get("/on/other.example").status == 404
    assert other.get("/all").text == running.web().get("/all").text == "for all hosts"
    unknown = running.web("other.example")
    assert unknown.get("/all").text == "for all hosts"
    answer = unknown.get("/closed")
    assert answer.status == 404 and "Unknown host: other.example" in answer.text


def test_unknown_names_may_have_a_host(start_app):
    running = start_app(http_default_host="localhost")
    assert running.web("unknown.example").get("/app-path").text == "root"
    client = running.web().send("GET /app-path HTTP/1.0\r\n\r\n")
    assert client.answer().text == "root"
    running = start_app(hosts={"localhost": {"http_host": "web.example"}},
                        http_default_host="localhost")
    assert running.web("unknown.example").get("/app-path").text == "root"


@pytest.mark.parametrize(("options", "urls"), [
    ({"http_ports": [5999]}, ["http://localhost:5999/app", "http://localhost:5999/d",
                              "http://localhost:5999/x"]),
    ({"http_ports": [80]}, ["http://localhost/app", "http://localhost/d", "http://localhost/x"]),
    ({"http_ports": [5999], "https_ports": [443]},
     ["https://localhost/app", "https://localhost/d", "https://localhost/x"]),
    ({"http_ports": []}, ["http://disabled.invalid/"] * 3),
    ({"http_host": "web.example", "http_ports": [5999]},
     ["http://web.example:5999/app", "http://web.example:5999/d", "http://web.example:5999/x"]),
    ({"http_external_url": "https://e.example/base/", "http_paths": {"x": "/y/$host/"}},
     ["https://e.example/base/app", "https://e.example/base/d",
      "https://e.example/base/y/localhost"])])
def test_the_url_of_an_app(start_server, tmp_path, options, urls):
    # Without ports of the system's choice: these are not opened, as nothing is started on them.
    (tmp_path / "mod_app.py").write_text('"""Nothing."""\nDEPENDS = ("http",)\n')
    running = start_server([], plugin_paths=[str(tmp_path)], local_interfaces=["127.0.0.99"],
                           **{"https_ports": [], **options})
    running.server.ports.close()
    running.server.modules.load("localhost", "app")
    module = app_of(running)
    assert [module.http_url(), module.http_url("n", "/d/"), module.http_url("x", "x")] == urls


def test_the_internal_url_is_the_server_s_own(start_app):
    running = start_app(http_external_url="https://e.example")
    port = running.address("http")[1]
    assert app_of(running).http_url("app", "/a", "internal") == f"http://localhost:{port}/a"


def test_pages_of_other_origins_are_told_what_they_may(start_app):
    client = start_app().web()
    headers = client.get("/app-path", origin="https://page.example").headers
    assert headers["access-control-allow-origin"] == "https://page.example"
    assert headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, POST"
    assert headers["access-control-allow-headers"] == "Content-Type"
    assert headers["access-control-allow-credentials"] == "true"
    assert (headers["access-control-max-age"], headers["vary"]) == ("7200", "Origin")
    assert client.get("/app-path").headers["access-control-allow-origin"] == "*"
    asked = client.request("OPTIONS", "/app-path/x", {"Origin": "https://page.example"})
    assert (asked.status, asked.body) == (200, b"")
    assert asked.headers["access-control-allow-origin"] == "https://page.example"
    assert client.request("OPTIONS", "/app-path/own").text == "own options"
    assert "access-control-allow-origin" not in client.get("/closed").headers
    assert client.request("OPTIONS", "/closed").status == 404


def test_the_operator_has_the_last_word_on_origins(start_app):
    client = start_app(
        access_control_allow_origins=["https://a.example"], access_control_max_age="1 minute",
        access_control_allow_headers=["X-A"], http_default_cors_enabled=False,
        http_cors_override={"closed": {"enabled": True, "methods": ["PATCH"]},
                            "app": {"enabled": False}}).web()
    headers = client.get("/closed", origin="https://a.example").headers
    assert headers["access-control-allow-methods"] == "GET, OPTIONS, PATCH"
    assert headers["access-control-allow-headers"] == "X-A"
    assert headers["access-control-max-age"] == "60"
    assert "access-control-allow-credentials" not in headers
    for path, origin in (("/closed", "https://b.example"), ("/app-path", "https://a.example"),
                         ("/slashed/", "https://a.example")):
        assert "access-control-allow-origin" not in client.get(path, origin=origin).headers


def test_only_trusted_proxies_are_believed(start_app):
    told = {"x_forwarded_for": "192.0.2.7", "x_forwarded_proto": "https"}
    assert start_app().web().get("/app-path/dir/", **told).text == "dir 192.0.2.7 True"
    running = start_app(trusted_proxies=["10.0.0.0/8"])
    assert running.web().get("/app-path/dir/", **told).text == "dir 127.0.0.1 False"


def test_a_reload_of_the_app_is_seen_by_the_next_request(start_app):
    running = start_app()
    client = running.web()
    assert client.get("/app-path").text == "root"
    file = running.folder_of_app / "mod_app.py"
    file.write_text(APP.replace('"root"', '"fresh root"'))
    running.server.modules.reload("localhost", "app")
    assert client.get("/app-path").text == "fresh root"
    running.server.modules.unload("localhost", "app")
    assert client.get("/app-path").status == 404
    assert not any("/app-path" in name for name in running.server.http.events.index)


@pytest.mark.parametrize("name", ["app", "http", "http_errors"])
def test_no_request_is_lost_in_reloads(start_app, name):
    running = start_app()
    found, stop = [], []

    def ask():
        client = running.web()
        while not stop:
            found.append(client.get("/app-path/x").status)

    askers = [gevent.spawn(ask) for _ in range(3)]
    host = "localhost" if name == "app" else "*"
    for _ in range(5):
        enough = len(found) + 5
        wait_until(lambda enough=enough: len(found) > enough)
        running.server.modules.reload(host, name)
    stop.append(True)
    gevent.joinall(askers, timeout=10, raise_error=True)
    assert set(found) == {200} and running.server.http.hosts == {"localhost": 1}


def test_a_host_that_is_gone_is_not_answered_for(start_app):
    running = start_app(hosts={"localhost": {}, "other.example": {}})
    assert running.web("other.example").get("/app-path").status == 200
    running.server.modules.unload("other.example", "http")
    answer = running.web("other.example").get("/app-path")
    assert answer.status == 404 and "Unknown host" in answer.text
    assert running.web().get("/app-path").status == 200


def test_what_is_no_address_of_a_proxy_is_told_before_anything_is_served(start_app, caplog):
    running = start_app(trusted_proxies=["127.0.0.1", "no address"])
    assert not running.server.modules.is_loaded("*", "http")
    assert "an address or a network" in caplog.text and "no address" in caplog.text
