"""What publishers were told is published is there, once, after kill -9 at any moment."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import gevent
import pytest
import yaml

from prosody_py.testing.client import Client, Closed
from prosody_py.testing.pubsub import Asking, form, payload
from prosody_py.xmpp.errors import StreamError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HOST = "pubsub.localhost"
OPTIONS = {
    "run_as_root": True, "interfaces": ["127.0.0.1"], "c2s_ports": [0],
    "c2s_require_encryption": False, "password_hashes": ["SHA-1"],
    "default_iteration_count": 4096, "allow_registration": True,
    "modules_enabled": ["saslauth", "roster", "ping", "register", "presence", "pep"],
    "components": {HOST: {"module": "pubsub", "pubsub_create_nodes": "accounts",
                          "pubsub_max_items": 100_000}},
    "pep_max_items": 100_000, "log": {"level": "info", "to": "console"},
    "hosts": {"localhost": {}},
}
GONE = (Closed, OSError, StreamError)
MANY, ONE = "many", "one"  # a node with all items, and one whose item is replaced
BATCHES, BATCH = "batches", 3  # a node with what was published several at a time


class Server:
    """The real server as a process, which is killed and started again."""

    def __init__(self, folder):
        self.file, self.log = folder / "prosody.cfg.yaml", folder / "log"
        self.file.write_text(yaml.safe_dump(OPTIONS))
        self.process = None

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prosody_py", "--config", str(self.file), "run"],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log)
        for _ in range(2000):
            found = re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", self.log.read_text())
            if found:
                self.port = int(found[1])
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.01)

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def login(self, name):
        return Client(("127.0.0.1", self.port)).login(name)

    def register(self, name):
        client = Client(("127.0.0.1", self.port))
        client.open()
        answer = client.iq("set", f"<query xmlns='jabber:iq:register'><username>{name}</username>"
                           "<password>secret</password></query>")
        assert answer.attr["type"] == "result", str(answer)
        client.close()


class Publisher:
    """Publishes to a service until the server is killed, and knows what it was told."""

    def __init__(self, name, to):
        self.name, self.to = name, to
        self.number = 0
        self.published, self.retracted, self.nodes = set(), set(), set()
        self.batches, self.subids = set(), set()
        self.unsure = set()      # items whose fate nobody was told
        self.one = (None, None)  # the item that was acknowledged last, and the one tried last

    def prepare(self, server):
        own = Asking(server.login(self.name), self.to)
        own.create(self.name + MANY, max_items="max")
        own.create(self.name + ONE, max_items=1)
        own.create(self.name + BATCHES, max_items="max")

    def work(self, server):
        try:
            own = Asking(server.login(self.name), self.to)
            while True:
                self.step(own)
        except GONE:
            return

    def step(self, own):
        self.number += 1
        id = f"{self.number}"
        self.unsure.add(id)
        own.publish(self.name + MANY, id)
        self.unsure.discard(id)
        self.published.add(id)
        self.one = (self.one[0], id)
        own.publish(self.name + ONE, None if self.number % 2 else "current", payload(id))
        self.one = (id, id)
        if self.number % 5 == 0:
            gone = min(self.published, key=int)
            self.published.discard(gone)
            self.unsure.add(gone)
            own.set(f"<retract node='{self.name}{MANY}'><item id='{gone}'/></retract>")
            self.unsure.discard(gone)
            self.retracted.add(gone)
        if self.number % 3 == 0:
            own.set(f"<publish node='{self.name}{BATCHES}'>" + "".join(
                f"<item id='{id}-{part}'>{payload(id)}</item>" for part in range(BATCH))
                + "</publish>")
            self.batches.add(id)
        if self.number % 6 == 0 and len(self.subids) < 5:
            self.subids.add(self.subscribe_once_more(own, 1000 + self.number))
        if self.number % 7 == 0:
            node = f"{self.name}-{id}"
            own.create(node)
            own.subscribe(node)
            self.nodes.add(node)

    def subscribe_once_more(self, own, frequency):
        answer = own.set(
            f"<subscribe node='{self.name}{ONE}' jid='{own.client.bare_jid}'/><options>"
            f"{form('subscribe_options', {'digest_frequency': frequency})}</options>")
        return answer.get_child("subscription").attr["subid"]

    def check(self, server):
        own = Asking(server.login(self.name), self.to)
        items = own.items(self.name + MANY)
        assert len(items) == len(set(items)), "an item is there twice"
        assert self.published <= set(items), "an item was lost"
        assert not self.retracted & set(items), "an item has come back"
        assert set(items) <= self.published | self.unsure
        assert items == sorted(items, key=int), "the order is another one"
        found = own.get(f"<items node='{self.name}{ONE}'/>").tags
        assert [item.tags[0].get_text() for item in found] in (
            [[id] for id in self.one] if self.one[0] else [[], [self.one[1]]])
        batches = [id.partition("-")[0] for id in own.items(self.name + BATCHES)]
        assert set(batches) >= self.batches, "items that were published together were lost"
        assert all(batches.count(id) == BATCH for id in batches), "some of them were lost"
        assert self.subids <= {tag.attr["subid"] for tag in own.get(
            f"<subscriptions node='{self.name}{ONE}'/>").tags}
        subscribed = {tag.attr["node"] for tag in own.get("<subscriptions/>").tags}
        assert self.nodes <= subscribed
        self.published |= set(items)
        self.unsure.clear()
        self.one = (found[0].tags[0].get_text(),) * 2 if found else (None, None)
        own.client.close()


@pytest.mark.parametrize("rounds", [8])
def test_nothing_that_was_acknowledged_is_lost_or_doubled(tmp_path, rounds):
    server, rng = Server(tmp_path), random.Random()
    publishers = [Publisher("juliet", None), Publisher("romeo", HOST)]
    try:
        server.start()
        for publisher in publishers:
            server.register(publisher.name)
            publisher.prepare(server)
        for _ in range(rounds):
            jobs = [gevent.spawn(publisher.work, server) for publisher in publishers]
            gevent.sleep(0.05 + rng.random() * 0.5)
            server.kill()
            gevent.joinall(jobs, timeout=30, raise_error=True)
            server.start()
            for publisher in publishers:
                publisher.check(server)
    finally:
        server.kill()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()
    assert all(publisher.published and publisher.retracted and publisher.nodes
               and publisher.batches and publisher.subids
               for publisher in publishers)
