"""Somebody who stores what can be stored: each way ends, at a bound that is known.

The limits of this server are small. Each way of writing is gone until it is refused, and then what
the SQLite file has of the account is added up.
"""

from __future__ import annotations

import sqlite3

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.people import People
from prosody_py.testing.pubsub import ERRORS, OWNER, PUBSUB, form

MODULES = """blocklist bookmarks cache_c2s_caps cloud_notify mds message offline pep presence
private vcard vcard4""".split()
KB = 1024
LIMITS = {"storage_account_limit": "40 KB", "pep_max_nodes_size": "30 KB",
          "max_roster_size": "20 KB", "offline_size_limit": "15 KB", "blocklist_max_items": 10,
          "push_max_devices": 3}
MOST = 300  # writes after which a bound is none
FULL = ("wait", "resource-constraint")


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), MODULES, storage="sqlite", **LIMITS)
    yield running
    running.stop()


@pytest.fixture
def mallory(people):
    return people.login("mallory")


def stored(people: People, account: str, *without: str) -> int:
    """Return the bytes of an account in the file, keys and values, but for some stores."""
    path = people.server.server.paths["data"] + "/prosody.sqlite"
    username, left_out = account.partition("@")[0], ("accounts", *without)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT name, length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)) FROM ("
            "SELECT store, key, value FROM item WHERE user = ?1 UNION ALL "
            "SELECT store, key, value FROM archive WHERE user = ?1) JOIN store ON id = store",
            (username,)).fetchall()
    return sum(size for name, size in rows if name not in left_out)


def pubsub(inside: str, xmlns: str = PUBSUB) -> str:
    return f"<pubsub xmlns='{xmlns}'>{inside}</pubsub>"


def publish(node: str, id: str, text: str, **options) -> str:
    chosen = f"<publish-options>{form('publish-options', options)}</publish-options>" \
        if options else ""
    return pubsub(f"<publish node='{node}'><item id='{id}'><x xmlns='x'>{text}</x></item>"
                  f"</publish>{chosen}")


def private(name: str, text: str) -> str:
    return (f"<query xmlns='jabber:iq:private'><x xmlns='urn:{name}'>{text}</x></query>")


def contact(number: int) -> str:
    groups = "".join(f"<group>{each}{'g' * 100}</group>" for each in range(5))
    return (f"<query xmlns='jabber:iq:roster'><item jid='c{number}@localhost' "
            f"name='{'n' * 500}'>{groups}</item></query>")


def bookmarks(number: int) -> str:
    rooms = "".join(f"<conference jid='{each}@rooms.localhost'><nick>{'n' * 500}</nick>"
                    "</conference>" for each in range(number + 1))
    return f"<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>{rooms}" \
        "</storage></query>"


WAYS = {  # what is written: a function of how often it was done before
    "items of one node": lambda n: publish("a", str(n), "x" * 2000, max_items="max"),
    "one item of many nodes": lambda n: publish(f"node{n}", "a", "x" * 2000),
    "private XML": lambda n: private(str(n), "x" * 2000),
    "tiny private XML": lambda n: private(str(n), "x"),
    "bookmarks": bookmarks,
    "a vCard of the old kind": lambda n: (
        f"<vCard xmlns='vcard-temp'><DESC>{'x' * 2000 * n}</DESC></vCard>"),
    "a vCard of the new kind": lambda n: (
        f"<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><note><text>{'x' * 2000 * n}</text>"
        "</note></vcard>"),
    "a mixture": lambda n: (publish(f"node{n}", "a", "x" * 999) if n % 2
                            else private(str(n), "x" * 999)),
}

NODES = {  # what is kept in memory while a node is in use
    "empty nodes": lambda n: pubsub(f"<create node='{'n' * 500}{n}'/>"),
    "nodes with descriptions": lambda n: pubsub(
        f"<create node='n{n}'/><configure>{form('node_config', {'description': 'x' * 900})}"
        "</configure>"),
    "nodes for many groups": lambda n: pubsub(
        f"<create node='n{n}'/><configure>" + form("node_config", {"roster_groups_allowed": [
            f"{each}{'g' * 50}" for each in range(20)]}) + "</configure>"),
}


def until_refused(client, write, to: str | None = None) -> tuple[str, str]:
    """Write until it is refused; return the error."""
    for number in range(MOST):
        answer = client.iq("set", write(number), to)
        if answer.attr["type"] == "error":
            assert number
            return answer.get_error()[:2]
    raise AssertionError("There is no bound")


def nodes_of(client) -> list[str]:
    """Return the names of the nodes of a client's account."""
    listed = client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>",
                       client.bare_jid).tags[0].tags
    return [item.attr["node"] for item in listed if "node" in item.attr]


@pytest.mark.parametrize("way", WAYS)
def test_what_an_account_stores_at_will_has_a_bound(people, mallory, way):
    assert until_refused(mallory, WAYS[way]) == FULL
    assert 10 * KB < stored(people, mallory.bare_jid) <= 40 * KB
    # What is there can be deleted, and then there is room again.
    other = publish("other", "a", "x" * 8000)
    assert mallory.iq("set", other).get_error()[:2] == FULL
    for node in nodes_of(mallory):
        mallory.iq("set", pubsub(f"<delete node='{node}'/>", OWNER))
    mallory.iq("set", "<query xmlns='jabber:iq:private'>" + "".join(
        f"<x xmlns='urn:{number}'/>" for number in range(MOST)) + "</query>")
    mallory.iq("set", "<vCard xmlns='vcard-temp'/>")
    assert mallory.iq("set", other).attr["type"] == "result"


