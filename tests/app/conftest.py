"""The real command `prosody-py` in a folder of its own, with real processes and signals."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest
import yaml

from prosody_py.app.offline import offline_server
from prosody_py.config.load import load
from prosody_py.hosts import users
from prosody_py.testing.client import Client

ROOT = Path(__file__).parents[2]
OPTIONS = {
    "run_as_root": True,
    "interfaces": ["127.0.0.1"],
    "c2s_ports": [0],
    "c2s_require_encryption": False,
    "password_hashes": ["SHA-1"],
    "default_iteration_count": 4096,
    "sqlite_durable": False,
    "modules_enabled": ["saslauth", "roster", "disco", "ping"],
    "hosts": {"localhost": {}},
}


class Terminal:
    """A command of `prosody-py` on a pseudo-terminal."""

    def __init__(self, place, *words):
        self.master, slave = pty.openpty()
        command = place.command(*words, XDG_STATE_HOME=str(place.folder / "state"),
                                TERM="dumb")
        # Control-C is ignored by what is run in the background of a script, as tests may be.
        self.process = subprocess.Popen(
            **command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        os.close(slave)
        self.seen = ""

    def read_until(self, text):
        """Read until the terminal shows a text; forget what was shown up to it."""
        while text not in self.seen:
            assert select.select([self.master], [], [], 20)[0], f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.master, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def open_terminal():
    """Return a function `(installation, *words)` that runs a command on a terminal."""
    opened = []

    def make(place, *words):
        opened.append(Terminal(place, *words))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@contextmanager
def kept_umask():
    """Give the process its umask back."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


class Installation:
    """A folder with a configuration, where commands are run and at most one server."""

    def __init__(self, folder, **options):
        self.folder = Path(folder)
        self.file = self.folder / "prosody.cfg.yaml"
        self.log = self.folder / "log"
        self.options = {**OPTIONS, **options}
        self.process = None
        self.write()

    def write(self, **changes):
        """Write the configuration with further changes; None removes an option."""
        self.options.update(changes)
        kept = {name: value for name, value in self.options.items() if value is not None}
        self.file.write_text(yaml.safe_dump(kept), encoding="utf-8")

    def command(self, *words, **env):
        """Return the command line and the environment of `prosody-py words`."""
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        environ.pop("PROSODY_PY_CONFIG", None)
        return {"args": [sys.executable, "-m", "prosody_py", *words], "cwd": self.folder,
                "env": environ}

    def run(self, *words, input=None, **env):
        """Run a command to its end; `output` is what it printed to both streams."""
        done = subprocess.run(**self.command(*words, **env), input=input, text=True, timeout=30,
                              stdin=None if input is not None else subprocess.DEVNULL,
                              capture_output=True)
        done.output = done.stdout + done.stderr
        return done

    def account(self, username, password="secret"):
        """Make an account in the store, without a server."""
        with kept_umask(), offline_server(load(self.file), "localhost") as server:
            users.create_user(server, username, password, "localhost")

    def start(self, **env):
        """Start the server and wait until it is ready."""
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(**self.command("run", **env), stderr=log, stdout=log)
        self.wait_for("Ready:")
        return self

    def wait_for(self, text, count=1):
        """Wait until the log has a text so many times."""
        for _ in range(3000):
            if self.log.read_text(encoding="utf-8").count(text) >= count:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        pytest.fail(f"no {text!r} in the log:\n{self.log.read_text()}")

    def client(self, username, password="secret", **login):
        """Return a client that is logged in."""
        port = re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", self.log.read_text())[1]
        return Client(("127.0.0.1", int(port))).login(username, password, **login)

    def status(self):
        """Return the server's status as a list of (what, value)."""
        return [tuple(row) for row in json.loads(self.run("status", "--json").stdout)]

    def kill(self, number):
        """Send the server a signal."""
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """End the server; return its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.end()

    def end(self):
        """Wait until the server has ended; return its exit code."""
        while self.process.poll() is None:
            gevent.sleep(0.01)  # clients of the test run in this process
        process, self.process = self.process, None
        return process.returncode


@pytest.fixture
def umask():
    """Keep the umask of the test process as it is."""
    with kept_umask():
        yield


@pytest.fixture
def install(tmp_path):
    """Return a function that makes an installation; its server is killed at the end."""
    made = []

    def make(**options):
        folder = tmp_path / f"place{len(made)}"
        folder.mkdir()
        made.append(Installation(folder, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """An installation whose server runs, with the account alice; shared by all tests."""
    one = Installation(tmp_path_factory.mktemp("running"))
    one.account("alice")
    one.start()
    yield one
    one.stop(signal.SIGKILL)
