"""Every script in this folder, played to a real server.

After each script a client that was there before is still served, and nothing of the script's
connections is left.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from random import Random

import gevent
import pytest

from prosody_py.testing.client import Client, wait_until
from prosody_py.testing.dialogue import Dialogue, parse
from prosody_py.testing.server import TestServer

FOLDER = Path(__file__).parent
SCRIPTS = sorted(FOLDER.rglob("*.txt"))
# What is about one segment, or about time.
UNCUT = {"what_is_injected_behind_it_is_thrown_away", "stopping_server_says_system_shutdown",
         "silence_before_the_header_is_connection_timeout", "slow_login_is_connection_timeout"}
CUT = [path for path in SCRIPTS if path.stem not in UNCUT]


def name_of(path):
    return str(path.relative_to(FOLDER).with_suffix(""))


NAMES = [name_of(path) for path in SCRIPTS]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The file that all servers here write their log to."""
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="module")
def server_for(tmp_path_factory, log):
    """Return a function that gives a server with a script's options; equal ones share it."""
    servers: dict[str, TestServer] = {}

    def find(script, name):
        stops = any(step.text == "stop server" for step in script.steps)
        key = name if stops else repr(sorted(script.options.items()))
        if key not in servers:
            servers[key] = TestServer(tmp_path_factory.mktemp("server"), log={
                "level": "debug", "to": str(log)}, **script.options)
        return servers[key]

    yield find
    for server in servers.values():
        server.stop()


def connections(running):
    return set(running.server.modules.get_module("*", "c2s").listener.sessions)


@contextmanager
def witness(running, script):
    """A client that is there all the while and must go on being served."""
    client = running.connect()
    if script.options.get("authentication") != "anonymous":
        running.user("witness")
        client.login("witness", tls=script.options.get("c2s_require_encryption", False))
        yield
        if not running.server.stopping:
            assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
    else:
        yield
    client.close()


def play(path, server_for, send=Client.send):
    """Play a script beside the witness, and see that nothing of it is left."""
    script = parse(path.read_text(encoding="utf-8"))
    running = server_for(script, path.stem)
    before = connections(running)
    with witness(running, script):
        present = set(running.server.full_sessions)
        Dialogue(running, script, send).play()
        wait_until(lambda: set(running.server.full_sessions) <= present)
    wait_until(lambda: connections(running) <= before)


@pytest.fixture
def quiet(log, capfd):
    """Fail when there was a traceback, in the log or on the console."""
    yield
    assert "Traceback" not in capfd.readouterr().err
    assert "Traceback" not in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
def test_dialogue(path, server_for, quiet):
    play(path, server_for)


def in_pieces(seed: str, longest: int):
    """Return a way to send that cuts what is sent into segments of 1 to `longest` bytes."""
    random = Random(seed)

    def send(client, data):
        while data:
            size = random.randint(1, longest)
            try:
                client.send(data[:size])
            except OSError:
                return  # the server has heard enough
            data = data[size:]
            gevent.sleep(0)  # lets the server read

    return send


@pytest.mark.parametrize("path", CUT, ids=[name_of(path) for path in CUT])
def test_dialogue_comes_to_the_same_in_small_pieces(path, server_for, quiet):
    play(path, server_for, in_pieces(path.stem, 9))


@pytest.mark.parametrize("name", [
    "sasl/plain_over_tls_logs_in", "sasl/header_right_behind_auth_is_kept",
    "stanzas/text_arrives_as_it_was_meant"])
def test_dialogue_comes_to_the_same_byte_by_byte(name, server_for, quiet):
    play(FOLDER / f"{name}.txt", server_for, in_pieces(name, 1))
