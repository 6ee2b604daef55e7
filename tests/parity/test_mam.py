"""mod_mam and mod_muc_mam of Debian: archives of messages (XEP-0313)."""

from __future__ import annotations

import pytest

MAM, RSM, DATA = "urn:xmpp:mam:2", "http://jabber.org/protocol/rsm", "jabber:x:data"
HALL = "hall@rooms.localhost"


def form(**fields):
    inside = "".join(f"<field var='{name.replace('_', '-')}'><value>{value}</value></field>"
                     for name, value in fields.items())
    return (f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>"
            f"{inside}</x>")


def page(inside):
    return f"<set xmlns='{RSM}'>{inside}</set>"


def query(client, inside="", to=None):
    """Return (bodies, ids, <fin/>) of an archive query."""
    address = f" to='{to}'" if to else ""
    client.send(f"<iq type='set' id='q1'{address}><query xmlns='{MAM}' queryid='f'>{inside}"
                "</query></iq>")
    bodies, ids = [], []
    while True:
        element = client.receive()
        if element.name == "iq":
            return bodies, ids, element
        result = element.get_child("result", MAM)
        if result is not None:
            assert result.attr["queryid"] == "f"
            forwarded = result.get_child("forwarded", "urn:xmpp:forward:0")
            assert forwarded.get_child("delay", "urn:xmpp:delay").attr["stamp"]
            bodies.append(forwarded.get_child("message", "jabber:client").get_child_text("body"))
            ids.append(result.attr["id"])


def bodies(client, *args, **more):
    return query(client, *args, **more)[0]


@pytest.fixture
def archive(start_debian):
    """Return (server, client, sender): the client's archive has five lines and an answer."""
    running = start_debian("mam")
    juliet = running.client("juliet", "balcony").available()
    romeo = running.client("romeo", "orchard").available()
    for number in range(5):
        romeo.send("<message to='juliet@localhost' type='chat'>"
                   f"<body>line {number}</body></message>").flush()
    juliet.send(f"<message to='{romeo.jid}' type='chat'><body>answer</body></message>").flush()
    return running, juliet, romeo


def test_everything_said_is_in_the_archive_of_both(archive):
    _running, juliet, romeo = archive
    everything = [*(f"line {number}" for number in range(5)), "answer"]
    told, ids, answer = query(juliet)
    assert told == everything and len(set(ids)) == 6
    fin = answer.get_child("fin", MAM)
    assert fin.attr["complete"] == "true" and bodies(romeo) == everything
    limits = fin.get_child("set", RSM)
    assert (limits.get_child_text("first"), limits.get_child_text("last")) == (ids[0], ids[-1])


def test_a_message_carries_the_id_that_it_has_in_the_archive(archive):
    _running, juliet, romeo = archive
    romeo.send("<message to='juliet@localhost' type='chat'><body>marked</body></message>")
    live = juliet.receive_until(lambda element: element.get_child_text("body") == "marked")
    stamp = live.get_child("stanza-id", "urn:xmpp:sid:0")
    assert stamp.attr["by"] == "juliet@localhost"
    assert query(juliet)[1][-1] == stamp.attr["id"]


def test_the_archive_is_read_page_by_page_in_both_directions(archive):
    _running, juliet, _romeo = archive
    first, ids, answer = query(juliet, page("<max>2</max>"))
    assert first == ["line 0", "line 1"] and "complete" not in answer.tags[0].attr
    assert bodies(juliet, page(f"<max>2</max><after>{ids[-1]}</after>")) == ["line 2", "line 3"]
    last, ids, _answer = query(juliet, page("<max>2</max><before/>"))
    assert last == ["line 4", "answer"]
    assert bodies(juliet, page(f"<max>2</max><before>{ids[0]}</before>")) == ["line 2", "line 3"]
    assert bodies(juliet, "<flip-page/>" + page("<max>2</max>")) == ["line 1", "line 0"]
    unknown = query(juliet, page("<after>unknown</after>"))[2]
    assert unknown.get_error()[1] == "item-not-found"


def test_the_archive_is_searched_by_partner_and_time(archive):
    _running, juliet, _romeo = archive
    assert len(bodies(juliet, form(**{"with": "romeo@localhost"}))) == 6
    assert bodies(juliet, form(**{"with": "nurse@localhost"})) == []
    assert bodies(juliet, form(start="2099-01-01T00:00:00Z")) == []
    assert len(bodies(juliet, form(start="2001-01-01T00:00:00Z",
                                   end="2099-01-01T00:00:00Z"))) == 6
    assert query(juliet, form(start="yesterday"))[2].get_error()[1] == "bad-request"
    assert query(juliet, form(**{"with": "@@"}))[2].get_error()[1] == "bad-request"


@pytest.mark.parametrize("message", [
    "<message to='{to}' type='chat'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>",
    "<message to='{to}' type='headline'><body>x</body></message>",
    "<message to='{to}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>"
    "</message>"])
def test_what_is_not_worth_keeping_is_not_kept(archive, message):
    _running, juliet, romeo = archive
    romeo.send(message.format(to=juliet.jid)).flush()
    assert len(bodies(juliet)) == 6


def test_preferences_decide_what_is_kept(archive):
    _running, juliet, romeo = archive
    prefs = (f"<prefs xmlns='{MAM}' default='always'><always/>"
             "<never><jid>romeo@localhost</jid></never></prefs>")
    for answer in (juliet.iq("set", prefs), juliet.iq("get", f"<prefs xmlns='{MAM}'/>")):
        told = answer.get_child("prefs", MAM)
        assert told.attr["default"] == "always"
        assert [tag.get_text() for tag in told.get_child("never").tags] == ["romeo@localhost"]
    romeo.send("<message to='juliet@localhost' type='chat'><body>unkept</body></message>").flush()
    assert "unkept" not in bodies(juliet)


def test_what_comes_while_nobody_is_there_is_in_the_archive(archive):
    running, juliet, romeo = archive
    juliet.send("</stream:stream>").closed_with()
    romeo.send("<message to='juliet@localhost' type='chat'><body>later</body></message>").flush()
    again = running.client("juliet", "street")
    assert bodies(again, page("<max>1</max><before/>")) == ["later"]


def test_nobody_reads_the_archive_of_another(archive):
    _running, juliet, romeo = archive
    answer = query(romeo, to=juliet.bare_jid)[2]
    assert answer.attr["type"] == "error"


@pytest.mark.parametrize("muc", [("muc", "muc_unique", "adhoc"), ()], ids=["debian", "ours"])
def test_a_room_has_an_archive_for_its_occupants(start_hosts, muc):
    running = start_hosts(*muc, "muc_mam", modules=["disco"], muc_log_by_default=True, components={
        "rooms.localhost": {"module": "muc", "modules_enabled": ["muc_mam"]}})
    juliet = running.client("juliet", "balcony")
    juliet.send(f"<presence to='{HALL}/Jule'><x xmlns='http://jabber.org/protocol/muc'/>"
                "</presence>").flush()
    owner = "http://jabber.org/protocol/muc#owner"
    juliet.iq("set", f"<query xmlns='{owner}'><x xmlns='{DATA}' type='submit'/></query>", HALL)
    for number in range(3):
        juliet.send(f"<message to='{HALL}' type='groupchat'><body>line {number}</body></message>")
    juliet.flush()
    assert bodies(juliet, to=HALL) == ["line 0", "line 1", "line 2"]
    assert bodies(juliet, page("<max>1</max><before/>"), to=HALL) == ["line 2"]
