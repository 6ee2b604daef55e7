"""What leaves an archive: old messages, those of removed accounts, retracted ones (XEP-0424)."""

from __future__ import annotations

import time

import pytest

from prosody_py.hosts import users
from prosody_py.storage.interface import StorageError
from prosody_py.testing.archives import Archive, page
from prosody_py.testing.client import wait_until
from prosody_py.testing.people import People

RETRACT = "urn:xmpp:message-retract:1"


def stores(server):
    open_store = server.server.storage.open
    return (open_store("localhost", "archive", "archive"),
            open_store("localhost", "archive_prefs", "keyval"))


def archive_of(client):
    return client.bare_jid.partition("@")[0]


def make_older(server, archive, seconds):
    """Set all messages of an archive back in time."""
    store, user = stores(server)[0], archive_of(archive.client)
    for id, value, when, with_ in list(store.find(user)[0]):
        store.set(user, id, value, when - seconds, with_)


@pytest.mark.parametrize("expiry", [{"archive_expires_after": "2 weeks"}, {},
                                    {"archive_expires_after": "never"}])
def test_old_messages_are_deleted(start_server, expiry):
    people = People(start_server(["mam"], **expiry))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    romeo.say(juliet.client.jid, "old")
    make_older(people.server, juliet, 10 * 86400)
    romeo.say(juliet.client.jid, "new")
    cron = people.server.server.modules.get_module("*", "cron")
    for task, _source in cron.tasks if cron is not None else ():
        if task["id"].startswith("mam/"):
            task["run"](task, time.time())
    assert juliet.bodies() == (["old", "new"] if expiry else ["new"])
    assert romeo.bodies() == ["old", "new"]
    people.close()


@pytest.mark.slow
def test_old_messages_are_looked_for_as_often_as_is_said(start_server):
    people = People(start_server(["mam"], archive_expires_after="1 hour",
                                 archive_cleanup_interval="1 second"))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    romeo.say(juliet.client.jid, "old")
    make_older(people.server, juliet, 2 * 3600)
    wait_until(lambda: juliet.bodies() == [])
    people.close()


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_an_archive_keeps_the_newest_of_too_many(start_server, storage):
    people = People(start_server(["mam"], storage_archive_item_limit=3, storage=storage))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    for number in range(5):
        romeo.say(juliet.client.jid, f"line {number}")
    assert juliet.bodies() == ["line 2", "line 3", "line 4"]
    people.close()


def test_nothing_is_kept_of_an_account_that_is_gone(server, juliet, romeo):
    user = archive_of(juliet.client)
    romeo.say(juliet.client.jid, "x")
    juliet.client.iq("set", "<prefs xmlns='urn:xmpp:mam:2' default='roster'/>")
    archive, prefs = stores(server)
    assert user in list(archive.users()) and prefs.get(user)
    users.delete_user(server.server, user, "localhost")
    assert user not in list(archive.users()) and prefs.get(user) is None
    assert romeo.bodies() == ["x"]


# -- retraction ------------------------------------------------------------------------------


def retract(archive, to, id):
    return archive.say(to, "/me retracted a message", f"<retract xmlns='{RETRACT}' id='{id}'/>")


def test_a_retracted_message_leaves_a_tombstone_with_both(juliet, romeo):
    for text in ("one", "two", "three"):
        id = romeo.say(juliet.client.jid, text, "<x xmlns='urn:example:x'/>")
    before = juliet.query()
    retraction = retract(romeo, juliet.client.bare_jid, id)
    for archive in (juliet, romeo):
        found = archive.query()
        assert found.bodies == ["one", "two", None, "/me retracted a message"]
        grave = found.messages[2]
        (retracted,) = [tag for tag in grave.tags if tag.name != "stanza-id"]
        assert (retracted.name, retracted.attr["xmlns"]) == ("retracted", RETRACT)
        assert retracted.attr["id"] == retraction and retracted.attr["stamp"]
        assert grave.attr["id"] == id and grave.attr["from"] == romeo.client.jid
    assert juliet.query().ids[:3] == before.ids and juliet.query().stamps[:3] == before.stamps


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_a_retracted_message_is_found_however_old_it_is(start_server, storage, monkeypatch):
    people = People(start_server(["mam"], storage=storage))
    module = people.server.server.modules.get_module("localhost", "mam")
    monkeypatch.setattr(module.archive, "find", lambda *_args: pytest.fail("was looked through"))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    id = romeo.say(juliet.client.jid, "one")
    retract(romeo, juliet.client.bare_jid, id)
    monkeypatch.undo()
    assert juliet.bodies() == romeo.bodies() == [None, "/me retracted a message"]
    people.close()


