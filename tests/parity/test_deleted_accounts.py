"""An account that is deleted leaves nothing behind, whichever driver has kept its data."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.hosts.roster import RosterItem, commit, load_roster
from prosody_py.lua.runtime import KINDS
from prosody_py.xmpp.builders import message

SQL = {"driver": "SQLite3", "database": "prosody.sqlite"}
KEYVAL = ("notes", "roster", "private")


def fill(server, name):
    """Store something for an account in stores that no module cares for, and a roster."""
    opened = server.storage.open
    opened("localhost", "notes", "keyval").set(name, {"a": 1})
    opened("localhost", "private", "map").set(name, "x:urn:x", {"name": "x", "attr": {}})
    opened("localhost", "heap", "archive").append(name, None, message({}, "Hello"), 1, "")
    roster = load_roster(server, name, "localhost")
    with roster.lock:
        commit(server, roster, "nurse@localhost", RosterItem("none"))


def left(server, name):
    """Return the names of the stores in which the account has something."""
    opened = server.storage.open
    found = [store for store in KEYVAL if opened("localhost", store, "keyval").get(name)]
    return found + ["heap"] * len(list(opened("localhost", "heap", "archive").find(name)[0]))


def check(running):
    server = running.server
    for name in ("juliet", "romeo"):
        running.user(name)
        fill(server, name)
        assert left(server, name) == ["notes", "roster", "private", "heap"]
    heard = []
    server.hosts["localhost"].events.add_handler(
        "user-deleted", lambda event: heard.append(left(server, event.username)))
    users.delete_user(server, "juliet", "localhost")
    assert heard == [["notes", "roster", "private", "heap"]]  # handlers may still look
    assert left(server, "juliet") == []
    assert left(server, "romeo") == ["notes", "roster", "private", "heap"]
    running.user("juliet")
    assert not load_roster(server, "juliet", "localhost")


@pytest.mark.parametrize("driver", ["memory", "sqlite"])
def test_nothing_is_left_in_our_stores(start_server, driver):
    check(start_server(storage=driver))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("driver", ["memory", "internal", "sql"])
def test_nothing_is_left_in_stores_of_debians_drivers(start_with_modules, driver, kind):
    check(start_with_modules(f"storage_{driver}", storage=driver, sql=SQL, lua_runtime=kind))
