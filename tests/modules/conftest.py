"""What the tests of several modules share: people on a server, and a server for presence."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People

HOSTS = {"localhost": {}, "second.example": {}}
EVENTS = [f"{when}presence/{kind}" for when in ("", "pre-") for kind in ("full", "bare")]


@pytest.fixture
def people(server):
    """Return the people who are clients of the file's own server."""
    people = People(server)
    yield people
    people.close()


@pytest.fixture(scope="module", params=["direct", "watched"])
def presence_server(tmp_path_factory, request, launch):
    """Return a server of two hosts, without and with a handler that looks at all presence."""
    server = launch(tmp_path_factory.mktemp("server"), hosts=HOSTS)
    if request.param == "watched":
        for host in HOSTS:
            for name in EVENTS:
                server.server.hosts[host].events.add_handler(
                    name, lambda event: None, 10)
    yield server
    server.stop()