@pytest.mark.parametrize("way", NODES)
def test_what_nodes_are_has_a_bound(people, mallory, way):
    assert until_refused(mallory, NODES[way]) == FULL
    assert 10 * KB < stored(people, mallory.bare_jid) <= 30 * KB
    assert mallory.iq("set", private("a", "x" * 5000)).attr["type"] == "result"
    mallory.iq("set", pubsub(f"<delete node='{nodes_of(mallory)[0]}'/>", OWNER))
    assert mallory.iq("set", NODES[way](MOST)).attr["type"] == "result"


def test_one_who_has_stored_much_is_no_matter_to_others(people, mallory):
    romeo = people.login("romeo")
    until_refused(mallory, WAYS["private XML"])
    assert romeo.iq("set", private("a", "x" * 2000)).attr["type"] == "result"


def test_a_node_gives_rights_to_so_many_only(people, mallory):
    mallory.iq("set", pubsub("<create node='a'/>"))
    error = until_refused(mallory, lambda number: pubsub(
        f"<affiliations node='a'><affiliation jid='{'a' * 900}{number}@localhost' "
        "affiliation='member'/></affiliations>", OWNER))
    assert error == FULL and stored(people, mallory.bare_jid) <= 30 * KB


def test_notes_of_where_nodes_are_have_a_bound(people, mallory):
    def steps():
        for number in range(MOST):
            yield f"<create node='n{number}'/>", PUBSUB
            yield f"<delete node='n{number}'><redirect uri='xmpp:{'x' * 900}'/></delete>", OWNER
    steps = steps()
    assert until_refused(mallory, lambda _number: pubsub(*next(steps))) == FULL
    assert stored(people, mallory.bare_jid) <= 30 * KB


def test_what_others_subscribe_to_has_a_bound(people, mallory):
    mallory.iq("set", publish("a", "1", "x", access_model="open"))
    romeo = people.login("romeo")
    error = until_refused(romeo, lambda number: pubsub(
        f"<subscribe node='a' jid='{romeo.bare_jid}/{'r' * 900}{number}'/>"), mallory.bare_jid)
    assert error == ("wait", "policy-violation")
    assert stored(people, mallory.bare_jid) <= 18 * KB
    # The other half is for the account itself.
    assert mallory.iq("set", pubsub("<create node='b'/>")).attr["type"] == "result"
    assert mallory.iq("set", pubsub("<delete node='a'/>", OWNER)).attr["type"] == "result"


def test_one_item_has_a_bound(people, mallory):
    """Also after others of it: the item is not there, and the one before still is."""
    mallory.iq("set", publish("a", "1", "x" * 30_000))
    for _ in range(2):
        assert mallory.iq("set", publish("a", "1", "x" * 50_000)).get_error()[:2] == FULL
    items = mallory.iq("get", pubsub("<items node='a'/>")).tags[0].tags[0]
    assert [len(item.get_text()) for item in items.tags[0].tags] == [30_000]
    mallory.iq("set", pubsub(f"<configure node='a'>{form('node_config', {'max_payload_size': 9})}"
                             "</configure>", OWNER))
    error = mallory.iq("set", publish("a", "1", "x")).get_error()
    assert (error[1], error[3].name, error[3].attr["xmlns"]) == (
        "not-acceptable", "payload-too-big", ERRORS)


def test_a_roster_has_a_bound(people, mallory):
    assert until_refused(mallory, contact) == FULL
    assert stored(people, mallory.bare_jid) <= 20 * KB
    mallory.iq("set", "<query xmlns='jabber:iq:roster'><item jid='c0@localhost' "
               "subscription='remove'/></query>")
    assert mallory.iq("set", contact(0)).attr["type"] == "result"
    # What is refused is not there for who asks either.
    known = mallory.iq("get", "<query xmlns='jabber:iq:roster'/>").tags[0].tags
    assert len(known) == len(people.roster("mallory"))


def test_a_blocklist_has_a_bound(people, mallory):
    error = until_refused(mallory, lambda number: (
        f"<block xmlns='urn:xmpp:blocking'><item jid='b{number}@localhost'/></block>"))
    assert error == ("modify", "policy-violation")


def test_devices_to_be_notified_have_a_bound(people, mallory):
    for number in range(8):
        assert mallory.iq("set", "<enable xmlns='urn:xmpp:push:0' jid='push.localhost' "
                          f"node='{number}{'n' * 900}'/>").attr["type"] == "result"
    assert stored(people, mallory.bare_jid) <= 6 * KB


def test_messages_that_wait_have_a_bound_in_bytes(people):
    people.login("mallory").close()
    mallory = people.jid("mallory")
    wait_until(lambda: mallory not in people.server.server.bare_sessions)
    romeo = people.login("romeo")
    for number in range(12):
        romeo.send(f"<message to='{mallory}' type='chat' id='{number}'><body>{'x' * 2000}"
                   "</body></message>")
    refused = [element for element in romeo.flush() if element.name == "message"]
    assert [element.get_error()[1] for element in refused] == ["service-unavailable"] * (
        len(refused))
    assert 3 < len(refused) < 12
    assert stored(people, mallory) <= 15 * KB
    bodies = [element for element in people.login("mallory").flush() if element.name == "message"]
    assert len(bodies) == 12 - len(refused)


def test_names_of_nodes_that_are_gone_leave_nothing(people, mallory):
    path = people.server.server.paths["data"] + "/prosody.sqlite"

    def listed():
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return {name for (name,) in database.execute("SELECT name FROM store")}
    before = listed()
    for number in range(10):
        mallory.iq("set", publish(f"made-up-{number}", "a", "x"))
    assert len(listed() - before) == 10
    for number in range(10):
        mallory.iq("set", pubsub(f"<delete node='made-up-{number}'/>", OWNER))
    assert listed() == before
