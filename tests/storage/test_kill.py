"""What was acknowledged is there after kill -9 at any moment."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from prosody_py.storage.sqlite import SQLiteStorage

ROUNDS = 25


def kill_one(writer, path, rng):
    """Let a process write and kill it; return the lines it printed."""
    writer.stdin.write(f"{path}\n")
    writer.stdin.flush()
    _, pid = writer.stdout.readline().split()
    lines = []
    for _ in range(rng.choice([0, 1, rng.randrange(300)])):
        lines.append(writer.stdout.readline())
    time.sleep(rng.random() * 0.02)  # any moment: in the middle of opening, of a commit, ...
    os.kill(int(pid), signal.SIGKILL)
    while True:
        line = writer.stdout.readline()
        if line == "dead\n":
            return lines
        lines.append(line)


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path, script_environment):
    path = tmp_path / "stores.sqlite"
    rng = random.Random()
    last_set = Counter()
    appended = set()
    writer = subprocess.Popen([sys.executable, Path(__file__).with_name("crash_writer.py")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=script_environment)
    with writer:
        for _ in range(ROUNDS):
            for line in kill_one(writer, path, rng):
                kind, user, what = line.split()
                if kind == "set":
                    last_set[user] = int(what)
                else:
                    appended.add((user, what))
            check(path, last_set, appended)
        writer.stdin.close()
    assert writer.returncode == 0
    assert len(appended) > ROUNDS


def check(path, last_set, appended):
    storage = SQLiteStorage(path)
    plus = storage.open("localhost", "roster", "keyval+")
    for user, value in plus.items():
        assert value["number"] == value["twin"] == value[False] >= last_set[user]
    assert set(last_set) <= set(plus.users())
    archive = storage.open("localhost", "archive", "archive")
    found = Counter()
    for user in archive.users():
        items, total = archive.find(user, {"total": True})
        keys = [(user, item[0]) for item in items]
        found.update(keys)
        assert total == len(keys)
    assert appended <= set(found)
    assert set(found.values()) <= {1}
    storage.close()
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
