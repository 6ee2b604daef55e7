"""Searching archives for words (XEP-0431), of accounts and of rooms."""

from __future__ import annotations

import pytest

from prosody_py.testing.archives import Archive, form, page
from prosody_py.testing.people import People

FULLTEXT = "urn:xmpp:fulltext:0"
FIELD = f"{{{FULLTEXT}}}fulltext"
RETRACT = "urn:xmpp:message-retract:1"
LINES = ["The quick brown fox", "jumps over the lazy dog", "and the fox", "café & <tea>"]


def words(text, **more):
    return form(**{FIELD: text, **more})


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def server(tmp_path_factory, request, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["mam"], storage=request.param)
    yield server
    server.stop()


@pytest.fixture
def told(juliet, romeo):
    """Return juliet, who was told some lines, the last one by herself."""
    for line in LINES[:-1]:
        romeo.say(juliet.client.bare_jid, line)
    juliet.say(romeo.client.jid, "café &amp; &lt;tea>")
    juliet.client.flush()
    return juliet


def test_messages_are_found_by_their_words(told):
    assert told.bodies(words("fox")) == [LINES[0], LINES[2]]
    assert told.bodies(words("FOX brown")) == [LINES[0]]
    assert told.bodies(words("cafe tea")) == [LINES[3]]
    assert told.bodies(words('"the lazy"')) == [LINES[1]]
    assert told.bodies(words("unknown")) == [] and told.bodies(words("&amp;")) == []
    assert told.bodies(words("")) == LINES


def test_a_search_has_pages_and_other_filters(told, romeo):
    first = told.query(words("the") + page("<max>2</max>"))
    assert first.bodies == LINES[:2] and not first.complete
    rest = told.query(words("the") + page(f"<max>2</max><after>{first.ids[-1]}</after>"))
    assert rest.bodies == [LINES[2]] and rest.complete
    last = told.query(words("the") + page("<max>1</max><before/>"))
    assert last.bodies == [LINES[2]] and not last.complete
    assert told.query(words("the") + page("<max>0</max>")).of_set("count") == "3"
    assert told.bodies(words("the", with_=romeo.client.bare_jid)) == LINES[:3]
    assert told.bodies(words("the", with_=romeo.client.jid)) == LINES[:3]
    assert told.bodies(words("the", with_="nurse@localhost")) == []
    assert told.bodies(words("the", start="2099-01-01T00:00:00Z")) == []


def test_everybody_searches_the_own_archive(told, people):
    assert Archive(people.login("nurse")).bodies(words("fox")) == []


def test_what_is_retracted_is_not_found_any_more(told, romeo):
    id = romeo.say(told.client.jid, "a secret")
    assert told.bodies(words("secret")) == ["a secret"]
    romeo.say(told.client.jid, "sorry", f"<retract xmlns='{RETRACT}' id='{id}'/>")
    assert told.bodies(words("secret")) == romeo.bodies(words("secret")) == []


def test_a_search_is_no_reason_to_keep_back_what_waits(told, server):
    told.query(words("fox"))
    session = server.server.full_sessions[told.client.jid]
    assert not session.extras.get("mam_requested")


def test_the_search_is_told_where_it_is_possible(told):
    info = told.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert FULLTEXT in str(info)
    answer = told.client.iq("get", "<query xmlns='urn:xmpp:mam:2'/>")
    assert FIELD in {tag.attr.get("var") for tag in answer.tags[0].tags[0].tags}


def test_a_host_may_do_without(start_server):
    people = People(start_server(["mam"], archive_fulltext=False))
    juliet = Archive(people.login("juliet"))
    assert juliet.query(words("fox")).error == "feature-not-implemented"
    info = juliet.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert FULLTEXT not in str(info)
    people.close()


def test_a_room_is_searched(start_server):
    running = start_server(["disco"], components={
        "rooms.localhost": {"module": "muc", "modules_enabled": ["muc_mam"]}})
    juliet, hall = Archive(running.client("juliet")), "hall@rooms.localhost"
    juliet.client.send(f"<presence to='{hall}/Jule'><x xmlns='http://jabber.org/protocol/muc'/>"
                       "</presence>").flush()
    for line in LINES[:3]:
        juliet.say(hall, line, type="groupchat")
    assert juliet.bodies(words("fox"), hall) == [LINES[0], LINES[2]]
    info = juliet.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", hall)
    assert FULLTEXT in str(info)
