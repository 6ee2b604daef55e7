"""slixmpp, a client library of others, against the server as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time

import pytest
import slixmpp
import yaml

pytestmark = pytest.mark.slow
MESSAGES = 100
OPTIONS = {
    "interfaces": ["127.0.0.1"], "c2s_ports": [0],
    "c2s_direct_tls_ports": [0], "c2s_direct_tls_interfaces": ["127.0.0.2"],
    "storage": "sqlite", "log": {"level": "info"}, "run_as_root": True,
    "modules_enabled": ["saslauth", "tls", "roster", "ping", "disco", "smacks", "csi_simple"],
    "hosts": {"localhost": {}},
}
START = """
import sys
from prosody_py.app import run
from prosody_py.config.load import load
from prosody_py.hosts import users
server = run.start(sys.argv[1])
for name in ("juliet", "romeo"):
    users.create_user(server, name, "secret", "localhost")
for address, port in server.ports.open.items():
    print("PORT", port.service, port.port, flush=True)
from gevent import signal_handler
from gevent.event import Event
ended = Event()
signal_handler(15, ended.set)
ended.wait()
run.stop(server, "end of the test")
"""


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """Start the server; return service -> (interface, port)."""
    folder = tmp_path_factory.mktemp("server")
    file = folder / "prosody.cfg.yaml"
    file.write_text(yaml.safe_dump(OPTIONS))
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-c", START, str(file)],
                                   stdout=subprocess.PIPE, stderr=log, env=os.environ)
    found = {}
    while len(found) < 2:
        line = process.stdout.readline().decode()
        assert line, (folder / "log").read_text()
        if line.startswith("PORT "):
            _word, service, port = line.split()
            found[service] = ("127.0.0.2" if "direct" in service else "127.0.0.1", int(port))
    yield found
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert "Traceback" not in (folder / "log").read_text()


class Talker(slixmpp.ClientXMPP):
    """A client that remembers what comes."""

    def __init__(self, name, resource="r"):
        super().__init__(f"{name}@localhost/{resource}", "secret")
        self.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.get_ssl_context = lambda: self.ssl_context
        self.ready = asyncio.get_running_loop().create_future()
        self.bodies, self.presences = [], []
        self.add_event_handler("session_start", self._started)
        self.add_event_handler("failed_all_auth", self._failed)
        self.add_event_handler("message", lambda message: self.bodies.append(message["body"]))
        self.add_event_handler("presence_available",
                               lambda presence: self.presences.append(presence["from"].full))
        self.register_plugin("xep_0199")

    async def _started(self, _event):
        await self.get_roster()
        self.send_presence()
        self.ready.set_result(True)

    def _failed(self, _event):
        self.ready.set_exception(AssertionError("the login failed"))

    async def log_in(self, ports, direct):
        """Connect by STARTTLS or direct TLS, and be available."""
        self.enable_direct_tls, self.enable_starttls = direct, not direct
        self.enable_plaintext = False
        host, port = ports["c2s_direct_tls" if direct else "c2s"]
        self.connect(host, port)
        await asyncio.wait_for(self.ready, 10)
        return self


async def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


def talk(coroutine):
    with asyncio.Runner() as runner:
        return runner.run(coroutine)


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct tls"])
def test_two_clients_chat_both_ways(ports, direct):
    async def chat():
        juliet = await Talker("juliet").log_in(ports, direct)
        romeo = await Talker("romeo").log_in(ports, direct)
        for number in range(MESSAGES):
            juliet.send_message("romeo@localhost/r", f"to romeo {number}", mtype="chat")
            romeo.send_message("juliet@localhost", f"to juliet {number}", mtype="chat")
        await until(lambda: len(juliet.bodies) >= MESSAGES and len(romeo.bodies) >= MESSAGES)
        assert romeo.bodies == [f"to romeo {number}" for number in range(MESSAGES)]
        assert juliet.bodies == [f"to juliet {number}" for number in range(MESSAGES)]
        assert await juliet["xep_0199"].ping("localhost", timeout=5) < 5
        for client in (juliet, romeo):
            await client.disconnect()
    talk(chat())


def test_a_subscription_makes_contacts_see_each_other(ports):
    async def subscribe():
        juliet = await Talker("juliet").log_in(ports, False)
        romeo = await Talker("romeo").log_in(ports, True)
        romeo.send_presence_subscription("juliet@localhost")  # both accept what they are asked
        await until(lambda: romeo.client_roster["juliet@localhost"]["subscription"] == "both"
                    and juliet.client_roster["romeo@localhost"]["subscription"] == "both")
        await until(lambda: "juliet@localhost/r" in romeo.presences)
        await until(lambda: "romeo@localhost/r" in juliet.presences)
        await juliet.disconnect()
        again = await Talker("juliet", "again").log_in(ports, False)
        await until(lambda: "juliet@localhost/again" in romeo.presences)
        assert again.client_roster["romeo@localhost"]["subscription"] == "both"
        for client in (again, romeo):
            await client.disconnect()
    talk(subscribe())


def test_a_stream_is_resumed_with_what_was_missed(ports):
    async def lose_and_resume():
        juliet, romeo = Talker("juliet", "phone"), await Talker("romeo").log_in(ports, False)
        resumed = asyncio.get_running_loop().create_future()
        juliet.register_plugin("xep_0198", {"window": 1})
        juliet.register_plugin("xep_0352")
        juliet.add_event_handler("session_resumed", resumed.set_result)
        await juliet.log_in(ports, False)
        juliet["xep_0352"].send_inactive()
        for number in range(MESSAGES):
            juliet.send_message("romeo@localhost/r", str(number), mtype="chat")
            if number == MESSAGES // 2:
                await until(lambda: len(romeo.bodies) > MESSAGES // 4)
                juliet.transport.abort()
                for missed in range(MESSAGES):
                    romeo.send_message("juliet@localhost/phone", str(missed), mtype="chat")
                await asyncio.sleep(0.1)
                juliet.connect(*ports["c2s"])
                await asyncio.wait_for(resumed, 10)
        await until(lambda: len(juliet.bodies) >= MESSAGES and len(romeo.bodies) >= MESSAGES)
        juliet["xep_0198"].request_ack()
        await until(lambda: not juliet["xep_0198"].unacked_queue)
        assert romeo.bodies == juliet.bodies == [str(number) for number in range(MESSAGES)]
        for client in (juliet, romeo):
            await client.disconnect()
    talk(lose_and_resume())


def test_a_wrong_password_is_refused(ports):
    async def fail():
        client = Talker("juliet")
        client.password = "wrong"
        with pytest.raises(AssertionError, match="login failed"):
            await client.log_in(ports, False)
        client.abort()
    talk(fail())
