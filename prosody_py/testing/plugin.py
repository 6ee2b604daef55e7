"""A plugin for pytest: a server with the module that is tested, and clients that talk to it.

It is there in every pytest that has prosody-py installed, and costs nothing until a test asks for
one of the fixtures. What it needs is imported then.

    pytestmark = pytest.mark.prosody("hello")       # the module beside this file, in any language

    def test_it_greets(client):
        assert client.iq("get", "<greeting xmlns='urn:example:hello'/>", to="localhost").tags

    @pytest.mark.prosody(hello_greeting="Moin")     # options of the configuration
    def test_two_people(clients):
        alice, bob = clients("alice", "bob")
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

MARK = "prosody"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", f"{MARK}(*modules, **options): the modules and the options "
                            "of the server that the fixtures prosody, client and clients use; "
                            "those of a test are added to those of its class and file")


@pytest.fixture
def start_prosody(request: pytest.FixtureRequest, tmp_path) -> Iterator[Callable[..., Any]]:
    """Return a function `(*modules, **options)` that starts a server; all end with the test.

    Returns a prosody_py.testing.server.TestServer. Modules are found beside the test's file, and
    in the folder above. One that cannot be loaded fails the test.
    """
    beside = importlib.import_module("prosody_py.testing.beside")
    servers: list[Any] = []

    def start(*modules: str, **options: Any) -> Any:
        folder = tmp_path / f"prosody{len(servers)}"
        folder.mkdir()
        servers.append(beside.server(folder, request.path.parent, modules, options))
        problem = beside.problem_of(servers[-1], modules)
        if problem:
            pytest.fail(problem, pytrace=False)
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def prosody(request: pytest.FixtureRequest, start_prosody: Callable[..., Any]) -> Any:
    """A running server on loopback, in memory, with what the marks `prosody` say."""
    modules: list[str] = []
    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(MARK))):  # the nearest one goes last
        modules += [name for name in mark.args if name not in modules]
        options.update(mark.kwargs)
    return start_prosody(*modules, **options)


@pytest.fixture
def clients(prosody: Any) -> Callable[..., tuple]:
    """Return a function `(*names)` that logs people in; gives one client for each name.

    Each is a prosody_py.testing.client.Client. They end with the test.
    """
    host = next(iter(prosody.options["hosts"]))
    return lambda *names: tuple(prosody.client(name, host=host) for name in names)


@pytest.fixture
def client(clients: Callable[..., tuple]) -> Any:
    """A client that is logged in as alice."""
    return clients("alice")[0]
