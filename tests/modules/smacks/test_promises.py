"""What a connected client has not acknowledged is on the disk before its sender is told."""

from __future__ import annotations

import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import wait_until
from prosody_py.testing.managed import Managed, acknowledge, bodies, enable, handled, say

SID = "urn:xmpp:sid:0"


@pytest.fixture
def server(start_server):
    return start_server(["smacks", "carbons", "mam"], storage="sqlite",
                        default_archive_policy=False)


def stored(server, username="juliet"):
    """Return the texts of the messages in the journal, the oldest first."""
    found = server.server.storage.open("localhost", "smacks_sessions", "keyval").get(username) or {}
    keys = sorted((key for key in found if "/" in key),
                  key=lambda key: int(key.rpartition("/")[2]))
    return [found[key]["text"].partition("<body>")[2].partition("</body>")[0] for key in keys]


@pytest.mark.parametrize("resume", [True, False])
def test_it_is_there_when_the_sender_hears_and_goes_when_it_is_acknowledged(server, resume):
    romeo, juliet = Managed(server, "romeo").client, server.client("juliet", "balcony").available()
    enable(juliet, resume)
    for body in ("one", "two", "three"):
        say(romeo, juliet.jid, body)
    assert stored(server) == []  # nobody has asked
    handled(romeo)
    assert stored(server) == ["one", "two", "three"]
    acknowledge(juliet, 2)
    wait_until(lambda: stored(server) == ["three"])
    say(romeo, juliet.jid, "four")
    handled(romeo)
    assert stored(server) == ["three", "four"]
    acknowledge(juliet, 4)
    wait_until(lambda: stored(server) == [])


def test_what_is_acknowledged_first_is_never_written(server, monkeypatch):
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    journal = server.server.modules.get_module("localhost", "smacks").journal
    monkeypatch.setattr(journal, "put", lambda *_args: pytest.fail("was written"))
    say(romeo, juliet.jid, "one")
    acknowledge(juliet.client, 1)
    handled(juliet.client)
    handled(romeo)
    assert stored(server) == []


MESSAGES = {
    "chat": ("type='chat'", "<body>x</body>", True),
    "normal": ("", "<body>x</body>", True),
    "encrypted": ("type='chat'", "<encrypted xmlns='urn:xmpp:omemo:2'/>", True),
    "state": ("type='chat'", "<active xmlns='http://jabber.org/protocol/chatstates'/>", False),
    "not to be stored": ("type='chat'", "<body>x</body><no-store xmlns='urn:xmpp:hints'/>", False),
    "headline": ("type='headline'", "<body>x</body>", False),
    "error": ("type='error'", "<body>x</body>", False),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_would_be_kept_for_a_client_that_is_away(server, name):
    attributes, inside, kept = MESSAGES[name]
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    romeo.send(f"<message to='{juliet.jid}' {attributes}>{inside}</message>").flush()
    handled(romeo)
    assert len(stored(server)) == kept


def test_who_has_no_stream_management_is_promised_nothing(server):
    romeo, nurse = server.client("romeo", "x").available(), Managed(server, "nurse").client
    juliet = Managed(server)
    say(romeo, juliet.jid, "one")
    handled(nurse)
    assert stored(server) == []
    say(nurse, juliet.jid, "two")
    handled(nurse)
    assert stored(server) == ["one", "two"]


@pytest.mark.parametrize("reads", [True, False])
def test_what_a_client_finds_in_its_archive_is_not_kept_twice(server, reads):
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    juliet.client.iq("set", "<prefs xmlns='urn:xmpp:mam:2' default='always'/>")
    if reads:
        juliet.client.iq("set", "<query xmlns='urn:xmpp:mam:2'/>")
    say(romeo, juliet.jid, "one")
    handled(romeo)
    assert stored(server) == ([] if reads else ["one"])


def test_a_copy_is_not_kept(server):
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    other = Managed(server, "juliet", "street")
    other.client.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    say(romeo, juliet.jid, "one")
    assert other.client.message().get_child("received", "urn:xmpp:carbons:2") is not None
    handled(romeo)
    assert stored(server) == ["one"]


def test_it_goes_where_the_session_goes(server):
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    say(romeo, juliet.jid, "one")
    handled(romeo)
    juliet.cut()
    say(romeo, juliet.jid, "two")
    handled(romeo)
    assert stored(server) == ["one", "two"]
    assert juliet.come_back(0).name == "resumed"
    assert bodies(juliet.client.flush()) == ["one", "two"]
    say(romeo, juliet.jid, "three")
    handled(romeo)
    assert stored(server) == ["one", "two", "three"]
    acknowledge(juliet.client, 4)
    wait_until(lambda: stored(server) == [])


def test_a_session_that_ends_takes_it_along(server):
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    say(romeo, juliet.jid, "one")
    handled(romeo)
    juliet.client.close()
    wait_until(lambda: stored(server) == [])
    assert bodies([server.client("juliet", "x").send("<presence/>").message()]) == ["one"]


def test_what_a_user_was_kept_is_kept_on_until_it_is_acknowledged(server):
    romeo = Managed(server, "romeo").client
    juliet = server.client("juliet", "balcony")
    enable(juliet)
    say(romeo, juliet.bare_jid, "one")
    romeo.flush()
    juliet.send("<presence/>")
    assert bodies([juliet.message()]) == ["one"]
    offline = server.server.storage.open("localhost", "offline", "archive")
    wait_until(lambda: not list(offline.find("juliet")[0]))
    assert stored(server) == ["one"]
    acknowledge(juliet, 2)
    wait_until(lambda: stored(server) == [])


class Failing:
    """A store that does not work for a while."""

    def __init__(self, store):
        self.store, self.working = store, False

    def set_keys(self, *args):
        if not self.working:
            raise StorageError("internal-server-error", "the disk is full")
        self.store.set_keys(*args)


def test_nothing_is_acknowledged_that_could_not_be_written(server, monkeypatch):
    module = server.server.modules.get_module("localhost", "smacks")
    journal = module.journal
    monkeypatch.setitem(type(journal).give_up.__globals__, "PAUSES", (0.01,))
    romeo, juliet = Managed(server, "romeo").client, Managed(server)
    journal.store = store = Failing(journal.store)
    say(romeo, juliet.jid, "one")
    for _ in range(2):  # also once it has been given up
        romeo.send("<r xmlns='urn:xmpp:sm:3'/>").send(
            "<iq type='get' id='after' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
        came = romeo.receive_until(lambda element: element.name in ("a", "iq"))
        assert came.name == "iq"  # no <a/> before it
        wait_until(lambda: not journal.writers)
    store.working = True
    assert handled(romeo) >= 1 and stored(server) == ["one"]


def test_a_sender_who_never_asks_does_not_fill_the_memory(server, monkeypatch):
    juliet, romeo = Managed(server), Managed(server, "romeo")
    tracker = juliet.session.extras["smacks_tracker"]
    promises = type(tracker).keep.__globals__["promises"]
    monkeypatch.setattr(promises, "MOST", 0)
    say(romeo.client, juliet.jid, "one")
    assert not romeo.session.extras["smacks_tracker"].reached
    wait_until(lambda: stored(server) == ["one"])
