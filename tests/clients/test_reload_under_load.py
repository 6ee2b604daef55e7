"""Two slixmpp clients talk over TLS while the modules that see their messages are reloaded."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import slixmpp
import yaml

ROOT = Path(__file__).parents[2]
MESSAGES = 5000   # each way
RELOADS = 100     # of each module
LOOPS = []
WINDOW = 200      # messages on their way, so that memory is bounded on all sides

PYTHON_MODULE = """
    from prosody_py.api import hook, stanza

    @hook("message/full", priority=5)
    def mark(module, event):
        event.stanza.add_direct_child(stanza.stanza("seen", xmlns="urn:test:python"))
"""
LUA_MODULE = """
    local st = require "util.stanza";

    module:hook("message/full", function (event)
        event.stanza:add_direct_child(st.stanza("seen", { xmlns = "urn:test:lua" }));
    end, 5);
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(params=["lua54", "luajit21"])
def running(tmp_path, request):
    """Start the real server on the real configuration file; yield its port and admin socket."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "mod_mark_python.py").write_text(textwrap.dedent(PYTHON_MODULE))
    (plugins / "mod_mark_lua.lua").write_text(textwrap.dedent(LUA_MODULE))
    port = free_port()
    config = tmp_path / "prosody.cfg.yaml"
    config.write_text(yaml.safe_dump({
        "interfaces": ["127.0.0.1"], "c2s_ports": [port], "run_as_root": True,
        "plugin_paths": [str(plugins)], "lua_runtime": request.param, "log": {"level": "warn"},
        "admin_socket": str(tmp_path / "admin.sock"), "password_hashes": ["SHA-256"],
        "modules_enabled": ["saslauth", "tls", "roster", "mark_python", "mark_lua"],
        "hosts": {"localhost": {}}}))
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "prosody_py", "--config", str(config)]
    for user in ("alice", "bob"):
        subprocess.run([*command, "adduser", f"{user}@localhost", "--password-stdin"],
                       input=b"secret\n", env=environment, check=True, timeout=60)
    with open(tmp_path / "server.log", "wb") as log:
        server = subprocess.Popen([*command, "run"], env=environment, stderr=log, stdout=log)
    try:
        yield port, str(tmp_path / "admin.sock"), server, tmp_path / "server.log"
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Talker(slixmpp.ClientXMPP):
    """Sends numbered messages to a peer and notes what comes."""

    def __init__(self, name):
        super().__init__(f"{name}@localhost/test", "secret")
        self.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.received, self.marks = [], []
        self.ready = asyncio.Event()
        self.progress = asyncio.Event()
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("message", self.note)

    def get_ssl_context(self):
        return self.ssl_context

    async def start(self, _event):
        self.send_presence()
        self.ready.set()

    def note(self, message):
        self.received.append(int(message["body"]))
        self.marks.append(sorted(child.tag for child in message.xml
                                 if child.tag.endswith("}seen")))
        self.progress.set()

    async def talk(self, peer):
        for number in range(MESSAGES):
            while number - len(peer.received) > WINDOW:
                peer.progress.clear()
                await peer.progress.wait()
            self.send_message(mto=peer.boundjid.full, mbody=str(number), mtype="chat")
        while len(peer.received) < MESSAGES:
            peer.progress.clear()
            await peer.progress.wait()


async def reload_often(path, progress):
    """Reload both modules again and again, spread over the talk; return how often."""
    reader, writer = await asyncio.open_unix_connection(path)
    done = 0
    for turn in range(RELOADS):
        while progress() < turn / RELOADS:
            await asyncio.sleep(0.001)
        for name in ("mark_python", "mark_lua"):
            question = {"id": turn, "words": ["module", "reload", name, "localhost"]}
            writer.write(json.dumps(question).encode() + b"\n")
            answer = {"line": ""}
            while "line" in answer:
                answer = json.loads(await reader.readline())
            assert answer["ok"], answer
            done += 1
    writer.close()
    return done


async def conversation(port, admin):
    alice, bob = Talker("alice"), Talker("bob")
    for client in (alice, bob):
        client.connect("127.0.0.1", port)
    await asyncio.wait_for(asyncio.gather(alice.ready.wait(), bob.ready.wait()), 60)

    def progress():
        return (len(alice.received) + len(bob.received)) / (2 * MESSAGES)

    _, _, reloads = await asyncio.wait_for(asyncio.gather(
        alice.talk(bob), bob.talk(alice), reload_often(admin, progress)), 300)
    await asyncio.gather(alice.disconnect(), bob.disconnect())
    return [(client.received, client.marks) for client in (alice, bob)], reloads


def run(main):
    """Run a coroutine in a loop that stays open: slixmpp's clients use it when they are freed."""
    loop = asyncio.new_event_loop()
    LOOPS.append(loop)
    return loop.run_until_complete(main)


@pytest.mark.slow
def test_no_message_is_lost_doubled_or_reordered_while_modules_are_reloaded(running):
    port, admin, server, log = running
    for _ in range(600):
        if os.path.exists(admin):
            break
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)
    heard, reloads = run(conversation(port, admin))
    assert reloads == 2 * RELOADS
    both = ["{urn:test:lua}seen", "{urn:test:python}seen"]
    for received, marks in heard:
        assert received == list(range(MESSAGES))
        assert all(mark == both for mark in marks), "a message missed a module"
    assert "rror" not in log.read_text(), log.read_text()
