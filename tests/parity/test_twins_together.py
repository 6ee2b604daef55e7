"""All core modules of Debian's at once: a server whose talk is Prosody's, on our foundations."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import wait_until

CORE = ("presence", "roster", "message", "iq", "offline", "disco", "saslauth", "tls",
        "auth_internal_hashed", "ping", "private", "vcard", "lastactivity", "time", "version",
        "storage_memory", "register_limits", "user_account_management", "csi")
ROSTER = "<query xmlns='jabber:iq:roster'/>"


@pytest.fixture
def running(start_debian):
    return start_debian(*CORE, modules_enabled=[])


def login(running, name, resource="r"):
    client = running.client(name, resource, tls=True)
    client.iq("get", ROSTER)
    return client.available()


def presences(elements):
    return [(element.attr["from"], element.attr.get("type")) for element in elements
            if element.name == "presence"]


def contact(client, jid):
    query = client.iq("get", ROSTER).tags[0]
    return next(({key: item.attr.get(key) for key in ("subscription", "name")}
                 for item in query.tags if item.attr["jid"] == jid), None)


def befriend(one, other):
    for asking, asked in ((one, other), (other, one)):
        asking.send(f"<presence type='subscribe' to='{asked.bare_jid}'/>")
        asked.receive_until(lambda element: element.attr.get("type") == "subscribe")
        asked.send(f"<presence type='subscribed' to='{asking.bare_jid}'/>")
        asking.receive_until(lambda element: element.attr.get("type") == "subscribed")


def test_two_people_meet_talk_part_and_find_what_was_said_meanwhile(running):
    juliet, romeo = login(running, "juliet"), login(running, "romeo")
    befriend(juliet, romeo)
    assert contact(juliet, romeo.bare_jid)["subscription"] == "both"
    assert contact(romeo, juliet.bare_jid)["subscription"] == "both"
    juliet.flush()
    romeo.flush()

    romeo.send("<presence><show>away</show></presence>")
    assert juliet.presence().get_child_text("show") == "away"
    juliet.send(f"<message to='{romeo.bare_jid}' type='chat'><body>Good night</body></message>")
    message = romeo.message()
    assert (message.attr["from"], message.get_child_text("body")) == (juliet.jid, "Good night")
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>Sleep well</body></message>")
    assert juliet.message().get_child_text("body") == "Sleep well"

    romeo.close()
    gone = juliet.receive_until(lambda element: element.attr.get("type") == "unavailable")
    assert gone.attr["from"] == romeo.jid
    wait_until(lambda: romeo.jid not in running.server.full_sessions)
    for number in range(3):
        juliet.send(f"<message to='{romeo.bare_jid}' type='chat'><body>{number}</body></message>")
    juliet.flush()
    romeo = running.client("romeo", "again", tls=True)
    romeo.send("<presence/>")
    elements = romeo.flush()
    assert (juliet.jid, None) in presences(elements)
    waited = [element for element in elements if element.name == "message"]
    assert [element.get_child_text("body") for element in waited] == ["0", "1", "2"]
    assert all(element.get_child("delay", "urn:xmpp:delay") is not None for element in waited)
    assert juliet.receive_until(
        lambda element: element.attr.get("from") == romeo.jid).name == "presence"


def test_a_contact_is_renamed_and_removed(running):
    juliet, romeo = login(running, "juliet"), login(running, "romeo")
    befriend(juliet, romeo)
    juliet.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{romeo.bare_jid}' name='R'/>"
                     "</query>")
    assert contact(juliet, romeo.bare_jid) == {"subscription": "both", "name": "R"}
    juliet.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{romeo.bare_jid}' "
                     "subscription='remove'/></query>")
    assert contact(juliet, romeo.bare_jid) is None
    assert contact(romeo, juliet.bare_jid)["subscription"] == "none"


def test_a_removed_account_is_gone_everywhere(running):
    juliet, romeo = login(running, "juliet"), login(running, "romeo")
    befriend(juliet, romeo)
    juliet.iq("set", "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>")
    juliet.send("<iq type='set' id='x'><query xmlns='jabber:iq:register'><remove/></query></iq>")
    assert juliet.closed_with() is not None
    server = running.server
    wait_until(lambda: not users.user_exists(server, "juliet", "localhost"))
    assert contact(romeo, "juliet@localhost")["subscription"] == "none"
    for store in ("vcard", "roster", "accounts"):
        assert server.storage.open("localhost", store, "keyval").get("juliet") is None
    answer = romeo.iq("get", "<vCard xmlns='vcard-temp'/>", "juliet@localhost")
    assert answer.attr["type"] == "error"


def test_unknown_payloads_and_full_addresses_are_answered(running):
    juliet, romeo = login(running, "juliet"), login(running, "romeo")
    answer = juliet.iq("get", "<x xmlns='urn:unknown'/>", romeo.bare_jid)
    assert answer.get_error()[1] == "service-unavailable"
    assert juliet.iq("get", "<x xmlns='urn:unknown'/>").get_error()[1] == "service-unavailable"
    juliet.send(f"<iq type='get' id='q' to='{romeo.jid}'><x xmlns='urn:x'/></iq>")
    asked = romeo.receive_until(lambda element: element.name == "iq")
    romeo.send(f"<iq type='result' id='{asked.attr['id']}' to='{asked.attr['from']}'/>")
    answer = juliet.receive_until(lambda element: element.attr.get("id") == "q")
    assert (answer.attr["type"], answer.attr["from"]) == ("result", romeo.jid)
