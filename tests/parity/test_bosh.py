"""mod_bosh of Debian, unmodified: a client that has no stream but requests (XEP-0124, XEP-0206)."""

from __future__ import annotations

import base64
import secrets
from html import escape

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import wait_until
from prosody_py.testing.sasl2 import XMLNS as SASL2
from prosody_py.testing.sasl2 import Scram, bind, encode
from prosody_py.testing.web import WebClient
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import parse_fragment

HTTPBIND, XBOSH = "http://jabber.org/protocol/httpbind", "urn:xmpp:xbosh"
PING = "<ping xmlns='urn:xmpp:ping'/>"


class BoshClient:
    """A client that asks again and again; two connections, so that one request may wait."""

    def __init__(self, address, host="localhost"):
        self.host = host
        self.webs = [WebClient(address, host) for _ in range(2)]
        self.rid, self.turn, self.sid, self.jid = secrets.randbelow(1 << 30), 0, None, None

    def post(self, inside="", attributes=""):
        """Send a body; return the connection on which the answer comes."""
        self.rid, self.turn = self.rid + 1, 1 - self.turn
        sid = f" sid='{self.sid}'" if self.sid else ""
        data = f"<body xmlns='{HTTPBIND}' rid='{self.rid}'{sid} {attributes}>{inside}</body>"
        return self.webs[self.turn].ask("POST", "/http-bind", {"Content-Type": "text/xml"},
                                        data.encode())

    @staticmethod
    def body(web):
        """Return the body that comes on a connection."""
        answer = web.answer("POST")
        assert answer.status == 200, answer.text
        return parse_fragment(answer.body)

    def ask(self, inside="", attributes=""):
        """Send a body and return the elements of its answer."""
        return self.body(self.post(inside, attributes)).tags

    def until(self, count, inside=""):
        """Send a body, and empty ones until that many elements have come."""
        elements = self.ask(inside)
        while len(elements) < count:
            elements += self.ask()
        return elements

    def create(self, wait=5):
        """Make a session; return its features."""
        body = self.body(self.post("", f"to='{self.host}' wait='{wait}' hold='1' ver='1.6' "
                                   f"xml:lang='en' xmpp:version='1.0' xmlns:xmpp='{XBOSH}'"))
        self.sid = body.attr["sid"]
        return body.tags[0]

    def plain(self, username, password="secret"):
        """Try to log in; return what the server says to that."""
        text = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
        (answer,) = self.ask(f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'>{text}</auth>")
        return answer

    def restart(self):
        """Begin a new stream; return its features."""
        (features,) = self.ask("", f"xmpp:restart='true' to='{self.host}' xmlns:xmpp='{XBOSH}'")
        return features

    def iq(self, type, payload, to=None):
        address = f" to='{to}'" if to else ""
        (answer,) = self.ask(f"<iq xmlns='{ns.CLIENT}' type='{type}' id='x'{address}>"
                             f"{payload}</iq>")
        return answer

    def login(self, username, resource="bosh"):
        self.create()
        assert self.plain(username).name == "success"
        self.restart()
        answer = self.iq("set", f"<bind xmlns='{ns.BIND}'><resource>{resource}</resource></bind>")
        self.jid = answer.get_child("bind", ns.BIND).get_child_text("jid")
        return self

    def close(self):
        for web in self.webs:
            web.close()


@pytest.fixture
def running(start_debian):
    return start_debian("bosh", modules=["user_account_management"], consider_bosh_secure=True,
                        http_ports=[0], https_ports=[])


@pytest.fixture
def bosh(running):
    """Return a function that gives a client over BOSH."""
    clients = []

    def connect():
        clients.append(BoshClient(running.address("http")))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def message(to, body):
    return (f"<message xmlns='{ns.CLIENT}' to='{to}' type='chat'><body>{escape(body)}</body>"
            "</message>")


def test_a_session_is_made_logged_in_used_and_ended(running, bosh):
    running.user("juliet")
    romeo = running.client("romeo").available()
    client = bosh()
    features = client.create()
    assert "PLAIN" in [tag.get_text() for tag in features.get_child("mechanisms", ns.SASL).tags]
    assert client.plain("juliet", "wrong").get_child("not-authorized") is not None
    assert client.plain("juliet").name == "success"
    assert client.restart().get_child("bind", ns.BIND) is not None
    answer = client.iq("set", f"<bind xmlns='{ns.BIND}'><resource>balcony</resource></bind>")
    assert answer.get_child("bind", ns.BIND).get_child_text("jid") == "juliet@localhost/balcony"
    assert client.iq("get", PING, "localhost").attr["type"] == "result"
    waiting = client.post(f"<presence xmlns='{ns.CLIENT}'/>" + message(romeo.jid, "O & Romeo"))
    received = romeo.message()
    assert received.attr["from"] == "juliet@localhost/balcony"
    assert received.get_child_text("body") == "O & Romeo"
    assert client.body(waiting).tags[0].attr["from"] == "juliet@localhost/balcony"
    waiting = client.post()  # held until there is something to say
    romeo.send(message("juliet@localhost", "Who? Ä"))
    (answer,) = client.body(waiting).tags
    assert (answer.attr["from"], answer.get_child_text("body")) == (romeo.jid, "Who? Ä")
    body = client.body(client.post(f"<presence xmlns='{ns.CLIENT}' type='unavailable'/>",
                                   "type='terminate'"))
    assert body.attr["type"] == "terminate"
    wait_until(lambda: "juliet@localhost/balcony" not in running.server.full_sessions)
    assert "juliet@localhost" not in running.server.bare_sessions
    answer = romeo.iq("get", PING, "juliet@localhost/balcony")
    assert answer.get_error()[1] == "service-unavailable"


def test_clients_over_bosh_and_tcp_share_roster_and_presence(running, bosh):
    running.user("juliet")
    desk = running.client("juliet", "desk").available()
    client = bosh().login("juliet")
    query = client.iq("get", f"<query xmlns='{ns.ROSTER}'/>").get_child("query", ns.ROSTER)
    assert query.tags == []
    presence = f"<presence xmlns='{ns.CLIENT}'><priority>3</priority></presence>"
    seen = {element.attr["from"] for element in client.until(2, presence)}
    assert desk.presence().attr["from"] == client.jid and seen == {client.jid, desk.jid}
    running.client("romeo").send(message("juliet@localhost", "to the highest"))
    (received,) = client.until(1)
    assert received.get_child_text("body") == "to the highest"
    assert not [element for element in desk.flush() if element.name == "message"]


def test_the_server_ends_a_session(running, bosh):
    running.user("juliet")
    client = bosh().login("juliet", "balcony")
    waiting = client.post()
    wait_until(lambda: len(running.server.full_sessions["juliet@localhost/balcony"].requests))
    running.client("juliet", "balcony")  # takes the resource
    body = client.body(waiting)
    assert body.attr["type"] == "terminate"
    assert body.tags[0].get_child("conflict", ns.STREAM_ERRORS) is not None


def test_scram_works_without_channel_binding(running, bosh):
    running.user("juliet")
    client = bosh()
    names = [tag.get_text() for tag in client.create().get_child("mechanisms", ns.SASL).tags]
    assert "SCRAM-SHA-1" in names and not [name for name in names if name.endswith("-PLUS")]


def test_who_removes_the_account_is_disconnected(running, bosh):
    running.user("juliet")
    client = bosh().login("juliet")
    remove = ("<iq type='set' id='r1' xmlns='jabber:client'><query xmlns='jabber:iq:register'>"
              "<remove/></query></iq>")
    body = client.body(client.post(remove))
    assert body.attr["type"] == "terminate"
    assert body.tags[0].get_child("not-authorized", ns.STREAM_ERRORS) is not None
    wait_until(lambda: not running.server.full_sessions)
    assert not users.user_exists(running.server, "juliet", "localhost")


def test_sasl_2_is_spoken_in_requests_as_well(start_debian):
    running = start_debian("bosh", modules=["sasl2_bind2"], consider_bosh_secure=True,
                           http_ports=[0], https_ports=[])
    running.user("juliet")
    client, talk = BoshClient(running.address("http")), Scram("juliet", "secret", "SCRAM-SHA-1")
    assert client.create().get_child("authentication", SASL2) is not None
    (challenge,) = client.ask(
        f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'><initial-response>"
        f"{encode(talk.first())}</initial-response>{bind()}</authenticate>")
    final = talk.final(base64.b64decode(challenge.get_text()))
    success, features = client.until(
        2, f"<response xmlns='{SASL2}'>{encode(final)}</response>")
    talk.check(base64.b64decode(success.get_child_text("additional-data")))
    assert success.get_child_text("authorization-identifier").startswith("juliet@localhost/Phone")
    assert features.name == "features"
    assert client.iq("get", PING).attr["type"] == "result"
    client.close()
