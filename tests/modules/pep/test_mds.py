"""XEP-0490: what was displayed, published by the client or with the server's help."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids, values

NODE = "urn:xmpp:mds:displayed:0"
SHOWN = (f"<displayed xmlns='{NODE}'><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' "
         "id='1'/></displayed>")
MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["pep", "mds", "message", "presence"])
    yield server
    server.stop()


@pytest.fixture
def people(server):
    people = People(server)
    yield people
    people.close()


@pytest.fixture
def friends(people):
    people.befriend("juliet", "romeo")
    return people.login("juliet"), people.login("romeo")


def test_the_server_publishes_what_is_in_a_message(people, friends):
    juliet, romeo = friends
    Wanting(NODE).announce(juliet)
    juliet.send(f"<message to='{romeo.bare_jid}' type='chat'>{MARKER}{SHOWN}</message>")
    assert event_ids(juliet.flush()) == [(NODE, romeo.bare_jid)]
    got = romeo.message()
    assert [tag.attr["xmlns"] for tag in got.tags] == ["urn:xmpp:chat-markers:0"]
    own = Asking(juliet)
    (item,) = own.get(f"<items node='{NODE}'/>").tags
    shown = item.get_child("displayed", NODE).get_child("stanza-id", "urn:xmpp:sid:0")
    assert shown.attr["id"] == "1"
    assert Asking(romeo, juliet.bare_jid).refused("get", f"<items node='{NODE}'/>")[2] == \
        "closed-node"


@pytest.mark.parametrize("way", ["message", "publish"])
def test_the_node_is_private_and_keeps_all(friends, way):
    juliet, romeo = friends
    own = Asking(juliet)
    if way == "message":
        juliet.send(f"<message to='{romeo.bare_jid}'>{MARKER}{SHOWN}</message>").flush()
    else:
        own.publish(NODE, romeo.bare_jid, SHOWN)
    form = values(own.get(f"<configure node='{NODE}'/>", owner=True).tags[0])
    assert (form["access_model"], form["max_items"], form["send_last_published_item"],
            form["persist_items"]) == (["whitelist"], ["max"], ["never"], ["1"])


def test_a_node_that_is_there_is_used_as_it_is(friends):
    juliet, romeo = friends
    own = Asking(juliet)
    own.create(NODE, access_model="whitelist", max_items=5)
    juliet.send(f"<message to='{romeo.bare_jid}'>{MARKER}{SHOWN}</message>").flush()
    assert own.items(NODE) == [romeo.bare_jid]


def test_a_message_that_would_be_empty_is_refused(friends):
    juliet, romeo = friends
    juliet.send(f"<message to='{romeo.bare_jid}'>{SHOWN}</message>")
    assert juliet.message().get_error()[1] == "bad-request"
    assert [element for element in romeo.flush() if element.name == "message"] == []
    assert Asking(juliet).refused("get", f"<items node='{NODE}'/>")[1] == "item-not-found"


def test_nonsense_is_refused(friends):
    juliet, romeo = friends
    juliet.send(f"<message to='{romeo.bare_jid}'>{MARKER}<displayed xmlns='{NODE}'/></message>")
    assert juliet.message().get_error()[1] == "bad-request"
    assert [element for element in romeo.flush() if element.name == "message"] == []


def test_the_feature_is_announced(friends):
    info = friends[0].iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    assert "urn:xmpp:mds:server-assist:0" in {
        tag.attr["var"] for tag in info.childtags("feature")}
