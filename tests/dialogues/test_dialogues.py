"""Every script in this folder, played to a real server.

After each script a client that was there before is still served, and nothing of the script's
connections is left.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.dialogue import Dialogue, parse
from prosody_py.testing.server import TestServer

FOLDER = Path(__file__).parent
SCRIPTS = sorted(FOLDER.rglob("*.txt"))
NAMES = [str(path.relative_to(FOLDER).with_suffix("")) for path in SCRIPTS]


@pytest.fixture(scope="module")
def server_for(tmp_path_factory):
    """Return a function that gives a server with a script's options; equal ones share it."""
    servers: dict[str, TestServer] = {}

    def find(script, name):
        stops = any(step.text == "stop server" for step in script.steps)
        key = name if stops else repr(sorted(script.options.items()))
        if key not in servers:
            servers[key] = TestServer(tmp_path_factory.mktemp("server"), **script.options)
        return servers[key]

    yield find
    for server in servers.values():
        server.stop()


def sessions(running):
    return running.server.modules.get("*", "c2s").listener.sessions


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
def test_dialogue(path, server_for, capfd):
    script = parse(path.read_text(encoding="utf-8"))
    running = server_for(script, path.stem)
    anonymous = script.options.get("authentication") == "anonymous"
    witness = running.connect()
    if not anonymous:
        running.user("witness")
        witness.login("witness")
    present = set(running.server.full_sessions)
    Dialogue(running, script).play()
    if running.server.stopping:
        return
    if not anonymous:
        assert witness.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
    wait_until(lambda: len(sessions(running)) == 1)
    assert set(running.server.full_sessions) == present
    witness.close()
    wait_until(lambda: not sessions(running) and not running.server.bare_sessions)
    assert "Traceback" not in capfd.readouterr().err
