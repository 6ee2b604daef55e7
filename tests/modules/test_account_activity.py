"""mod_account_activity: when accounts were last logged in to."""

from __future__ import annotations

import time

import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts import users
from prosody_py.testing.client import wait_until

DAY = 86400


@pytest.fixture
def running(start_server):
    return start_server(["account_activity", "admin_shell"])


@pytest.fixture
def shell(running):
    """Return a function that runs a command and gives what it says, as one text."""
    def run(*words):
        return str(running.server.events.fire_event("admin-request", Event(
            question={"words": list(words)}, user=0, process=1, say=lambda line: None)))

    return run


def stored(running, username="alice"):
    return running.server.storage.open("localhost", "account_activity").get(username)


def test_a_login_is_noted(running, shell):
    running.client("alice")
    wait_until(lambda: stored(running))
    assert abs(stored(running)["timestamp"] - time.time()) < 60
    assert "alice@localhost" in shell("user", "activity", "alice@localhost")
    assert "no account" in shell("user", "activity", "nobody@localhost")


def test_accounts_that_are_not_used_are_listed(running, shell):
    running.client("alice")
    for name in ("bob", "carol"):
        running.user(name)
    store = running.server.storage.open("localhost", "account_activity")
    store.set("bob", {"timestamp": int(time.time() - 10 * DAY)})
    found = shell("user", "inactive", "localhost", "7")
    assert "bob@localhost" in found and "carol@localhost" in found and "alice@" not in found
    assert "bob@" not in shell("user", "inactive", "localhost", "20")


def test_nothing_is_left_of_an_account_that_is_removed(running):
    running.client("alice")
    wait_until(lambda: stored(running))
    running.server.storage.open("localhost", "account_activity").set("alice", {"timestamp": 5})
    running.client("alice")  # what it writes comes after the end of the account
    users.delete_user(running.server, "alice", "localhost")
    running.client("eve").flush()
    assert stored(running) is None
