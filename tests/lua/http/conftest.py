"""A server with a Lua module that speaks HTTP, on both runtimes."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.web import WebClient


@pytest.fixture(params=KINDS)
def start_lua(request, start_server, tmp_path):
    """Return a function that starts a server with one Lua module and HTTP ports."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    clients = []

    def start(text, name="lua", **options):
        (folder / f"mod_{name}.lua").write_text(text)
        running = start_server([name], plugin_paths=[str(folder)], lua_runtime=request.param,
                               **{"http_ports": [0], "https_ports": [0], **options})
        running.lua_folder = folder

        def web(host="localhost", tls=False):
            clients.append(WebClient(running.address("https" if tls else "http"), host, tls))
            return clients[-1]

        running.web = web
        running.lua_module = lambda: running.server.modules.get_module("localhost", name).exports
        return running

    yield start
    for client in clients:
        client.close()
