"""mod_pep, mod_bookmarks, mod_vcard_legacy and mod_pubsub of Debian: events by account and node."""

from __future__ import annotations

import base64
import hashlib

import pytest

PUBSUB, NICK = "http://jabber.org/protocol/pubsub", "http://jabber.org/protocol/nick"
DISCO, CAPS = "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps"
BOOKMARKS = "urn:xmpp:bookmarks:1"
VER = base64.b64encode(hashlib.sha1(f"client/pc//x<{NICK}+notify<".encode()).digest()).decode()


def publish(client, node, payload, item="current", to=None):
    return client.iq("set", f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'>"
                     f"<item id='{item}'>{payload}</item></publish></pubsub>", to)


def items(client, node, to=None):
    """Return the items of a node, or the condition of the error."""
    answer = client.iq("get", f"<pubsub xmlns='{PUBSUB}'><items node='{node}'/></pubsub>", to)
    if answer.attr["type"] == "error":
        return answer.get_error()[1]
    return answer.get_child("pubsub", PUBSUB).get_child("items").tags


def befriend(one, other):
    for asker, answerer in ((one, other), (other, one)):
        asker.send(f"<presence type='subscribe' to='{answerer.bare_jid}'/>").flush()
        answerer.send(f"<presence type='subscribed' to='{asker.bare_jid}'/>").flush()


def wait_for_event(client):
    """Return the next event that is pushed; answers meanwhile what the client can do."""
    while True:
        element = client.receive()
        if element.name == "iq" and element.attr["type"] == "get":
            node = element.tags[0].attr["node"]
            client.send(f"<iq type='result' id='{element.attr['id']}' to='{element.attr['from']}'>"
                        f"<query xmlns='{DISCO}' node='{node}'>"
                        "<identity category='client' type='pc' name='x'/>"
                        f"<feature var='{NICK}+notify'/></query></iq>")
        elif element.name == "message":
            return element.get_child("event", PUBSUB + "#event").tags[0]


@pytest.fixture
def friends(start_debian):
    """Return two accounts that see each other's presence."""
    running = start_debian("pep", "pubsub")
    juliet = running.client("juliet", "balcony").available()
    romeo = running.client("romeo", "orchard").available()
    befriend(juliet, romeo)
    juliet.flush()
    romeo.flush()
    return running, juliet, romeo


def test_a_contact_that_wants_to_know_is_told_what_is_published(friends):
    _running, juliet, romeo = friends
    assert publish(juliet, NICK, f"<nick xmlns='{NICK}'>Jule</nick>").attr["type"] == "result"
    romeo.send(f"<presence><c xmlns='{CAPS}' hash='sha-1' node='http://x' ver='{VER}'/></presence>")
    event = wait_for_event(romeo)  # the last item, as soon as it is known that it is wanted
    assert event.attr["node"] == NICK
    assert event.get_child("item").get_child_text("nick", NICK) == "Jule"
    publish(juliet, NICK, f"<nick xmlns='{NICK}'>Capulet</nick>")
    while event.get_child("item").get_child_text("nick", NICK) != "Capulet":
        event = wait_for_event(romeo)


def test_contacts_can_read_what_strangers_cannot(friends):
    running, juliet, romeo = friends
    publish(juliet, NICK, f"<nick xmlns='{NICK}'>Jule</nick>")
    (item,) = items(romeo, NICK, juliet.bare_jid)
    assert (item.attr["id"], item.get_child_text("nick", NICK)) == ("current", "Jule")
    assert items(running.client("tybalt").available(), NICK, juliet.bare_jid) == "forbidden"


def test_an_item_is_retracted_and_a_node_deleted(friends):
    _running, juliet, _romeo = friends
    publish(juliet, NICK, f"<nick xmlns='{NICK}'>Jule</nick>")
    juliet.iq("set", f"<pubsub xmlns='{PUBSUB}'><retract node='{NICK}'><item id='current'/>"
              "</retract></pubsub>")
    assert items(juliet, NICK) == []
    juliet.iq("set", f"<pubsub xmlns='{PUBSUB}#owner'><delete node='{NICK}'/></pubsub>")
    assert items(juliet, NICK) == "item-not-found"


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_bookmarks_of_old_clients_and_of_new_ones_are_the_same(start_debian, storage):
    running = start_debian("pep", "pubsub", "bookmarks", storage=storage)
    juliet = running.client("juliet").available()
    old = ("<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>{}</storage>"
           "</query>")
    room = "<conference jid='hall@rooms.localhost' autojoin='1' name='Hall'/>"
    assert juliet.iq("set", old.format(room)).attr["type"] == "result"
    (item,) = items(juliet, BOOKMARKS)
    assert item.attr["id"] == "hall@rooms.localhost"
    assert item.get_child("conference", BOOKMARKS).attr["name"] == "Hall"
    publish(juliet, BOOKMARKS, f"<conference xmlns='{BOOKMARKS}' name='Cell'/>",
            "cell@rooms.localhost")
    storage_ = juliet.iq("get", old.format("")).tags[0].get_child("storage", "storage:bookmarks")
    assert {tag.attr["jid"]: tag.attr["name"] for tag in storage_.tags} == {
        "hall@rooms.localhost": "Hall", "cell@rooms.localhost": "Cell"}


def test_a_vcard_becomes_an_avatar_and_the_other_way_round(start_debian):
    running = start_debian("pep", "pubsub", "vcard_legacy")
    juliet = running.client("juliet").available()
    photo = base64.b64encode(b"picture").decode()
    answer = juliet.iq("set", "<vCard xmlns='vcard-temp'><FN>Juliet</FN><PHOTO><TYPE>image/png"
                       f"</TYPE><BINVAL>{photo}</BINVAL></PHOTO></vCard>")
    assert answer.attr["type"] == "result"
    (item,) = items(juliet, "urn:xmpp:avatar:data")
    assert item.attr["id"] == hashlib.sha1(b"picture").hexdigest()
    assert item.get_child_text("data", "urn:xmpp:avatar:data") == photo
    vcard = juliet.iq("get", "<vCard xmlns='vcard-temp'/>").get_child("vCard", "vcard-temp")
    assert vcard.get_child_text("FN") == "Juliet"
    assert vcard.get_child("PHOTO").get_child_text("BINVAL") == photo


def test_a_component_has_nodes_that_can_be_subscribed_to(start_debian):
    host = "news.localhost"
    running = start_debian("pubsub", host=host, component=True, modules=["disco"],
                           admins=["juliet@localhost"])
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))

    def ask(client, payload, owner=""):
        return client.iq("set", f"<pubsub xmlns='{PUBSUB}{owner}'>{payload}</pubsub>", host)

    assert ask(romeo, "<create node='news'/>").get_error()[1] == "forbidden"
    assert ask(juliet, "<create node='news'/>").attr["type"] == "result"
    subscribed = ask(romeo, f"<subscribe node='news' jid='{romeo.bare_jid}'/>")
    told = subscribed.get_child("pubsub", PUBSUB).get_child("subscription").attr
    assert told["subscription"] == "subscribed"
    assert publish(romeo, "news", "<x xmlns='urn:x'/>", "1", host).get_error()[1] == "forbidden"
    assert publish(juliet, "news", "<x xmlns='urn:x'>Hear</x>", "1", host).attr["type"] == "result"
    event = wait_for_event(romeo)
    assert event.get_child("item").get_child_text("x", "urn:x") == "Hear"
    assert [item.attr["id"] for item in items(romeo, "news", host)] == ["1"]
    assert ask(juliet, "<delete node='news'/>", "#owner").attr["type"] == "result"
    assert wait_for_event(romeo).name == "delete"
