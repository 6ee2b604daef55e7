"""What clients were told is done is there after kill -9 of the server at any moment."""

import random
from collections import Counter

import gevent
import pytest

from prosody_py.testing.archives import Archive, page
from prosody_py.testing.client import Closed
from prosody_py.testing.process import ServerProcess
from prosody_py.xmpp.errors import StreamError

GONE = (Closed, OSError, StreamError)


class Kept:
    """A value that is replaced again and again: what was acknowledged last, what was tried."""

    def __init__(self, value=None):
        self.acknowledged = self.tried = value

    def attempt(self, value):
        self.tried = value

    def done(self):
        self.acknowledged = self.tried

    def assert_is(self, value):
        assert value in (self.acknowledged, self.tried)
        self.acknowledged = self.tried = value


def register(client, username, password="secret"):
    client.open()
    answer = client.iq("set", f"<query xmlns='jabber:iq:register'><username>{username}</username>"
                              f"<password>{password}</password></query>")
    assert answer.attr["type"] == "result", str(answer)
    client.close()


def assert_result(answer):
    assert answer.attr["type"] == "result", str(answer)
    return answer


class Work:
    """What clients do until the server is killed, and what they were told."""

    def __init__(self):
        self.turn = 0
        self.contacts = {}            # address -> name, acknowledged
        self.asked = set()            # contacts whom a subscription was asked for
        self.private, self.vcard, self.password = Kept(), Kept(), Kept("secret")
        self.messages, self.delivered = set(), Counter()
        self.friends = []             # accounts that were registered, and subscribed to fiona
        self.accounts = []
        self.sent = set()             # texts of ann's that were worked off
        self.received = {}            # archive id -> text, of what ben got

    def next(self):
        self.turn += 1
        return self.turn

    def rosters(self, server):
        client = server.login("rosa")
        while True:
            jid, name = f"contact{self.next()}@localhost", f"Contact {self.turn}"
            assert_result(client.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{jid}' "
                                           f"name='{name}'><group>All</group></item></query>"))
            self.contacts[jid] = name
            client.send(f"<presence type='subscribe' to='{jid}'/>").flush()
            self.asked.add(jid)

    def stores(self, server):
        client = server.login("stella")
        while True:
            value = f"note {self.next()}"
            self.private.attempt(value)
            assert_result(client.iq("set", "<query xmlns='jabber:iq:private'><note "
                                           f"xmlns='urn:test:kill'>{value}</note></query>"))
            self.private.done()
            self.vcard.attempt(value)
            assert_result(client.iq("set", f"<vCard xmlns='vcard-temp'><FN>{value}</FN></vCard>"))
            self.vcard.done()

    def passwords(self, server):
        client = server.login("paul", self.password.acknowledged)
        while True:
            self.password.attempt(f"password {self.next()}")
            assert_result(client.iq("set", "<query xmlns='jabber:iq:register'><username>paul"
                                           f"</username><password>{self.password.tried}"
                                           "</password></query>", to="localhost"))
            self.password.done()

    def offline(self, server):
        client = server.login("sender")
        while True:
            number = self.next()
            client.send("<message to='absent@localhost' type='chat'>"
                        f"<body>{number}</body></message>")
            assert [element for element in client.flush() if element.name == "message"] == []
            self.messages.add(number)

    def archives(self, server):
        """Let ann talk to ben; both are archived."""
        ann, ben = server.login("ann"), server.login("ben")
        while True:
            texts = [f"line {self.next()}" for _ in range(5)]
            for text in texts:
                ann.send(f"<message to='{ben.jid}' type='chat'><body>{text}</body></message>")
            for _ in texts:
                message = ben.message()
                mark = message.get_child("stanza-id", "urn:xmpp:sid:0")
                self.received[mark.attr["id"]] = message.get_child_text("body")
            ann.flush()
            self.sent.update(texts)

    def friendships(self, server):
        """Register accounts, and let fiona grant their requests to see her presence."""
        fiona = server.login("fiona")
        fiona.iq("get", "<query xmlns='jabber:iq:roster'/>")
        fiona.available()
        while True:
            name = f"friend{self.next()}"
            register(server.connect(), name)
            self.accounts.append(name)
            friend = server.login(name)
            friend.send("<presence to='fiona@localhost' type='subscribe'/>").flush()
            # Requests of earlier rounds that she has not answered come again at her login.
            fiona.receive_until(lambda element, jid=f"{name}@localhost": (
                element.name == "presence" and element.attr.get("type") == "subscribe"
                and element.attr["from"] == jid))
            fiona.send(f"<presence to='{name}@localhost' type='subscribed'/>").flush()
            self.friends.append(name)
            friend.close()

    # -- after the restart -----------------------------------------------------------------

    def check(self, server):
        """Log in again and look: everything acknowledged is there, and only once."""
        rosa = roster_of(server.login("rosa"))
        assert set(self.contacts) <= set(rosa)
        for jid, (name, _subscription, ask, groups) in rosa.items():
            assert name == self.contacts.setdefault(jid, name) and groups == ["All"]
            assert ask == "subscribe" or jid not in self.asked
        stella = server.login("stella")
        note = stella.iq("get", "<query xmlns='jabber:iq:private'>"
                                "<note xmlns='urn:test:kill'/></query>")
        self.private.assert_is(note.tags[0].tags[0].get_text() or None)
        card = stella.iq("get", "<vCard xmlns='vcard-temp'/>").get_child("vCard", "vcard-temp")
        self.vcard.assert_is(card.get_child_text("FN") if card is not None else None)
        self.password.assert_is(self.password_that_works(server))
        self.check_friends(server)
        self.check_messages(server)
        self.check_archives(server)

    def password_that_works(self, server):
        for password in {self.password.acknowledged, self.password.tried}:
            try:
                server.login("paul", password).close()
                return password
            except AssertionError:
                continue
        pytest.fail("neither the acknowledged password nor the one on its way is valid")

    def check_friends(self, server):
        fiona = roster_of(server.login("fiona"))
        for name in self.accounts:
            roster = roster_of(server.login(name))
            if name in self.friends:
                assert fiona[f"{name}@localhost"][1] == "from"
                assert roster["fiona@localhost"][1] == "to"
        self.accounts, self.friends = [], []

    def check_archives(self, server):
        ann, ben = archive_of(server.login("ann")), archive_of(server.login("ben"))
        assert self.sent <= set(ann.values()), "an archived message was lost"
        assert self.received.items() <= ben.items(), "an archived message was lost"
        for kept in (ann, ben):
            assert len(set(kept.values())) == len(kept), "a message was archived twice"
        self.sent.update(ann.values())
        self.received.update(ben)

    def check_messages(self, server):
        for _ in range(2):  # what has come is gone
            client = server.login("absent")
            client.send("<presence/>")
            self.delivered.update(int(element.get_child_text("body"))
                                  for element in client.flush() if element.name == "message")
            client.close()
        assert self.messages <= set(self.delivered), "a message was lost"
        assert set(self.delivered.values()) <= {1}, "a message was delivered twice"


