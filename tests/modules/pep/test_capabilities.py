"""Who wants to be told: capabilities here and elsewhere, true and false ones."""

from __future__ import annotations

import base64
import hashlib

import gevent
import pytest

from prosody_py.events.bystanders import meddlers, meddles
from prosody_py.testing.client import wait_until
from prosody_py.testing.people import People
from prosody_py.testing.pubsub import DISCO, Asking, Wanting, event_ids
from prosody_py.xmpp.caps import hash_input
from prosody_py.xmpp.parser import StreamParser

NODE = "urn:example:node"
ELSEWHERE = "elsewhere.localhost"


@pytest.fixture
def running(start_server):
    return start_server(["pep", "presence"], components={ELSEWHERE: {"module": "disco"}})


@pytest.fixture
def people(running):
    people = People(running)
    yield people
    people.close()


@pytest.fixture
def friends(people):
    people.befriend("juliet", "romeo")
    return people.login("juliet"), people.login("romeo"), people.login("romeo", "second")


def test_what_one_client_has_said_need_not_be_asked_again(friends):
    juliet, romeo, second = friends
    wanting = Wanting(NODE)
    wanting.announce(romeo)
    Asking(juliet).publish(NODE, "a")
    second.flush()
    second.send(f"<presence>{wanting.caps()}</presence>")
    got = second.flush()
    assert [element for element in got if element.name == "iq"] == []
    assert event_ids(got + second.flush()) == [(NODE, "a")]


def test_what_is_not_true_is_not_believed(friends):
    juliet, romeo, second = friends
    wanting, liar = Wanting(NODE), Wanting("other")
    romeo.send(f"<presence>{wanting.caps()}</presence>")
    request = romeo.receive_until(lambda element: element.attr.get("type") == "get")
    liar.answer(romeo, request)  # poisons the hash
    romeo.flush()
    second.send(f"<presence>{wanting.caps()}</presence>")
    request = second.receive_until(lambda element: element.attr.get("type") == "get")
    wanting.answer(second, request)  # nobody has believed it
    second.flush()
    Asking(juliet).publish(NODE, "a")
    assert event_ids(second.flush()) == [(NODE, "a")]
    assert event_ids(romeo.flush()) == []


def test_capabilities_of_the_second_kind(friends):
    juliet, romeo, second = friends
    wanting = Wanting(NODE)
    digest = base64.b64encode(hashlib.sha256(hash_input(wanting.query)).digest()).decode()
    c = (f"<c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>{digest}"
         "</hash></c>")
    romeo.send(f"<presence>{c}</presence>")
    request = romeo.receive_until(lambda element: element.attr.get("type") == "get")
    assert request.tags[0].attr["node"] == f"urn:xmpp:caps#sha-256.{digest}"
    wanting.answer(romeo, request)
    romeo.flush()
    second.send(f"<presence>{c}</presence>").flush()
    Asking(juliet).publish(NODE, "a")
    assert event_ids(romeo.flush()) == event_ids(second.flush()) == [(NODE, "a")]


def test_without_capabilities_nothing_is_told(friends):
    juliet, romeo, second = friends
    Wanting(NODE).announce(romeo)
    romeo.send("<presence/>").flush()
    Asking(juliet).publish(NODE, "a")
    assert event_ids(romeo.flush()) == []
    assert event_ids(second.flush()) == []


def test_who_is_not_available_is_told_nothing(friends):
    juliet, romeo, _second = friends
    wanting = Wanting(NODE)
    wanting.announce(romeo)
    romeo.send("<presence type='unavailable'/>").flush()
    own = Asking(juliet)
    own.publish(NODE, "a")
    assert event_ids(romeo.flush()) == []
    assert event_ids(wanting.announce(romeo)) == [(NODE, "a")]


# -- elsewhere -----------------------------------------------------------------------------------


class Elsewhere:
    """A contact's resource on another host: what is sent to it ends up in `got`."""

    def __init__(self, running, name="nurse"):
        self.server = running.server
        self.host = running.server.hosts[ELSEWHERE]
        self.jid = f"{name}@{ELSEWHERE}/r"
        self.got = []
        for name in ("message", "iq", "presence"):
            self.host.events.add_handler(f"{name}/full", self.take, 100)

    def take(self, event):
        self.got.append(event.stanza)
        return True

    def send(self, text):
        parser = StreamParser(100_000, single=False)
        parser.feed(b"<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'>")
        (element,) = parser.feed(text.encode())
        element.attr["from"] = self.jid
        self.server.post_stanza(self.host, element)

    def announce(self, wanting, to):
        self.send(f"<presence to='{to}'>{wanting.caps()}</presence>")

    def answer(self, wanting):
        wait_until(lambda: any(element.name == "iq" for element in self.got))
        request = next(element for element in self.got if element.name == "iq")
        self.got.remove(request)
        query = wanting.query.clone()
        query.attr["node"] = request.tags[0].attr["node"]
        self.send(f"<iq type='result' id='{request.attr['id']}' to='{request.attr['from']}'>"
                  f"{query}</iq>")
        return request


