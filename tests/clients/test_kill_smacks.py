"""Messages that were acknowledged arrive once, whenever the server is killed (XEP-0198)."""

from __future__ import annotations

import random
import signal
from collections import Counter

import gevent
import pytest

from prosody_py.testing.client import Closed
from prosody_py.testing.managed import SM, log_in
from prosody_py.testing.process import ServerProcess
from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.stanza import Stanza

pytestmark = pytest.mark.slow
GONE = (Closed, OSError, StreamError)
STANZAS = ("message", "presence", "iq")


def register(server, username):
    client = server.connect()
    client.open()
    client.iq("set", f"<query xmlns='jabber:iq:register'><username>{username}</username>"
                     "<password>secret</password></query>")
    client.close()


class Sender:
    """Sends numbered messages, and knows which of them were acknowledged."""

    def __init__(self):
        self.number, self.acknowledged = 0, set()

    def work(self, server):
        client = server.login("romeo")
        client.send(f"<enable xmlns='{SM}'/>").receive()
        sent = []
        while True:
            for _ in range(3):
                self.number += 1
                sent.append(self.number)
                client.send("<message to='juliet@localhost/balcony' type='chat'>"
                            f"<body>{self.number}</body></message>")
            client.send(f"<r xmlns='{SM}'/>")
            answer = client.receive_until(lambda element: element.name == "a")
            self.acknowledged.update(sent[:int(answer.attr["h"])])
            gevent.sleep(0.002)


class Receiver:
    """Loses its connection and comes back, again and again, and counts what comes."""

    def __init__(self, rng, resume=True):
        self.rng, self.came, self.resume = rng, Counter(), resume
        self.token, self.h, self.client = None, 0, None

    def begin(self, server):
        self.client = log_in(server, "juliet").bind("balcony")
        self.client.send(f"<enable xmlns='{SM}' resume='{str(self.resume).lower()}'/>")
        while getattr(element := self.client.receive(), "name", None) != "enabled":
            self.take(element)  # is for the resource, which is bound
        self.token = element.attr.get("id")
        self.h = 0
        self.client.send("<presence/>")

    def take(self, element):
        if not isinstance(element, Stanza) or "xmlns" in element.attr:
            return
        if element.name in STANZAS:
            self.h += 1
        if element.name == "message" and element.attr.get("type") != "error":
            self.came[int(element.get_child_text("body"))] += 1

    def listen(self, seconds):
        with gevent.Timeout(seconds, False):
            while True:
                element = self.client.receive()
                self.take(element)
                self.acknowledge(element, 0.5)

    def acknowledge(self, element, probability):
        """Say what has come, if that is asked for, more or less often."""
        if getattr(element, "name", None) == "r" and self.rng.random() < probability:
            self.client.send(f"<a xmlns='{SM}' h='{self.h}'/>")

    def drain(self):
        """Take all that has been sent before the connection ended."""
        try:
            while True:
                self.take(self.client.receive(0.5))
        except (*GONE, TimeoutError):
            self.client.sock.close()

    def work(self, server):
        while True:
            self.listen(self.rng.random() * 0.2)
            self.client.sock.close()
            gevent.sleep(self.rng.random() * 0.1)
            self.come_back(server)

    def come_back(self, server):
        """Go on with the session if the server can; else begin a new one."""
        if self.token is None:
            self.begin(server)
            return
        client = log_in(server, "juliet")
        client.send(f"<resume xmlns='{SM}' previd='{self.token}' h='{self.h}'/>")
        answer = client.receive()
        self.client = client
        if getattr(answer, "name", None) not in ("resumed", "failed"):
            raise Closed
        if answer.name == "failed":
            self.client.sock.close()
            self.begin(server)


def until_gone(work, server):
    try:
        work(server)
    except GONE:
        return
    except AssertionError as error:  # it was about to log in
        assert "system-shutdown" in str(error)


def check(server, sender, receiver):
    """Come back after a restart: everything acknowledged has come.

    It has come only once, if the client could say what it had got.
    """
    receiver.come_back(server)
    receiver.client.send("<iq type='get' id='last' to='localhost'>"
                         "<ping xmlns='urn:xmpp:ping'/></iq>")
    answered, missing = False, sender.acknowledged - set(receiver.came)
    with gevent.Timeout(30, False):  # what is much comes as it is acknowledged, after the answer
        while missing or not answered:
            element = receiver.client.receive()
            receiver.take(element)
            receiver.acknowledge(element, 1)
            answered = answered or getattr(element, "attr", {}).get("id") == "last"
            missing -= set(receiver.came)
    lost = sender.acknowledged - set(receiver.came)
    doubled = {number for number, times in receiver.came.items() if times > 1}
    assert (lost, doubled if receiver.resume else set()) == (set(), set())


@pytest.mark.parametrize(("number", "resume"), [
    (signal.SIGKILL, True), (signal.SIGKILL, False), (signal.SIGTERM, True)])
def test_nothing_acknowledged_is_lost_or_doubled(tmp_path, number, resume):
    server, rng = ServerProcess(tmp_path, "register", "smacks"), random.Random()
    sender, receiver = Sender(), Receiver(rng, resume)
    try:
        server.start()
        for name in ("romeo", "juliet"):
            register(server, name)
        receiver.begin(server)
        for _ in range(5):
            jobs = [gevent.spawn(until_gone, job, server)
                    for job in (sender.work, receiver.work)]
            gevent.sleep(0.05 + rng.random() * 0.6)
            server.process.send_signal(number)
            gevent.joinall(jobs, timeout=30, raise_error=True)
            receiver.drain()
            server.process.wait()
            server.start()
            check(server, sender, receiver)
        assert len(sender.acknowledged) > 20
    finally:
        server.kill()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()
