"""Debian's modules that tell somebody something: of nodes, of waiting messages, of people."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until

PUBSUB, PUSH = "http://jabber.org/protocol/pubsub", "urn:xmpp:push:0"
NODES = "nodes.localhost"


@pytest.fixture
def nodes(start_hosts):
    """Return a function that starts a server with a pubsub service."""
    def start(*there, here=(), **options):
        return start_hosts("pubsub", *there, *here, modules=["disco", *here],
                           admins=["nurse@localhost"], components={NODES: {
                               "module": "pubsub", "modules_enabled": list(there)}}, **options)
    return start


def ask(client, payload, type="set"):
    answer = client.iq(type, f"<pubsub xmlns='{PUBSUB}'>{payload}</pubsub>", NODES)
    assert answer.attr["type"] == "result", str(answer)
    return answer


def test_nodes_are_used_by_talking_to_the_service(nodes):
    running = nodes("pubsub_text_interface")
    nurse, juliet = (running.client(name).available() for name in ("nurse", "juliet"))

    def say(text):
        juliet.send(f"<message to='{NODES}' type='chat'><body>{text}</body></message>")
        return juliet.message().get_child_text("body")

    ask(nurse, "<create node='news'/>")
    assert "`subscribe NODE`" in say("help") and say("list") == "- `news` "
    assert say("subscribe nowhere") == "That node does not exist"
    assert say("subscribe news") == "OK" and say("subscriptions") == "- `news`"
    ask(nurse, "<publish node='news'><item id='1'><entry xmlns='http://www.w3.org/2005/Atom'>"
        "<title>Peace</title></entry></item></publish>")
    event = juliet.message()
    assert event.get_child("event", PUBSUB + "#event") is not None
    assert say("unsubscribe news") == "OK"
    assert say("subscriptions").startswith("You are not subscribed")


def test_a_message_for_who_is_away_is_told_to_a_push_service(nodes):
    running = nodes(here=["smacks", "cloud_notify"], push_notification_with_sender=True)
    nurse, juliet, romeo = (running.client(name).available()
                            for name in ("nurse", "juliet", "romeo"))
    enable = f"<enable xmlns='{PUSH}' jid='{nurse.jid}' node='device-1'/>"
    assert juliet.iq("set", enable).attr["type"] == "result"
    juliet.close()
    wait_until(lambda: "juliet@localhost" not in running.server.bare_sessions)
    romeo.send("<message to='juliet@localhost' type='chat'><body>Art thou there</body></message>")
    request = nurse.receive_until(lambda element: element.name == "iq")
    publish = request.get_child("pubsub", PUBSUB).get_child("publish")
    form = publish.tags[0].get_child("notification", PUSH).get_child("x", "jabber:x:data")
    values = {field.attr["var"]: field.get_child_text("value") for field in form.tags}
    assert publish.attr["node"] == "device-1" and values["message-count"] == "1"
    assert values["last-message-sender"].startswith("romeo@localhost")
    assert values["last-message-body"] == "New Message!"
    again = running.client("juliet").available()
    disable = f"<disable xmlns='{PUSH}' jid='{nurse.jid}'/>"
    assert again.iq("set", disable).attr["type"] == "result"


def test_people_are_found_by_their_cards(start_hosts):
    running = start_hosts("vjud", "storage_internal", modules=["disco", "vcard"],
                          storage="internal", vjud_mode="all",
                          components={"people.localhost": {"module": "vjud",
                                                           "vjud_search_domain": "localhost"}})
    juliet = running.client("juliet").available()
    card = ("<vCard xmlns='vcard-temp'><N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN></N>"
            "<NICKNAME>Jule</NICKNAME></vCard>")
    assert juliet.iq("set", card).attr["type"] == "result"
    fields = juliet.iq("get", "<query xmlns='jabber:iq:search'/>", "people.localhost").tags[0]
    assert {"first", "last", "nick", "email"} <= {tag.name for tag in fields.tags}

    def search(inside):
        # The module, in Prosody as well, fails on a search that names no e-mail address.
        answer = juliet.iq("set", f"<query xmlns='jabber:iq:search'>{inside}<email>zz</email>"
                           "</query>",
                           "people.localhost")
        assert answer.attr["type"] == "result", str(answer)
        return [(item.attr["jid"], item.get_child_text("nick")) for item in answer.tags[0].tags]

    assert search("<last>capu</last>") == [("juliet@localhost", "Jule")]
    assert search("<last>montague</last>") == []


def test_who_knows_no_carbons_gets_copies_all_the_same(start_debian):
    running = start_debian("carbons", "carbons_copies", "adhoc", carbons_copies_default=True)
    desk, phone = (running.client("juliet", name).available() for name in ("desk", "phone"))
    romeo = running.client("romeo").available()
    romeo.send(f"<message to='{desk.jid}' type='chat'><body>psst</body></message>").flush()
    assert [element.get_child_text("body") for element in desk.flush()
            if element.name == "message"] == ["psst"]
    assert any(element.name == "message" for element in phone.flush())