@pytest.fixture
def nurse(running, people):
    nurse = Elsewhere(running)
    people.set("juliet", "nurse@" + ELSEWHERE, "both")
    return nurse


def test_a_resource_elsewhere_is_asked_and_told(running, people, nurse):
    juliet = people.login("juliet")
    own = Asking(juliet)
    own.publish(NODE, "a")
    nurse.got.clear()
    wanting = Wanting(NODE)
    nurse.announce(wanting, juliet.bare_jid)
    request = nurse.answer(wanting)
    assert request.attr["from"] == juliet.bare_jid and request.attr["to"] == nurse.jid
    assert request.tags[0].attr == {"xmlns": DISCO, "node": f"{wanting.node}#{wanting.ver}"}
    wait_until(lambda: nurse.got)
    assert event_ids(nurse.got) == [(NODE, "a")]
    nurse.announce(wanting, juliet.bare_jid)
    own.publish(NODE, "b")
    assert event_ids(nurse.got) == [(NODE, "a"), (NODE, "b")]
    assert nurse.got[-1].attr["to"] == nurse.jid
    running.server.modules.reload("localhost", "pep")
    own.publish(NODE, "c")
    assert event_ids(nurse.got)[2:] == [(NODE, "c")]
    nurse.send(f"<presence to='{juliet.bare_jid}' type='unavailable'/>")
    own.publish(NODE, "d")
    assert len(nurse.got) == 3


def test_a_resource_elsewhere_without_rights_is_told_nothing(people, nurse):
    people.set("juliet", "nurse@" + ELSEWHERE, "to")
    juliet = people.login("juliet")
    own = Asking(juliet)
    nurse.got.clear()
    wanting = Wanting(NODE, "open")
    nurse.announce(wanting, juliet.bare_jid)
    nurse.answer(wanting)
    own.publish(NODE, "a")
    own.publish("open", "b", access_model="open")
    assert event_ids(nurse.got) == [("open", "b")]


def test_what_is_remembered_of_elsewhere_is_bounded(start_server):
    running = start_server(["pep", "presence"], pep_max_remote_resources=5,
                           components={ELSEWHERE: {"module": "disco"}})
    running.user("juliet")
    wanting = Wanting(NODE)
    for number in range(20):
        nurse = Elsewhere(running, f"nurse{number}")
        nurse.announce(wanting, "juliet@localhost")
    away = running.server.hosts["localhost"].modules["pep"].away
    assert len(away) == 5
    assert {address for address, _wanted in away.of("juliet@localhost")} == {
        f"nurse{number}@{ELSEWHERE}/r" for number in range(15, 20)}
    for number in range(15, 20):
        away.remove("juliet@localhost", f"nurse{number}@{ELSEWHERE}/r")
        away.remove("juliet@localhost", "nobody@x/y")
    assert len(away) == 0 and away.of("juliet@localhost") == []


def test_nothing_of_pep_stands_in_the_way_of_shortcuts(start_server):
    """Presence and headlines are written once for all, whatever of ours is loaded."""
    running = start_server(["pep", "vcard_legacy", "bookmarks", "mds", "presence", "message",
                            "carbons", "mam", "blocklist", "cloud_notify"])
    events = running.server.hosts["localhost"].events
    running.client("juliet").available().iq("get", "<blocklist xmlns='urn:xmpp:blocking'/>")
    presence = ("presence/bare", "pre-presence/bare", "presence/full", "pre-presence/full")
    messages = ("message/bare", "message/full")
    for kind, owner, names in (
            ("presence", "presence", presence), ("headline", "message", messages),
            ("room", "message", ("message/full",)), ("room", "presence", ("presence/full",))):
        found = meddlers(events, kind, owner, *names)
        assert not meddles(found, "juliet@localhost", "romeo@localhost")
    for owner, names in (("presence", presence), ("message", messages)):
        events.add_handler(names[0], lambda event: None)
        assert meddlers(events, "headline", owner, *names) is None


def test_hosts_that_do_not_answer_are_not_asked_without_end(start_server):
    running = start_server(["pep", "presence"], components={ELSEWHERE: {"module": "disco"}})
    running.user("juliet")
    silent = [Elsewhere(running, f"nurse{number}") for number in range(40)]
    for nurse in silent:
        nurse.announce(Wanting(NODE), "juliet@localhost")
        gevent.sleep(0)
    gevent.sleep(0.05)
    asked = running.server.hosts["localhost"].modules["pep"].asked
    assert asked == {ELSEWHERE: 32}
    # Clients here are asked all the same.
    juliet = running.client("juliet").available()
    Wanting(NODE).announce(juliet)
    Asking(juliet).publish(NODE, "a")
    assert event_ids(juliet.flush()) == [(NODE, "a")]