def roster_of(client):
    """Return {address: (name, subscription, ask, groups)} and end the client."""
    items = client.iq("get", "<query xmlns='jabber:iq:roster'/>").tags[0].tags
    client.close()
    found = {item.attr["jid"]: (item.attr.get("name"), item.attr["subscription"],
                                item.attr.get("ask"), [group.get_text() for group in item.tags])
             for item in items}
    assert len(found) == len(items), "a contact is there twice"
    return found


def archive_of(client):
    """Return {id: text} of a client's archive, read page by page, and end the client."""
    archive, kept, after = Archive(client), {}, ""
    while True:
        found = archive.query(page(after))
        assert not kept.keys() & set(found.ids)
        kept.update(zip(found.ids, found.bodies, strict=True))
        if found.complete:
            client.close()
            return kept
        after = f"<after>{found.ids[-1]}</after>"


def until_gone(job, server):
    """Work until the server is gone; anything else that goes wrong is an error."""
    try:
        job(server)
    except GONE:
        return


def work_and_kill(server, work, rng):
    jobs = [gevent.spawn(until_gone, job, server) for job in (
        work.rosters, work.stores, work.passwords, work.offline, work.friendships,
        work.archives)]
    gevent.sleep(0.05 + rng.random() * 0.5)
    server.kill()
    gevent.joinall(jobs, timeout=30, raise_error=True)
    assert all(job.dead for job in jobs)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [2, 15])
def test_nothing_acknowledged_is_lost_or_doubled_by_a_kill(tmp_path, rounds):
    server = ServerProcess(tmp_path, "private", "vcard", "register", "mam")
    work, rng = Work(), random.Random()
    try:
        server.start()
        for name in ("rosa", "stella", "paul", "sender", "absent", "fiona", "ann", "ben"):
            register(server.connect(), name)
        for _ in range(rounds):
            work_and_kill(server, work, rng)
            server.start()
            work.check(server)
    finally:
        server.kill()
    assert "Traceback" not in server.log.read_text(), server.log.read_text()
    assert work.contacts and work.messages and work.private.acknowledged and work.received
    assert work.password.acknowledged != "secret"
