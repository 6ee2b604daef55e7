"""slixmpp's plugins for XEP-0060, 0163, 0084 and 0402 against the server as a process."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0402.stanza import Conference

from tests.clients.talker import Talker, serve, talk, until

pytestmark = pytest.mark.slow
HOST = "pubsub.localhost"
OPTIONS = {
    "modules_enabled": ["saslauth", "tls", "roster", "ping", "disco", "presence", "message",
                        "private", "pep", "bookmarks", "vcard_legacy"],
    "components": {HOST: {"module": "pubsub", "modules_enabled": ["disco"],
                          "pubsub_create_nodes": "accounts"}},
}
PICTURE = b"\x89PNG not really"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Start the server and return where clients connect."""
    with serve(tmp_path_factory.mktemp("server"), **OPTIONS) as ports:
        yield ports


class Person(Talker):
    """A client with plugins that remembers what comes."""

    def __init__(self, name):
        self.published, self.retracted, self.avatars, self.moods = [], [], [], []
        super().__init__(name, plugins=(4, 30, 54, 60, 115, 163, 84, 107, 402), kept={
            "pubsub_publish": self.published, "pubsub_retract": self.retracted,
            "avatar_metadata_publish": self.avatars, "user_mood_publish": self.moods})


def entry(text):
    element = ElementTree.Element("{urn:example:entry}entry")
    element.text = text
    return element


def test_nodes_of_a_component(port):
    async def publish():
        juliet, romeo = [await Person(name).log_in(port) for name in ("juliet", "romeo")]
        pubsub = juliet["xep_0060"]
        await pubsub.create_node(HOST, "news")
        form = (await pubsub.get_node_config(HOST, "news"))["pubsub_owner"]["configure"]["form"]
        assert form.get_values()["pubsub#access_model"] == "open"
        await romeo["xep_0060"].subscribe(HOST, "news")
        await pubsub.publish(HOST, "news", id="1", payload=entry("first"))
        await until(lambda: romeo.published)
        item = romeo.published[0]["pubsub_event"]["items"]["item"]
        assert (item["id"], item["payload"].text) == ("1", "first")
        found = await romeo["xep_0060"].get_items(HOST, "news", max_items=5)
        assert [item["id"] for item in found["pubsub"]["items"]] == ["1"]
        nodes = await romeo["xep_0060"].get_nodes(HOST)
        assert (HOST, "news", None) in nodes["disco_items"]["items"]
        await pubsub.retract(HOST, "news", "1", notify=True)
        await until(lambda: romeo.retracted)
        subscriptions = await romeo["xep_0060"].get_subscriptions(HOST)
        assert [sub["node"] for sub in subscriptions["pubsub"]["subscriptions"]] == ["news"]
        await romeo["xep_0060"].unsubscribe(HOST, "news")
        affiliations = await pubsub.get_node_affiliations(HOST, "news")
        assert [(found["jid"], found["affiliation"]) for found
                in affiliations["pubsub_owner"]["affiliations"]] == [
            ("juliet@localhost", "owner")]
        await pubsub.delete_node(HOST, "news")
        with pytest.raises(IqError) as refused:
            await pubsub.get_items(HOST, "news")
        assert refused.value.condition == "item-not-found"
        for client in (juliet, romeo):
            await client.disconnect()
    talk(publish())


def test_moods_avatars_and_bookmarks(port):
    async def publish():
        juliet, romeo = [await Person(name).log_in(port) for name in ("juliet", "romeo")]
        romeo.send_presence_subscription("juliet@localhost")  # both accept what they are asked
        await until(lambda: juliet.client_roster["romeo@localhost"]["subscription"] == "both"
                    and romeo.client_roster["juliet@localhost"]["subscription"] == "both")
        await juliet["xep_0107"].publish_mood("happy", "It works")
        await until(lambda: romeo.moods)
        mood = romeo.moods[-1]["pubsub_event"]["items"]["item"]["mood"]
        assert (mood["value"], mood["text"]) == ("happy", "It works")
        await juliet["xep_0084"].publish_avatar(PICTURE)
        id = juliet["xep_0084"].generate_id(PICTURE)
        await juliet["xep_0084"].publish_avatar_metadata(
            [{"id": id, "type": "image/png", "bytes": str(len(PICTURE))}])
        await until(lambda: romeo.avatars)
        info = romeo.avatars[-1]["pubsub_event"]["items"]["item"]["avatar_metadata"]["info"]
        assert info["id"] == id
        data = await romeo["xep_0084"].retrieve_avatar("juliet@localhost", id)
        assert data["pubsub"]["items"]["item"]["avatar_data"]["value"] == PICTURE
        await bookmarks(juliet, romeo)
        for client in (juliet, romeo):
            await client.disconnect()
    talk(publish())


async def bookmarks(juliet, romeo):
    conference = Conference()
    conference["name"], conference["autojoin"] = "Hall", True
    conference["nick"] = "jule"
    await juliet["xep_0060"].publish(
        "juliet@localhost", Conference.namespace, id="hall@rooms.localhost", payload=conference)
    found = await juliet["xep_0060"].get_items("juliet@localhost", Conference.namespace)
    (item,) = list(found["pubsub"]["items"])
    assert item["id"] == "hall@rooms.localhost" and item["conference"]["name"] == "Hall"
    with pytest.raises(IqError) as refused:
        await romeo["xep_0060"].get_items("juliet@localhost", Conference.namespace)
    assert refused.value.condition == "not-allowed"


def test_a_vcard_is_written_and_read_by_others(port):
    async def cards():
        juliet, romeo = await Person("juliet").log_in(port), await Person("romeo").log_in(port)
        card = juliet.plugin["xep_0054"].make_vcard()
        card["FN"], card["NICKNAME"] = "Juliet Capulet", "Jule"
        await juliet.plugin["xep_0054"].publish_vcard(card)
        found = await romeo.plugin["xep_0054"].get_vcard(juliet.boundjid.bare)
        assert found["vcard_temp"]["FN"] == "Juliet Capulet"
        for client in (juliet, romeo):
            await client.disconnect()

    talk(cards())
