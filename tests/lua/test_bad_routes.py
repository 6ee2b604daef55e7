"""HTTP routes in Lua that loop or fail: the client gets 500, and the next one is served."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.web import WebClient

ROUTES = """
    module:depends("http"); module:provides("http", { route = {
        ["GET /loop"] = function () while true do end end;
        ["GET /fails"] = function () error({}); end;
        ["GET /good"] = function () return "good"; end;
    } });
"""


@pytest.mark.parametrize("kind", KINDS)
def test_loop_in_a_route_is_an_error_of_the_server_and_others_are_served(start_server, tmp_path,
                                                                         kind, caplog):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mod_routes.lua").write_text(ROUTES)
    running = start_server(["routes"], plugin_paths=[str(folder)], lua_runtime=kind,
                           lua_time_limit="0.05 seconds", http_ports=[0], https_ports=[])
    for path, status in (("loop", 500), ("fails", 500), ("good", 200)):
        client = WebClient(running.address("http"), "localhost", False)
        try:
            assert client.get("/routes/" + path).status == status
        finally:
            client.close()
    assert "mod_routes.lua:3: interrupted" in caplog.text
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 2 and not any("\\n" in line for line in told)
