"""A module is reloaded again and again while stanzas go through it: none is lost or doubled."""

import gevent
import pytest

from prosody_py.testing.server import TestServer

pytestmark = pytest.mark.slow

MESSAGES, PINGS_EVERY, RELOADS, BURST = 500, 10, 50, 5
WINDOW = 5  # messages on their way, so that they do not all come at once


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    running = TestServer(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


class Talker:
    """A client that says numbered messages and asks numbered questions, and notes what comes."""

    def __init__(self, client):
        self.client = client
        self.heard, self.answered = [], []

    def say(self, peer):
        text = ""
        for number in range(MESSAGES):
            text += f"<message to='{peer.client.jid}' type='chat'><body>{number}</body></message>"
            if number % PINGS_EVERY == 0:
                text += (f"<iq type='get' id='{number}' to='localhost'>"
                         "<ping xmlns='urn:xmpp:ping'/></iq>")
            if number % BURST == BURST - 1 or number == MESSAGES - 1:
                self.client.send(text)
                text = ""
                while number - len(peer.heard) > WINDOW:
                    gevent.sleep(0)

    def listen(self):
        while len(self.heard) < MESSAGES or len(self.answered) < MESSAGES // PINGS_EVERY:
            element = self.client.receive()
            if element.name == "message":
                assert element.attr.get("type") == "chat", str(element)
                self.heard.append(int(element.get_child_text("body")))
            elif element.name == "iq":
                assert element.attr["type"] == "result", str(element)
                self.answered.append(int(element.attr["id"]))


@pytest.mark.parametrize("name", ["message", "presence", "iq", "roster", "disco", "ping", "c2s",
                                  "saslauth", "tls"])
def test_nothing_is_lost_doubled_or_reordered(running, name):
    server = running.server
    talkers = [Talker(running.client(user, "r", tls=name == "tls").available())
               for user in ("alice", "bob")]
    alice, bob = talkers
    where = "*" if server.modules.is_loaded("*", name) else "localhost"
    moments = []

    def progress():
        return len(alice.heard) + len(bob.heard)

    def reload_often():
        for turn in range(RELOADS):
            # Spread over the whole talk: the next one when there was that much progress.
            while progress() < 2 * MESSAGES * turn / RELOADS:
                gevent.sleep(0)
            server.modules.reload(where, name)
            moments.append(progress())

    def come_and_go():
        for _ in range(3):
            newcomer = running.client("carol", tls=True).available()
            newcomer.flush()
            newcomer.close()

    with gevent.Timeout(60):
        gevent.joinall([gevent.spawn(reload_often), gevent.spawn(come_and_go),
                        gevent.spawn(alice.say, bob),
                        gevent.spawn(bob.say, alice),
                        gevent.spawn(alice.listen), gevent.spawn(bob.listen)], raise_error=True)
    assert len(moments) == RELOADS and len(set(moments)) > RELOADS // 2
    for talker in talkers:
        assert talker.heard == list(range(MESSAGES))
        assert talker.answered == list(range(0, MESSAGES, PINGS_EVERY))
        assert talker.client.flush() == []
        talker.client.close()
