"""The real server as a process of its own, which can be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from prosody_py.testing.client import Client

ROOT = Path(__file__).parents[2]
OPTIONS = {
    "run_as_root": True,
    "interfaces": ["127.0.0.1"],
    "c2s_ports": [0],
    "c2s_require_encryption": False,
    "password_hashes": ["SHA-1"],
    "default_iteration_count": 4096,
    "allow_registration": True,
    "modules_enabled": ["saslauth", "roster", "ping"],
    "log": {"level": "info", "to": "console", "modules": {"storage": "debug"}},
    "hosts": {"localhost": {}},
}


class ServerProcess:
    """A server with its data in a folder; `modules` and `options` are further ones."""

    def __init__(self, folder: Path, *modules: str, **options: Any):
        self.file, self.log = folder / "prosody.cfg.yaml", folder / "log"
        configured = {**OPTIONS, **options}
        configured["modules_enabled"] = [*OPTIONS["modules_enabled"], *modules]
        self.file.write_text(yaml.safe_dump(configured))
        self.process: subprocess.Popen | None = None
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it can be reached; raises RuntimeError with its log."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prosody_py", "--config", str(self.file), "run"],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log)
        for _ in range(2000):
            found = re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", self.log.read_text())
            if found:
                self.port = int(found[1])
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(self.log.read_text())

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, by default one that cannot be caught, and wait for the end."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def connect(self) -> Client:
        """Return a fresh connection."""
        return Client(("127.0.0.1", self.port))

    def login(self, username: str, password: str = "secret") -> Client:
        """Return a client that is logged in."""
        return self.connect().login(username, password)
