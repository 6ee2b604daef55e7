"""Accounts that are made and removed at the same time, and removals that are cut short."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from prosody_py.hosts import users


def attempt(function, *args):
    """Return None, or why it was refused."""
    try:
        return function(*args)
    except users.AccountError as error:
        return str(error)


def hold(running, name="user-deleted"):
    """Let handlers of an event wait; return what lets them go on, and what tells that they do."""
    waits, go_on = Event(), Event()

    def handler(_event):
        waits.set()
        go_on.wait(20)

    running.server.events.add_handler(name, handler, 1000)
    return waits, go_on


def private(client):
    """Return what the account has stored."""
    answer = client.iq("get", "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>")
    return answer.tags[0].tags[0].get_text()


def keep(client, text):
    answer = client.iq("set", "<query xmlns='jabber:iq:private'>"
                       f"<a xmlns='urn:a'>{text}</a></query>")
    assert answer.attr["type"] == "result"


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_of_two_who_take_a_name_at_once_one_gets_it(start_server, storage):
    running = start_server(storage=storage)
    making = [gevent.spawn(attempt, users.create_user, running.server, "juliet", password,
                           "localhost") for password in ("mine", "yours")]
    refused = [one.get() for one in making]
    assert sorted(map(bool, refused)) == [False, True]
    client = running.connect()
    client.open()
    client.authenticate("juliet", ("mine", "yours")[refused.index(None)])


def test_a_name_is_taken_until_its_account_is_gone(start_server):
    running = start_server(["private"], storage="sqlite")
    keep(running.client("juliet", "r"), "old")
    waits, go_on = hold(running)
    removing = gevent.spawn(users.delete_user, running.server, "juliet", "localhost")
    waits.wait(20)
    assert not users.user_exists(running.server, "juliet", "localhost")
    for function, *args in ((users.create_user, running.server, "juliet", "x", "localhost"),
                            (users.delete_user, running.server, "juliet", "localhost")):
        assert "is being removed" in attempt(function, *args)
    go_on.set()
    removing.get()
    keep(running.client("juliet", "r"), "new")
    assert private(running.client("juliet", "r2")) == "new"


def test_who_takes_the_name_of_a_removal_cut_short_gets_nothing_of_it(tmp_path, launch):
    running = launch(tmp_path, ["private"], storage="sqlite")
    keep(running.client("juliet", "r"), "old")
    waits, _go_on = hold(running)
    removing = gevent.spawn(users.delete_user, running.server, "juliet", "localhost")
    waits.wait(20)
    removing.kill()
    running.stop()
    running = launch(tmp_path, ["private"], storage="sqlite")
    try:
        assert private(running.client("juliet", "r")) == ""
        keep(running.client("juliet", "r2"), "new")
        assert attempt(users.create_user, running.server, "juliet", "x", "localhost")
        assert private(running.client("juliet", "r3")) == "new"
    finally:
        running.stop()


def test_what_a_client_has_begun_is_not_left_over(start_server):
    running = start_server(["private"], storage="sqlite")
    client = running.client("juliet", "r")
    waits, go_on = Event(), Event()

    def handler(_event):
        waits.set()
        go_on.wait(20)

    running.server.hosts["localhost"].events.add_handler(
        "iq-set/self/jabber:iq:private:query", handler, 1000)
    client.send("<iq type='set' id='p'><query xmlns='jabber:iq:private'><a xmlns='urn:a'>old</a>"
                "</query></iq>")
    waits.wait(20)
    removing = gevent.spawn(users.delete_user, running.server, "juliet", "localhost")
    gevent.sleep(0.05)
    go_on.set()
    removing.get()
    assert private(running.client("juliet", "r")) == ""