def test_what_was_kept_before_there_was_an_index_is_looked_for(server, juliet, romeo):
    archive = server.server.modules.get_module("localhost", "mam").archive
    archive._ids = False
    id = romeo.say(juliet.client.jid, "one")
    archive.index_ids()
    retract(romeo, juliet.client.bare_jid, id)
    assert juliet.bodies() == romeo.bodies() == [None, "/me retracted a message"]


def test_nobody_retracts_the_message_of_another(juliet, romeo, people):
    id = romeo.say(juliet.client.jid, "mine")
    nurse = Archive(people.login("nurse"))
    for other in (juliet, nurse):
        to = romeo.client.jid if other is juliet else juliet.client.jid
        retract(other, to, id)
    assert "mine" in juliet.bodies() and "mine" in romeo.bodies()
    retract(Archive(people.login("romeo", "street")), juliet.client.jid, id)
    assert "mine" not in juliet.bodies() and "mine" not in romeo.bodies()


def test_a_retraction_of_nothing_is_a_message_like_others(juliet, romeo):
    retract(romeo, juliet.client.jid, "unknown")
    romeo.say(juliet.client.jid, None, f"<retract xmlns='{RETRACT}'/>")
    assert juliet.bodies() == ["/me retracted a message", None]


def test_a_retraction_cannot_be_retracted(juliet, romeo):
    first = romeo.say(juliet.client.jid, "x")
    second = retract(romeo, juliet.client.jid, first)
    retract(romeo, juliet.client.jid, second)
    assert juliet.bodies() == [None, "/me retracted a message", "/me retracted a message"]


def test_tombstones_can_be_switched_off(start_server):
    people = People(start_server(["mam"], mam_tombstones=False))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    retract(romeo, juliet.client.jid, romeo.say(juliet.client.jid, "stays"))
    assert juliet.bodies()[0] == "stays"
    info = juliet.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert f"{RETRACT}#tombstone" not in str(info) and RETRACT in str(info)
    people.close()


# -- what goes wrong -------------------------------------------------------------------------


def failing(*_args):
    raise StorageError("internal-server-error", "the disk is full")


@pytest.mark.parametrize("when", ["begin", "wait"])
def test_a_message_that_cannot_be_kept_is_delivered_without_an_id(
        server, juliet, romeo, monkeypatch, caplog, when):
    archive = server.server.modules.get_module("localhost", "mam").archive
    with monkeypatch.context() as patch:
        patch.setattr(archive, "begin_append", failing if when == "begin" else (
            lambda *_args: ("id", failing)), raising=False)
        romeo.say(juliet.client.jid, "x")
    (live,) = [element for element in juliet.client.flush() if element.name == "message"]
    assert live.get_child_text("body") == "x"
    assert live.get_child("stanza-id", "urn:xmpp:sid:0") is None
    assert "could not be archived: the disk is full" in caplog.text


def test_a_page_ends_before_it_is_too_large_for_a_client(server, juliet, romeo):
    for number in range(6):
        romeo.say(juliet.client.jid, str(number) + "x" * 250_000)
    first = juliet.query()
    assert [body[0] for body in first.bodies] == ["0", "1", "2", "3"] and not first.complete
    rest = juliet.query(page(f"<after>{first.ids[-1]}</after>"))
    assert [body[0] for body in rest.bodies] == ["4", "5"] and rest.complete
    last = juliet.query(page("<before/>"))
    assert [body[0] for body in last.bodies] == ["2", "3", "4", "5"] and not last.complete
    assert last.of_set("first") == last.ids[0]


def test_a_page_has_as_many_messages_as_the_host_allows(start_server):
    people = People(start_server(["mam"], max_archive_query_results=3))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    for number in range(4):
        romeo.say(juliet.client.jid, f"line {number}")
    found = juliet.query(page("<max>1000</max>"))
    assert found.bodies == ["line 0", "line 1", "line 2"] and not found.complete
    people.close()
