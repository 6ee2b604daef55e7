"""For pages whose commands are run: a folder where a shell runs them as the reader does."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = {"prosody-py": "prosody_py",
            "pytest": "pytest -p no:cacheprovider -p prosody_py.testing.plugin"}
OPTIONS = "c2s_ports: [0]\nrun_as_root: true\nstorage: sqlite\n"


class Shell:
    """Runs the text of shell blocks in `folder`; at most one is a server that stays."""

    def __init__(self, place):
        programs, self.folder = place / "bin", place / "folder"
        self.log, self.server = place / "log", None
        for folder in (programs, self.folder):
            folder.mkdir()
        for name, command in PROGRAMS.items():
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {command} "$@"\n')
            program.chmod(0o755)
        self.environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
                        "PYTHONPATH": str(ROOT)}
        self.environ.pop("PROSODY_PY_CONFIG", None)

    def write(self, files):
        """Write files of the page; the configuration gets what a test needs besides."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + (OPTIONS if name == "prosody.cfg.yaml" else ""), "utf-8")

    def run(self, text):
        """Run a block to its end."""
        return subprocess.run(["bash", "-ec", text], cwd=self.folder, env=self.environ, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)

    def serve(self, text):
        """Run a block that is a server; return the port where it listens."""
        with self.log.open("w") as log:
            self.server = subprocess.Popen(["bash", "-ec", "exec " + text], cwd=self.folder,
                                           env=self.environ, stdout=log, stderr=log)
        for _ in range(3000):
            if found := re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", self.log.read_text()):
                return int(found[1])
            assert self.server.poll() is None, self.log.read_text()
            time.sleep(0.01)
        pytest.fail(self.log.read_text())

    def close(self):
        """End the server."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()


@pytest.fixture
def shell(tmp_path):
    """A shell in a folder of its own."""
    one = Shell(tmp_path)
    yield one
    one.close()
