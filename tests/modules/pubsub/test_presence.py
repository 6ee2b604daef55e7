"""XEP-0060 sections 12.3 and 12.4: what depends on who is online, here and elsewhere."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, error, event_ids, form, values
from prosody_py.xmpp.parser import parse_fragment

HOST, ELSEWHERE = "pubsub.localhost", "elsewhere.localhost"
NURSE = f"nurse@{ELSEWHERE}/r"
TEMPORARY = {"expire": "presence"}


@pytest.fixture
def running(start_server):
    return start_server(["presence", "message"], admins=["hamlet@localhost"], components={
        HOST: {"module": "pubsub", "modules_enabled": ["disco"]}, ELSEWHERE: {"module": "disco"}})


@pytest.fixture
def people(running):
    people = People(running)
    yield people
    people.close()


@pytest.fixture
def hamlet(running):
    hamlet = Asking(running.client("hamlet").available(), HOST)
    hamlet.create("node")
    return hamlet


def subscription(jid, **options):
    chosen = f"<options>{form('subscribe_options', options)}</options>" if options else ""
    return f"<subscribe node='node' jid='{jid}'/>{chosen}"


def subscribers(running):
    return sorted(running.server.hosts[HOST].modules["pubsub"].service.nodes["node"].subscribers)


def test_a_temporary_subscription_ends_when_its_subscriber_goes_offline(running, people, hamlet):
    own = Asking(people.login("juliet"), HOST)
    other = people.login("juliet", "other")
    own.set(subscription(own.client.bare_jid, **TEMPORARY))
    own.set(subscription(other.jid, **TEMPORARY))
    options = own.get(f"<options node='node' jid='{other.jid}'/>").tags[0]
    assert values(options)["expire"] == ["presence"]
    other.send("<presence type='unavailable'/>")
    other.flush()
    assert subscribers(running) == [own.client.bare_jid]
    hamlet.publish("node", "a")
    assert event_ids(own.client.flush()) == [("node", "a")]
    own.client.send("<presence type='unavailable'/>")
    own.client.flush()
    assert subscribers(running) == []


def test_only_who_is_online_has_one(people, hamlet):
    own = Asking(people.login("juliet", available=False), HOST)
    assert own.refused("set", subscription(own.client.bare_jid, **TEMPORARY)) == (
        "modify", "not-acceptable", None)


def test_some_states_are_not_disturbed(people, hamlet):
    own = Asking(people.login("juliet"), HOST)
    own.set(subscription(own.client.bare_jid, **{"show-values": ["online", "chat"]}))
    for number, (show, wanted) in enumerate((("", True), ("dnd", False), ("chat", True))):
        own.client.send(f"<presence>{f'<show>{show}</show>' if show else ''}</presence>")
        own.client.flush()
        hamlet.publish("node", str(number))
        assert event_ids(own.client.flush()) == [("node", str(number))] * wanted
    wrong = subscription(own.client.jid, **{"show-values": ["asleep"]})
    assert own.refused("set", wrong) == ("modify", "bad-request", "invalid-options")


def test_a_node_can_be_for_who_is_online(running, people, hamlet):
    hamlet.configure("node", presence_based_delivery="1", tempsub="1",
                     send_last_published_item="on_sub")
    hamlet.publish("node", "a")
    own = Asking(people.login("juliet"), HOST)
    away = Asking(people.login("romeo", available=False), HOST)
    own.set(subscription(own.client.bare_jid))
    assert event_ids(own.client.flush()) == [("node", "a")]
    assert away.refused("set", subscription(away.client.bare_jid))[1] == "not-acceptable"
    hamlet.configure("node", tempsub="0")
    away.set(subscription(away.client.bare_jid))
    hamlet.publish("node", "b")
    assert event_ids(own.client.flush()) == [("node", "b")]
    assert subscribers(running) == [own.client.bare_jid, away.client.bare_jid]


def test_items_can_go_with_their_publisher(people, hamlet):
    hamlet.configure("node", purge_offline="1", publish_model="open")
    own = Asking(people.login("juliet"), HOST)
    own.publish("node", "a")
    hamlet.publish("node", "b")
    own.client.send("<presence type='unavailable'/>")
    own.client.flush()
    assert hamlet.items("node") == ["b"]


class Nurse:
    """Somebody on another host."""

    def __init__(self, running):
        self.server, self.host, self.got = running.server, running.server.hosts[ELSEWHERE], []
        for name in ("message", "iq"):
            for kind in ("full", "bare"):
                self.host.events.add_handler(f"{name}/{kind}", self.take, 100)

    def take(self, event):
        self.got.append(event.stanza)
        return True

    def send(self, text):
        element = parse_fragment(text)
        element.attr.pop("xmlns", None)
        element.attr["from"] = NURSE
        self.server.post_stanza(self.host, element)

    def presence(self, inside="", more=""):
        self.send(f"<presence to='{HOST}'{more}>{inside}</presence>")

    def set(self, inside):
        self.send(f"<iq type='set' id='i' to='{HOST}'>"
                  f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inside}</pubsub></iq>")
        return self.got.pop()


@pytest.fixture
def nurse(running):
    return Nurse(running)


def test_who_is_elsewhere_says_so_by_presence(running, nurse, hamlet):
    account = "nurse@" + ELSEWHERE
    assert error(nurse.set(subscription(account, **TEMPORARY)))[1] == "not-acceptable"
    nurse.presence("<show>away</show>")
    nurse.set(subscription(account, **TEMPORARY))
    nurse.set(subscription(NURSE, **{"show-values": ["away"]}))
    hamlet.publish("node", "a")
    assert sorted(message.attr["to"] for message in nurse.got) == [account, NURSE]
    nurse.got.clear()
    nurse.presence()
    running.server.modules.reload(HOST, "pubsub")  # who is online elsewhere is known all the same
    hamlet.publish("node", "b")
    assert [message.attr["to"] for message in nurse.got] == [account]
    nurse.presence(more=" type='unavailable'")
    assert subscribers(running) == [NURSE]


def test_what_is_known_of_elsewhere_is_bounded(running, nurse, hamlet, monkeypatch):
    module = running.server.hosts[HOST].modules["pubsub"]
    presence = [value for value in vars(module.exports).values()
                if getattr(value, "__name__", "") == "Elsewhere"]
    monkeypatch.setitem(presence[0].put.__globals__, "MOST", 2)
    nurse.presence()
    nurse.set(subscription(NURSE, **TEMPORARY))
    for number in range(2):
        assert subscribers(running) == [NURSE]
        element = parse_fragment(f"<presence to='{HOST}'/>")
        element.attr["from"] = f"other@{ELSEWHERE}/{number}"
        running.server.post_stanza(nurse.host, element)
    assert subscribers(running) == []  # the one heard of longest ago counts as offline
    assert len(module.elsewhere.states) == 2 and len(module.elsewhere.of_account) == 1
