"""Archives of accounts in the stores of Prosody's own storage modules."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.archives import Archive, form, page

SQL = {"driver": "SQLite3", "database": "prosody.sqlite"}
RETRACT = "urn:xmpp:message-retract:1"
LINES = [f"line {number}" for number in range(5)]


@pytest.fixture(params=["internal", "sql", "memory"])
def archive(request, start_debian):
    """Return (server, archive, partner) on a server with one of Prosody's drivers."""
    running = start_debian(f"storage_{request.param}", modules=["mam", "offline"],
                           storage=request.param, sql=SQL)
    juliet, romeo = (Archive(running.client(name).available()) for name in ("juliet", "romeo"))
    for line in LINES:
        romeo.say(juliet.client.bare_jid, line)
    juliet.client.flush()
    return running, juliet, romeo


def test_it_is_read_page_by_page(archive):
    _running, juliet, romeo = archive
    first = juliet.query(page("<max>2</max>"))
    assert first.bodies == LINES[:2] and not first.complete
    rest = juliet.query(page(f"<max>9</max><after>{first.ids[1]}</after>"))
    assert rest.bodies == LINES[2:] and rest.complete
    ids = first.ids + rest.ids
    assert juliet.bodies(page("<max>2</max><before/>")) == LINES[3:]
    assert juliet.query(page("<after>unknown</after>")).error == "item-not-found"
    assert juliet.bodies(form(with_=romeo.client.bare_jid, after_id=ids[2])) == LINES[3:]
    assert juliet.bodies(form(after_id=ids[0], before_id=ids[4])
                         + page(f"<after>{ids[1]}</after>")) == LINES[2:4]
    assert juliet.bodies(form(ids=[ids[1], ids[3]])) == [LINES[1], LINES[3]]
    assert juliet.query(form(ids=[ids[1], "unknown"])).error == "item-not-found"
    assert juliet.bodies(form(start="2099-01-01T00:00:00Z")) == []
    told = juliet.client.iq("get", "<metadata xmlns='urn:xmpp:mam:2'/>").tags[0]
    assert [tag.attr["id"] for tag in told.tags] == [ids[0], ids[-1]]


def test_what_is_retracted_leaves_a_tombstone(archive):
    _running, juliet, romeo = archive
    id = romeo.say(juliet.client.bare_jid, "goes")
    romeo.say(juliet.client.bare_jid, "sorry", f"<retract xmlns='{RETRACT}' id='{id}'/>")
    assert juliet.bodies() == [*LINES, None, "sorry"]


def test_it_cannot_be_searched_for_words(archive):
    _running, juliet, _romeo = archive
    found = juliet.query(form(**{"{urn:xmpp:fulltext:0}fulltext": "line"}))
    assert found.error == "feature-not-implemented"


def test_it_goes_with_the_account(archive):
    running, juliet, romeo = archive
    users.delete_user(running.server, "juliet", "localhost")
    store = running.server.storage.open("localhost", "archive", "archive")
    assert list(store.find("juliet")[0]) == []
    assert romeo.bodies() == LINES
