"""mod_lastactivity: XEP-0012 of accounts."""

from __future__ import annotations

import time

import pytest

from prosody_py.hosts import users
from prosody_py.hosts.roster import RosterItem, load_roster
from prosody_py.testing.client import wait_until

pytestmark = pytest.mark.twins("lastactivity")

QUERY = "<query xmlns='jabber:iq:last'/>"


def ask(client, to):
    return client.iq("get", QUERY, to)


def store(running):
    return running.server.storage.open("localhost", "lastactivity", "keyval")


def two_users(running):
    """Return Romeo's client; he gets the presence of Juliet."""
    running.user("juliet")
    load_roster(running.server, "juliet", "localhost")["romeo@localhost"] = RosterItem("from")
    return running.client("romeo")


@pytest.mark.ours_alone("Debian's keeps them in memory")
def test_time_and_last_words_of_who_has_gone_are_told(start_server):
    running = start_server(["lastactivity"])
    romeo = two_users(running)
    juliet = running.client("juliet").available()
    juliet.send("<presence type='unavailable'><status>Heading Home</status></presence>")
    juliet.close()
    wait_until(lambda: store(running).get("juliet"))
    last = store(running).get("juliet")
    store(running).set("juliet", {**last, "time": last["time"] - 903})
    query = ask(romeo, "juliet@localhost").tags[0]
    assert 903 <= int(query.attr["seconds"]) < 933
    assert query.get_text() == "Heading Home"


def test_who_is_connected_is_active_now(start_server):
    running = start_server(["lastactivity"])
    romeo = two_users(running)
    store(running).set("juliet", {"time": int(time.time()) - 99, "status": "Old words"})
    running.client("juliet")
    query = ask(romeo, "juliet@localhost").tags[0]
    assert query.attr["seconds"] == "0" and query.get_text() == ""
    assert ask(romeo, None).tags[0].attr["seconds"] == "0"


def test_nothing_is_stored_while_another_resource_is_there(start_server):
    running = start_server(["lastactivity"])
    first, second = running.client("juliet"), running.client("juliet")
    first.close()
    wait_until(lambda: len(running.server.full_sessions) == 1)
    second.flush()
    assert store(running).get("juliet") is None


@pytest.mark.ours_alone("Debian's keeps nobody from a resource")
def test_strangers_learn_nothing_about_accounts_and_resources(start_server):
    running = start_server(["lastactivity"])
    juliet = running.client("juliet").available()
    running.user("offline")
    tybalt = running.client("tybalt")
    for to in ("juliet@localhost", "offline@localhost", "nobody@localhost", juliet.jid,
               "offline@localhost/x", "nobody@localhost/x"):
        assert ask(tybalt, to).get_error()[:2] == ("auth", "forbidden")
    assert juliet.flush() == []


def test_those_who_get_the_presence_reach_the_resource(start_server):
    running = start_server(["lastactivity"])
    romeo = two_users(running)
    juliet = running.client("juliet").available()
    romeo.send(f"<iq type='get' id='1' to='{juliet.jid}'>{QUERY}</iq>")
    assert juliet.receive_until(lambda tag: tag.name == "iq").attr["id"] == "1"


@pytest.mark.ours_alone("Debian's takes who was never here for active")
def test_who_was_never_here_is_not_found(start_server):
    running = start_server(["lastactivity"])
    answer = ask(two_users(running), "juliet@localhost")
    assert answer.get_error()[1] == "item-not-found"


def test_nothing_is_left_of_an_account_that_is_removed(start_server):
    running = start_server(["lastactivity"])
    running.user("juliet")
    store(running).set("juliet", {"time": 1})
    users.delete_user(running.server, "juliet", "localhost")
    assert store(running).get("juliet") is None


@pytest.mark.ours_alone("Debian's keeps it")
def test_nothing_is_left_of_an_account_that_is_removed_while_it_is_connected(start_server):
    running = start_server(["lastactivity"])
    running.client("hamlet").available()
    users.delete_user(running.server, "hamlet", "localhost")
    running.client("eve").flush()
    assert running.server.storage.open("localhost", "lastactivity").get("hamlet") is None
