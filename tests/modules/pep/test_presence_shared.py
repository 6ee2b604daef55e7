"""XEP-0163: who shares presence without being a contact, and what contacts get beside items.

What is not to come is shown by something later that does come, in the same session.
"""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids

TUNE, MOOD, GAME = "urn:example:tune", "urn:example:mood", "urn:example:game"
ADDRESS = "http://jabber.org/protocol/address"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["pep", "presence", "blocklist"],
                    pep_max_visitors=5)
    yield server
    server.stop()


@pytest.fixture
def people(server):
    people = People(server)
    yield people
    people.close()


@pytest.fixture
def visit(people):
    """Return juliet's service with an open node, and tybalt, who wants to know."""
    juliet, tybalt = people.login("juliet"), people.login("tybalt")
    own = Asking(juliet)
    own.publish(TUNE, "a", access_model="open")
    own.publish(MOOD, "a", access_model="presence")
    Wanting(TUNE, MOOD).announce(tybalt)
    return own, tybalt


def send_presence(client, to, type=""):
    client.send(f"<presence to='{to}'{type and f' type={type!r}'}/>")


def reply_to(message):
    """Return the addresses that a notification names."""
    addresses = message.get_child("addresses", ADDRESS)
    return [(address.attr["type"], address.attr["jid"])
            for address in (addresses.tags if addresses is not None else ())]


@pytest.mark.parametrize("full", [True, False])
def test_who_sends_presence_is_told_of_open_nodes_until_it_ends(visit, full):
    own, tybalt = visit
    to = own.client.jid if full else own.client.bare_jid
    send_presence(tybalt, to)
    assert event_ids([tybalt.message()]) == [(TUNE, "a")]
    own.publish(TUNE, "b"), own.publish(MOOD, "b"), own.publish(TUNE, "c")
    assert event_ids(tybalt.flush()) == [(TUNE, "b"), (TUNE, "c")]
    send_presence(tybalt, to)  # further presence brings nothing twice
    own.publish(TUNE, "d")
    assert event_ids(tybalt.flush()) == [(TUNE, "d")]
    send_presence(tybalt, to, "unavailable")
    tybalt.flush()
    own.publish(TUNE, "e")
    assert event_ids(tybalt.flush()) == []


def test_it_ends_with_the_session_too(people, visit):
    own, tybalt = visit
    send_presence(tybalt, own.client.bare_jid)
    tybalt.message()
    tybalt.send("<presence type='unavailable'/>").flush()
    tybalt.send("<presence/>").flush()
    own.publish(TUNE, "b")
    assert event_ids(tybalt.flush()) == []
    pep = people.server.server.modules.get_module("localhost", "pep")
    assert not pep.visitors.of(own.client.bare_jid)


def test_who_comes_to_want_more_gets_that(visit):
    own, tybalt = visit
    own.publish(GAME, "a", access_model="open")
    send_presence(tybalt, own.client.bare_jid)
    assert event_ids([tybalt.message()]) == [(TUNE, "a")]
    assert event_ids(Wanting(TUNE, MOOD, GAME).announce(tybalt)) == [(GAME, "a")]


def test_a_contact_who_is_not_seen_may_send_presence(people, visit):
    """Who gets the presence, and whose presence is not asked for, is authorized."""
    own, tybalt = visit
    people.set("juliet", tybalt.bare_jid, "from")
    people.set("tybalt", own.client.bare_jid, "to")
    send_presence(tybalt, own.client.bare_jid)
    assert sorted(event_ids([tybalt.message(), tybalt.message()])) == sorted(
        [(TUNE, "a"), (MOOD, "a")])


def test_who_is_blocked_is_told_nothing(visit):
    own, tybalt = visit
    send_presence(tybalt, own.client.bare_jid)
    tybalt.message()
    own.client.iq("set", "<block xmlns='urn:xmpp:blocking'><item "
                  f"jid='{tybalt.bare_jid}'/></block>")
    own.publish(TUNE, "b")
    assert event_ids(tybalt.flush()) == []


def test_only_so_many_are_remembered(people, visit):
    own, tybalt = visit
    send_presence(tybalt, own.client.bare_jid)
    tybalt.message()
    crowd = people.login("crowd")
    for number in range(5):
        send_presence(crowd, f"{people.name('juliet')}{number}@localhost")
    crowd.flush()
    own.publish(TUNE, "b")
    assert event_ids(tybalt.flush()) == []


def test_a_reload_keeps_them(people, visit):
    own, tybalt = visit
    send_presence(tybalt, own.client.bare_jid)
    tybalt.message()
    people.server.server.modules.reload("localhost", "pep")
    own.publish(TUNE, "b")
    assert event_ids(tybalt.flush()) == [(TUNE, "b")]


# -- the address of the client that has published ----------------------------------------------


def test_those_who_get_the_presence_are_told_which_client_has_published(people, visit):
    own, tybalt = visit
    romeo, other = people.login("romeo"), people.login("juliet", "other")
    people.befriend("juliet", "romeo")
    Wanting(TUNE).announce(romeo), Wanting(TUNE).announce(other)
    send_presence(tybalt, own.client.bare_jid)
    tybalt.message()
    own.publish(TUNE, "b")
    for client in (romeo, other):
        assert reply_to(client.message()) == [("replyto", own.client.jid)]
    assert reply_to(tybalt.message()) == []


def test_subscribers_are_told_so_only_if_they_get_the_presence(people, visit):
    own, _tybalt = visit
    romeo, paris = people.login("romeo"), people.login("paris")
    people.set("juliet", romeo.bare_jid, "from")
    for client in (romeo, paris):
        Asking(client, own.client.bare_jid).subscribe(TUNE)
        client.flush()
    own.publish(TUNE, "b")
    assert reply_to(romeo.message()) == [("replyto", own.client.jid)]
    assert reply_to(paris.message()) == []


# -- groups ------------------------------------------------------------------------------------


def group(client, contact, *groups):
    inside = "".join(f"<group>{name}</group>" for name in groups)
    client.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{contact}'>{inside}</item>"
              "</query>")


def test_who_comes_into_a_group_gets_its_last_items_once(people):
    people.befriend("juliet", "romeo")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    own = Asking(juliet)
    own.publish(TUNE, "a", access_model="roster", roster_groups_allowed=["Friends", "Family"])
    own.publish(MOOD, "a", access_model="roster", roster_groups_allowed=["Work"])
    Wanting(TUNE, MOOD).announce(romeo)
    group(juliet, romeo.bare_jid, "Friends")
    assert event_ids([romeo.message()]) == [(TUNE, "a")]
    group(juliet, romeo.bare_jid, "Family")  # nothing new
    group(juliet, romeo.bare_jid, "Family", "Work")
    assert event_ids([romeo.message()]) == [(MOOD, "a")]
    Asking(romeo, juliet.bare_jid).subscribe(TUNE)
    romeo.flush()
    group(juliet, romeo.bare_jid)
    ended = romeo.message().get_child("event", "http://jabber.org/protocol/pubsub#event").tags[0]
    assert (ended.name, ended.attr["subscription"]) == ("subscription", "none")
    own.publish(TUNE, "b")
    assert event_ids(romeo.flush()) == []
