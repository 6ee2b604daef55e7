"""Fixtures for all tests."""

from __future__ import annotations

import pytest

from prosody_py.lua import guard
from prosody_py.testing.server import TestServer


@pytest.fixture(autouse=True)
def no_switch_under_lua():
    """Fail every test in which a greenlet is switched below a Lua frame."""
    guard.install()
    yield
    try:
        guard.check()
    finally:
        guard.uninstall()


@pytest.fixture
def start_server(tmp_path):
    """Return a function that starts a server with options; all are stopped at the end."""
    servers = []

    def start(modules=None, **options):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        server = TestServer(folder, modules, **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
