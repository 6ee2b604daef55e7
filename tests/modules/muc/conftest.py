"""What the tests of rooms share: a server for each file, and a room for each test."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import HOST, Party


@pytest.fixture(scope="module")
def rooms_server(tmp_path_factory, request, launch):
    """Return the server of a file; the file may set OPTIONS of the component."""
    options = dict(getattr(request.module, "OPTIONS", {}))
    enabled = options.pop("modules_enabled", [])
    running = launch(tmp_path_factory.mktemp("server"), ["disco"], components={
        HOST: {"module": "muc", "modules_enabled": enabled, **options}})
    yield running
    running.stop()


@pytest.fixture
def party(rooms_server):
    """Return a room of the test's own."""
    party = Party(rooms_server)
    yield party
    for client in party.clients:
        client.close()
