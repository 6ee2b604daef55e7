"""slixmpp's plugins for XEP-0060, 0163, 0084 and 0402 against the server as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest
import slixmpp
import yaml
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0402.stanza import Conference

pytestmark = pytest.mark.slow
HOST = "pubsub.localhost"
OPTIONS = {
    "interfaces": ["127.0.0.1"], "c2s_ports": [0], "storage": "sqlite", "run_as_root": True,
    "log": {"level": "info"}, "hosts": {"localhost": {}},
    "modules_enabled": ["saslauth", "tls", "roster", "ping", "disco", "presence", "message",
                        "private", "pep", "bookmarks", "vcard_legacy"],
    "components": {HOST: {"module": "pubsub", "modules_enabled": ["disco"],
                          "pubsub_create_nodes": "accounts"}},
}
START = """
import sys
from prosody_py.app import run
from prosody_py.config.load import load
from prosody_py.hosts import users
server = run.start(sys.argv[1])
for name in ("juliet", "romeo"):
    users.create_user(server, name, "secret", "localhost")
for address, port in server.ports.open.items():
    print("PORT", port.port, flush=True)
from gevent import signal_handler
from gevent.event import Event
ended = Event()
signal_handler(15, ended.set)
ended.wait()
run.stop(server, "end of the test")
"""
PICTURE = b"\x89PNG not really"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Start the server and return where clients connect."""
    folder = tmp_path_factory.mktemp("server")
    file = folder / "prosody.cfg.yaml"
    file.write_text(yaml.safe_dump(OPTIONS))
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-c", START, str(file)],
                                   stdout=subprocess.PIPE, stderr=log, env=os.environ)
    line = process.stdout.readline().decode()
    assert line.startswith("PORT "), (folder / "log").read_text()
    yield int(line.split()[1])
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert "Traceback" not in (folder / "log").read_text()


class Person(slixmpp.ClientXMPP):
    """A client with plugins that remembers what comes."""

    def __init__(self, name):
        super().__init__(f"{name}@localhost/r", "secret")
        self.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.get_ssl_context = lambda: self.ssl_context
        self.ready = asyncio.get_running_loop().create_future()
        self.published, self.retracted, self.avatars, self.moods = [], [], [], []
        for plugin in ("xep_0004", "xep_0030", "xep_0060", "xep_0115", "xep_0163", "xep_0084",
                       "xep_0107", "xep_0402"):
            self.register_plugin(plugin)
        for event, into in (("pubsub_publish", self.published),
                            ("pubsub_retract", self.retracted),
                            ("avatar_metadata_publish", self.avatars),
                            ("user_mood_publish", self.moods)):
            self.add_event_handler(event, into.append)
        self.add_event_handler("session_start", self._started)

    async def _started(self, _event):
        await self.get_roster()
        await self["xep_0115"].update_caps()
        self.send_presence()
        self.ready.set_result(True)

    async def log_in(self, port):
        """Connect, and be available."""
        self.enable_direct_tls = self.enable_plaintext = False
        self.connect("127.0.0.1", port)
        await asyncio.wait_for(self.ready, 10)
        return self


async def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


def talk(coroutine):
    with asyncio.Runner() as runner:
        return runner.run(coroutine)


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
