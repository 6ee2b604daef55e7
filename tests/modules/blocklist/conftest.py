"""What the tests of blocking share: a server for each file, and two who see each other."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    """Return a server of two hosts, the file's own."""
    running = launch(tmp_path_factory.mktemp("server"), ["blocklist", "offline"],
                     hosts={"localhost": {}, "second.example": {}})
    yield running
    running.stop()


@pytest.fixture
def couple(people):
    """Return clients of two who see each other: juliet, and romeo whom she is about to block."""
    people.befriend("juliet", "romeo")
    juliet, romeo = people.login("juliet"), people.login("romeo", "orchard")
    for client in (juliet, romeo):
        client.flush()
    return juliet, romeo
