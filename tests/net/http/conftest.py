"""A server with one module that has routes, and web clients for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.web import WebClient

MODULE = '''
"""Routes for tests."""
import gevent
from prosody_py.api import Event
from prosody_py.api.http import StatusError

DEPENDS = ("http",)
seen, waiting, ended = [], [], []


class Sink:
    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data


def echo(event):
    request = event.request
    seen.append(request)
    return f"{request.method} {request.path} ".encode("utf-8", "replace") + (request.body or b"")


def later(event):
    waiting.append(event.response)
    event.response.on_destroy = lambda response: ended.append(response)
    return True


def upload(event):
    request = event.request
    if request.partial:
        if request.headers.get("x_refuse"):
            return 403
        request.body_sink = request.sink = Sink()
        return True
    return str(len(request.sink.data) if request.body is None else -len(request.body))


def many(event):
    return (b"x" * 65536 for _ in range(int(event.request.url.query or 4)))


def broken(event):
    yield b"first"
    raise RuntimeError("no more")


def fail(event):
    raise RuntimeError("out of order")


def teapot(event):
    raise StatusError(418, "short & stout")


def header(event):
    event.response.headers["x_evil"] = event.request.headers["x_value"]
    return "ok"


def slow(event):
    gevent.sleep(0.05)
    return "slow"


def load(module):
    module.provides("http", {"name": "t", "route": {
        "GET /echo/*": lambda event, rest: echo(event), "POST /echo": echo, "GET /echo": echo,
        "PUT /echo": echo,
        "GET /text": "hello", "GET /later": later, "GET /many": many,
        "GET /broken": broken, "GET /fail": fail, "GET /teapot": teapot, "GET /header": header,
        "GET /slow": slow, "GET /big": b"y" * 3_000_000, "GET /nothing": 204,
        "GET /table": {"status_code": 201, "headers": {"x-a": ["1", "2"]}, "body": "made"},
        "GET /none": lambda event: None, "GET /object": lambda event: object(),
        "GET /number": lambda event: 451,
    }})
    module.provides("http", {"name": "up", "streaming_uploads": True,
                             "route": {"PUT /": upload}})
'''


class Web:
    """A server and what its test module has noted."""

    def __init__(self, running, module="t"):
        self.running = running
        self.server = running.server.http
        self.clients = []
        self.noted = running.server.modules.get_module("localhost", module).exports

    def client(self, tls=False, **more):
        client = WebClient(self.running.address("https" if tls else "http"), tls=tls, **more)
        self.clients.append(client)
        return client

    def limit(self, **limits):
        self.server.limits = replace(self.server.limits, **limits)

    def session(self):
        wait_until(lambda: len(self.server.sessions) == 1)
        return self.server.sessions[0]


@pytest.fixture
def start_web(start_server, tmp_path):
    made = []

    def start(text=MODULE, name="t", modules=(), **options):
        folder = tmp_path / "plugins"
        folder.mkdir()
        (folder / f"mod_{name}.py").write_text(text)
        made.append(Web(start_server([*modules, name], plugin_paths=[str(folder)],
                                     **{"http_ports": [0], "https_ports": [0], **options}), name))
        return made[-1]

    yield start
    for web in made:
        for client in web.clients:
            client.close()
        wait_until(lambda web=web: not web.server.sessions)


@pytest.fixture
def web(start_web):
    return start_web()
