"""Nothing says that a message is archived before it is; what was said so is there after kill -9."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from prosody_py.storage.sqlite_archive import SQLiteArchive
from prosody_py.testing.archives import Archive
from prosody_py.testing.people import People


@pytest.fixture
def held(start_server, monkeypatch):
    """Return (people, event): no item of an archive is durable before the event is set."""
    people = People(start_server(["mam", "carbons"], storage="sqlite"))
    gate, begin = Event(), SQLiteArchive.begin_append

    def begin_append(*args):
        id, wait = begin(*args)

        def wait_longer():
            wait()
            gate.wait()

        return id, wait_longer

    monkeypatch.setattr(SQLiteArchive, "begin_append", begin_append)
    yield people, gate
    gate.set()
    people.close()


def silent(client):
    """Whether a client gets nothing for a while."""
    with gevent.Timeout(0.2, False):
        client.receive()
        return False
    return True


def test_a_message_waits_for_the_archive_of_its_receiver(held):
    people, gate = held
    juliet, romeo = people.login("juliet"), people.login("romeo")
    desk = people.login("juliet", "desk")
    desk.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    for client in (juliet, romeo, desk):
        client.flush()
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>x</body></message>")
    assert silent(juliet) and silent(desk)
    assert juliet.iq("get", "<ping xmlns='urn:xmpp:ping'/>", "localhost")  # others go on
    gate.set()
    assert juliet.message().get_child_text("body") == "x"
    assert "received" in str(desk.message())


@pytest.mark.parametrize("to_account", [True, False])
def test_what_one_says_to_oneself_waits_for_the_archive(held, to_account):
    people, gate = held
    juliet, desk = people.login("juliet"), people.login("juliet", "desk")
    for client in (juliet, desk):
        client.flush()
    to = juliet.bare_jid if to_account else desk.jid
    juliet.send(f"<message to='{to}' type='chat'><body>x</body></message>")
    assert silent(juliet) and silent(desk)
    gate.set()
    assert Archive(juliet).query().ids[0] in str(desk.message())


@pytest.mark.parametrize("to", ["nobody@localhost", "somebody@elsewhere.example"])
def test_what_a_client_sends_is_archived_before_anything_confirms_it(held, to):
    people, gate = held
    romeo, street = people.login("romeo"), people.login("romeo", "street")
    street.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    for client in (romeo, street):
        client.flush()
    romeo.send(f"<message to='{to}' type='chat'><body>x</body></message>"
               "<iq type='get' id='next' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.message()  # it cannot be delivered
    assert silent(romeo) and silent(street)
    gate.set()
    assert romeo.receive().attr["id"] == "next"
    copy = street.message()
    assert Archive(romeo).query().ids[0] in str(copy)


def test_messages_of_one_sender_stay_in_order(start_server):
    people = People(start_server(["mam", "carbons"], storage="sqlite"))
    juliet = people.login("juliet")
    senders = [people.login(f"s{number}") for number in range(8)]
    for number in range(25):
        for client in senders:
            client.send(f"<message to='{juliet.jid}' type='chat'><body>{client.jid} {number}"
                        "</body></message>")
    live = [juliet.message().get_child_text("body") for _ in range(8 * 25)]
    for client in senders:
        mine = [text for text in live if text.startswith(client.jid)]
        assert mine == [f"{client.jid} {number}" for number in range(25)]
    kept, after = [], ""
    while len(kept) < len(live):
        found = Archive(juliet).query("<set xmlns='http://jabber.org/protocol/rsm'>"
                                      f"{after}</set>")
        kept += found.bodies
        after = f"<after>{found.ids[-1]}</after>"
    assert kept == live
    people.close()
