"""xmpp.js, a client library that is not ours: SASL 2, Bind 2 and FAST in one request."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from gevent import subprocess

pytestmark = pytest.mark.slow

PACKAGE = "@xmpp/client@0.14.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prosody-py-tests"


@pytest.fixture(scope="session")
def xmppjs():
    """Return a folder in which xmpp.js is installed; skips where it cannot be had."""
    target = CACHE / PACKAGE.replace("/", "_")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("there is no Node.js")
    if not target.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            done = subprocess.run(["npm", "install", "--prefix", folder, PACKAGE], timeout=300,
                                  capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"{PACKAGE} cannot be fetched")
            shutil.copytree(folder, target)
    return target


def run(folder, running, times):
    """Log in so many times; return what the client has seen."""
    script = folder / "login.mjs"
    script.write_bytes((Path(__file__).parent / "xmppjs_login.mjs").read_bytes())
    done = subprocess.run(
        ["node", str(script), str(running.address()[1]), str(times)], capture_output=True,
        timeout=60, text=True, env={**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0"})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_logs_in_by_password_and_then_by_token(start_server, xmppjs):
    running = start_server(["sasl2_bind2", "sasl2_fast", "csi"], c2s_require_encryption=True)
    running.user("juliet")
    seen = run(xmppjs, running, 3)
    assert [value for what, value in seen if what == "mechanism"] == [
        "SCRAM-SHA-1", "HT-SHA-256-NONE", "HT-SHA-256-NONE"]
    parts = [set(value) for what, value in seen if what == "success"]
    assert "token" in parts[0] and all("bound" in part for part in parts)
    jids = {value for what, value in seen if what == "jid"}
    assert len(jids) == 1 and jids.pop().startswith("juliet@localhost/Phone/")
    assert [what for what, _value in seen].count("ping") == 3
    assert not [value for what, value in seen if what == "error"]
