"""mod_tombstones: names of accounts that are gone."""

from __future__ import annotations

import time

import pytest

from prosody_py.hosts import users

pytestmark = pytest.mark.twins("tombstones", "register_ibr", needs=["register_limits"])


@pytest.fixture
def start(start_server):
    def start(**options):
        running = start_server(
            ["register_ibr", "tombstones"], allow_registration=True,
            registration_allowlist=["127.0.0.1"], **options)
        running.user("alice")
        users.delete_user(running.server, "alice", "localhost")
        return running

    return start


def register(running, username="alice"):
    client = running.connect()
    client.open()
    return client.iq("set", f"<query xmlns='jabber:iq:register'><username>{username}</username>"
                     "<password>secret</password></query>")


def stored(running):
    return running.server.storage.open("localhost", "tombstones").get(None)


def test_a_name_cannot_be_registered_again(start):
    running = start()
    assert register(running).attr["type"] == "error"
    assert not users.user_exists(running.server, "alice", "localhost")
    assert register(running, "bob").attr["type"] == "result"


@pytest.mark.ours_alone("Debian's has another condition")
def test_the_error_is_that_of_a_name_that_is_taken(start):
    assert register(start()).get_error()[:2] == ("cancel", "conflict")


def test_the_store_has_prosodys_form(start):
    (entry,) = stored(start()).items()
    assert entry[0] == "alice" and abs(entry[1] - time.time()) < 60


@pytest.mark.ours_alone("Debian's keeps names in memory as well")
def test_a_name_is_free_when_its_time_is_over(start):
    running = start(user_tombstone_expiry=86400)
    assert register(running).attr["type"] == "error"
    running.server.storage.open("localhost", "tombstones", "map").set(
        None, "alice", int(time.time()) - 2 * 86400)
    assert register(running).attr["type"] == "result"


def test_administrators_make_accounts_as_they_like(start):
    running = start()
    assert running.client("alice").jid


def test_a_tombstone_outlives_a_reload(start):
    running = start()
    running.server.modules.reload("localhost", "tombstones")
    assert register(running).attr["type"] == "error"
