"""mod_account_activity: when an account was last logged in to."""

from __future__ import annotations

from functools import partial

import pytest

from prosody_py.api import CommandError
from prosody_py.testing.client import wait_until


@pytest.fixture
def running(start_server):
    return start_server(["account_activity"])


@pytest.fixture
def store(running):
    return running.server.storage.open("localhost", "account_activity", "keyval")


def test_a_login_is_noted_and_shown(running, store):
    running.user("juliet")
    facts = dict(running.command("user", "activity", "juliet@localhost")["rows"])
    assert facts == {"account": "juliet@localhost", "last login": None}
    running.client("juliet")
    wait_until(lambda: store.get("juliet"))
    facts = dict(running.command("user", "activity", "juliet@localhost")["rows"])
    assert facts["last login"].endswith("Z")
    with pytest.raises(CommandError, match="There is no account"):
        running.command("user", "activity", "nobody@localhost")


def test_logins_one_after_the_other_are_noted_once(running, store):
    running.client("juliet")
    wait_until(lambda: store.get("juliet"))
    store.set("juliet", {"timestamp": store.get("juliet")["timestamp"] - 30})
    before = store.get("juliet")
    running.client("juliet")
    running.client("romeo")
    wait_until(lambda: store.get("romeo"))
    assert store.get("juliet") == before
    store.set("juliet", {"timestamp": before["timestamp"] - 60})
    running.client("juliet")
    wait_until(lambda: store.get("juliet")["timestamp"] > before["timestamp"])


def test_who_was_not_here_for_long_is_listed(running, store):
    for name, days in (("old", 10), ("new", 1)):
        running.user(name)
        running.client(name).close()
        wait_until(partial(store.get, name))
        store.set(name, {"timestamp": store.get(name)["timestamp"] - days * 86400})
    running.user("never")
    wait_until(lambda: not running.server.hosts["localhost"].sessions)
    rows = running.command("user", "inactive", "localhost", "5")["rows"]
    assert [row[0] for row in rows] == ["never@localhost", "old@localhost"]
    assert rows[0][1] == "never"


def test_nothing_is_kept_of_an_account_that_is_gone(running, store):
    running.client("juliet")
    wait_until(lambda: store.get("juliet"))
    running.command("user", "delete", "juliet@localhost")
    assert store.get("juliet") is None
