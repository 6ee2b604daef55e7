"""mod_mimicking: names that look alike."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users

pytestmark = pytest.mark.twins("mimicking", "register_ibr", needs=["register_limits"])
CYRILLIC = "\u0430lice"


@pytest.fixture
def running(start_server):
    return start_server(["register_ibr", "mimicking"], allow_registration=True,
                        registration_allowlist=["127.0.0.1"])


def register(running, username):
    client = running.connect()
    client.open()
    return client.iq("set", f"<query xmlns='jabber:iq:register'><username>{username}</username>"
                     "<password>secret</password></query>")


def exists(running, username):
    return users.user_exists(running.server, username, "localhost")


@pytest.mark.parametrize(("name", "alike"), [
    ("alice", CYRILLIC), ("romeo", "rorneo"), ("paul", "pau1"), ("bob", "b\u03bfb")])
def test_a_name_that_looks_like_another_is_refused(running, name, alike):
    assert register(running, name).attr["type"] == "result"
    assert register(running, alike).attr["type"] == "error"
    assert exists(running, name) and not exists(running, alike)


@pytest.mark.ours_alone("Debian's knows of those who have registered")
def test_accounts_that_administrators_make_count_too(running):
    running.user("alice")
    assert register(running, CYRILLIC).get_error()[1] == "conflict"


def test_names_that_differ_are_not_refused(running):
    for name in ("alice", "alica", "bob"):
        assert register(running, name).attr["type"] == "result"


@pytest.mark.ours_alone("Debian's has another condition")
def test_the_error_is_that_of_a_name_that_is_taken(running):
    register(running, "alice")
    assert register(running, CYRILLIC).get_error()[:2] == ("cancel", "conflict")


def test_a_name_is_free_again_when_its_account_is_gone(running):
    register(running, "alice")
    users.delete_user(running.server, "alice", "localhost")
    assert register(running, CYRILLIC).attr["type"] == "result"


def test_the_store_has_prosodys_form(running):
    register(running, "romeo")
    store = running.server.storage.open("localhost", "skeletons")
    assert {key: store.get(key) for key in store.users()} == {"rorneo": {"username": "romeo"}}


@pytest.mark.ours_alone("Debian's has a command of its own")
def test_accounts_that_were_there_before_are_added_by_a_command(running):
    running.server.modules.unload("localhost", "mimicking")
    for name in ("alice", "romeo", "rorneo"):
        running.user(name)
    running.server.modules.load("localhost", "mimicking")
    bootstrap = running.server.modules.get_module("localhost", "mimicking")
    text = bootstrap.exports.bootstrap(bootstrap, None, "localhost")
    assert text.endswith("2 accounts were added")
    assert "looks like" in text
    assert register(running, CYRILLIC).attr["type"] == "error"
    assert bootstrap.exports.bootstrap(bootstrap, None, "localhost").endswith(
        "0 accounts were added")
