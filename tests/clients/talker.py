"""slixmpp, a client library of others, and the server as a process of its own to talk to."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slixmpp
import yaml

OPTIONS = {
    "interfaces": ["127.0.0.1"], "c2s_ports": [0], "storage": "sqlite", "run_as_root": True,
    "log": {"level": "info"}, "hosts": {"localhost": {}},
}
_START = """
import sys
from prosody_py.app import run
from prosody_py.config.load import load
from prosody_py.hosts import users
server = run.start(sys.argv[1])
for name in ("juliet", "romeo"):
    users.create_user(server, name, "secret", "localhost")
for port in server.ports.open.values():
    print("PORT", port.service, port.interface, port.port, flush=True)
print("READY", flush=True)
from gevent import signal_handler
from gevent.event import Event
ended = Event()
signal_handler(15, ended.set)
ended.wait()
run.stop(server, "end of the test")
"""


@contextmanager
def serve(folder: Path, **options: Any) -> Iterator[dict[str, tuple[str, int]]]:
    """Run a server with the accounts juliet and romeo; give service -> (interface, port)."""
    file, log = folder / "prosody.cfg.yaml", folder / "log"
    file.write_text(yaml.safe_dump({**OPTIONS, **options}))
    with open(log, "wb") as opened:
        process = subprocess.Popen([sys.executable, "-c", _START, str(file)],
                                   stdout=subprocess.PIPE, stderr=opened, env=os.environ)
    found: dict[str, tuple[str, int]] = {}
    while (line := process.stdout.readline().decode()) != "READY\n":
        assert line, log.read_text()
        if line.startswith("PORT "):
            _word, service, interface, port = line.split()
            found[service] = (interface, int(port))
    yield found
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert "Traceback" not in log.read_text()


class Talker(slixmpp.ClientXMPP):
    """A client of juliet's or romeo's over TLS, with plugins by their numbers.

    `kept` maps events to lists into which their data goes.
    """

    def __init__(self, name: str, resource: str = "r", plugins: tuple[int, ...] = (),
                 kept: dict[str, list] | None = None):
        super().__init__(f"{name}@localhost/{resource}", "secret")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.get_ssl_context = lambda: context
        self.ready = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", self._started)
        self.add_event_handler("failed_all_auth", self._failed)
        for event, into in (kept or {}).items():
            self.add_event_handler(event, into.append)
        for number in plugins:
            self.register_plugin(f"xep_{number:04}")

    async def _started(self, _event: Any) -> None:
        await self.get_roster()
        if "xep_0115" in self.plugin:
            await self["xep_0115"].update_caps()
        self.send_presence()
        self.ready.set_result(True)

    def _failed(self, _event: Any) -> None:
        self.ready.set_exception(AssertionError("the login failed"))

    async def log_in(self, ports: dict[str, tuple[str, int]], direct: bool = False) -> Talker:
        """Connect by STARTTLS or direct TLS, and be available."""
        self.enable_direct_tls, self.enable_starttls = direct, not direct
        self.enable_plaintext = False
        host, port = ports["c2s_direct_tls" if direct else "c2s"]
        self.connect(host, port)
        await asyncio.wait_for(self.ready, 10)
        return self


async def until(condition, seconds: float = 10) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


def talk(coroutine) -> Any:
    """Run a conversation to its end."""
    with asyncio.Runner() as runner:
        return runner.run(coroutine)
