"""mod_account_activity: when accounts were last used."""

from __future__ import annotations

import time

import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts import users
from prosody_py.testing.client import wait_until


@pytest.fixture
def running(start_server):
    return start_server(["account_activity", "admin_shell"])


@pytest.fixture
def shell(running):
    def run(*words):
        answer = running.server.events.fire_event("admin-request", Event(
            question={"words": list(words)}, user=0, process=1, say=lambda line: None))
        return answer.get("text") or answer.get("error") or answer

    return run


def stored(running, username="alice"):
    return running.server.storage.open("localhost", "account_activity").get(username)


def test_logins_and_ends_of_sessions_are_noted(running, shell):
    alice = running.client("alice")
    wait_until(lambda: stored(running))
    assert abs(stored(running)["timestamp"] - time.time()) < 60
    assert "connected now" in str(shell("user", "activity", "alice@localhost"))
    running.server.storage.open("localhost", "account_activity").set("alice", {"timestamp": 5})
    alice.close()
    wait_until(lambda: stored(running)["timestamp"] > 5)
    assert "(0 days ago)" in str(shell("user", "activity", "alice@localhost"))


def test_what_is_not_known_is_told(running, shell):
    running.user("bob")
    assert "has not been used" in str(shell("user", "activity", "bob@localhost"))
    assert "no account" in str(shell("user", "activity", "nobody@localhost"))


def test_accounts_that_are_not_used_are_listed(running, shell):
    running.client("alice")
    running.user("bob")
    running.user("carol")
    store = running.server.storage.open("localhost", "account_activity")
    store.set("bob", {"timestamp": time.time() - 10 * 86400})
    found = str(shell("user", "list_inactive", "localhost", "1 week"))
    assert "bob@localhost" in found and "carol@localhost" in found and "alice@" not in found
    assert "bob@" not in str(shell("user", "list_inactive", "localhost", "2 weeks"))
    assert "is not a time" in str(shell("user", "list_inactive", "localhost", "ever"))


def test_nothing_is_left_of_an_account_that_is_removed(running):
    running.client("alice")
    wait_until(lambda: stored(running))
    users.delete_user(running.server, "alice", "localhost")
    running.client("eve").flush()
    assert stored(running) is None
