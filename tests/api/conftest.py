"""A server with two hosts, and modules that tests write into a folder."""

import textwrap

import pytest

from prosody_py.testing.server import TestServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("plugins")


@pytest.fixture(scope="module")
def running(folder, tmp_path_factory):
    """The server; only its modules change."""
    running = TestServer(tmp_path_factory.mktemp("server"), plugin_paths=[str(folder)],
                         hosts={"localhost": {"colour": "green"},
                                "other.localhost": {"colour": "blue"}},
                         colour="grey", count=7, ratio="2.5", pause="5 minutes", many=["a", "b"],
                         one="a", yes="true", place="here.txt", nonsense={"a": 1}, extra=["c"])
    yield running
    running.stop()


@pytest.fixture
def server(running):
    return running.server


@pytest.fixture
def write(folder):
    """Return a function that writes mod_NAME.py."""

    def write(name, text=""):
        (folder / f"mod_{name}.py").write_text(
            f'"""Module {name}."""\nfrom prosody_py.api import *\n' + textwrap.dedent(text))

    return write


@pytest.fixture
def load(server, write):
    """Return a function that writes and loads a module; all are unloaded at the end."""
    loaded = []

    def load(name="probe", text="", host="localhost"):
        write(name, text)
        loaded.append((host, name))
        return server.modules.load(host, name)

    yield load
    for host, name in reversed(loaded):
        for scope in (host, "*"):
            if server.modules.is_loaded(scope, name):
                server.modules.unload(scope, name)


@pytest.fixture
def module(load):
    """An empty module in service on localhost."""
    return load()


@pytest.fixture
def client(running):
    """Return a function that logs clients in; all are closed at the end."""
    clients = []

    def login(name, resource="r"):
        clients.append(running.client(name, resource).available())
        return clients[-1]

    yield login
    for one in clients:
        one.close()
