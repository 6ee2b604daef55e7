"""Fixtures for the Lua border: both runtimes, always with the guard."""

from __future__ import annotations

from functools import partial

import pytest
import yaml

from prosody_py import lua
from prosody_py.config.load import load
from prosody_py.hosts.server import Server
from prosody_py.loader.lifecycle import Modules
from prosody_py.lua.runtime import KINDS, Runtime
from prosody_py.router.deliver import post_stanza
from prosody_py.router.inbound import process_stanza
from prosody_py.router.unanswered import handler_failed
from prosody_py.sessions.session import Session
from prosody_py.storage.open import Storage

HOST = "example.com"


class Wire:
    """Keeps what is written; a socket would add nothing to what these tests ask."""

    def __init__(self):
        self.written = []

    def ip(self):
        return "192.0.2.1"

    def write(self, data):
        self.written.append(data)
        return True

    def close(self, reason=None):
        self.written.append(None)

    @property
    def text(self):
        return b"".join(data or b"" for data in self.written).decode()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


class Place:
    """A server without network, with one host, and modules from texts."""

    def __init__(self, folder, kind, **options):
        self.folder = folder
        settings = {"storage": "memory", "lua_runtime": kind, "data_path": str(folder / "data"),
                    "hosts": {HOST: {}, "example.org": {}}, "lua_time_limit": "1 second",
                    **options}
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
        self.server = server = Server(load(str(folder / "config.yaml")),
                                      {"data": str(folder / "data"), "config": str(folder)},
                                      handler_failed)
        server.process_stanza = partial(process_stanza, server)
        server.post_stanza = partial(post_stanza, server)
        Storage(server)
        self.modules = Modules(server, [str(folder)])
        lua.install(server)
        self.host = server.activate(HOST)
        self.other_host = server.activate("example.org")

    @property
    def border(self) -> Runtime:
        return lua.runtime_of(self.server)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def load(self, name, text=None, host=HOST):
        if text is not None:
            self.write(f"mod_{name}.lua", text)
        return self.modules.load(host, name)

    def reload(self, name, text=None, host=HOST):
        if text is not None:
            self.write(f"mod_{name}.lua", text)
        return self.modules.reload(host, name)

    def session(self, user="alice", resource="phone"):
        session = Session(Wire(), self.server, "c2s")
        session.host, session.host_object, session.username = HOST, self.host, user
        session.resource, session.bare_jid = resource, f"{user}@{HOST}"
        session.full_jid = f"{user}@{HOST}/{resource}"
        return session

    def run(self, source, *args):
        """Run Lua code as a function of `...`; return its result as Python sees it."""
        border = self.border
        chunk = border.compile(source.encode(), "test.lua", border.lua.globals())
        result = border.driver.call(chunk, *map(border.to_lua, args))
        if type(result) is tuple:
            return tuple(map(border.to_python, result))
        return border.to_python(result)


@pytest.fixture
def place(tmp_path, kind):
    made = Place(tmp_path, kind)
    yield made
    lua.close(made.server)


@pytest.fixture
def make_place(tmp_path, kind):
    made = []

    def make(**options):
        made.append(Place(tmp_path, kind, **options))
        return made[-1]

    yield make
    for one in made:
        lua.close(one.server)


@pytest.fixture
def start_lua(kind, start_server, tmp_path):
    """Return a function that starts a whole server with Lua modules from texts.

    `write(name, text)` of what it returns writes the file of a further module.
    """
    def start(modules=(), **texts):
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)

        def write(name, text):
            (folder / f"mod_{name}.lua").write_text(text)

        for name, text in texts.items():
            write(name, text)
        running = start_server([*texts, *modules], plugin_paths=[str(folder)], lua_runtime=kind)
        running.write = write
        return running

    return start
