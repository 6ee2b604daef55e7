"""mod_websocket of Debian: XMPP in frames (RFC 7395) of a connection that began as HTTP."""

from __future__ import annotations

import base64
import hashlib
import os
import struct

import pytest
from gevent import socket

from prosody_py.testing.client import wait_until
from prosody_py.testing.sasl2 import XMLNS as SASL2
from prosody_py.testing.sasl2 import Scram, bind, encode
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamParser

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class WebSocket:
    """A client's side of a connection (RFC 6455); `attr` are those of the server's <open/>."""

    def __init__(self, address):
        self.sock = socket.create_connection(address, 5)
        self.sock.settimeout(5)
        self.received = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall((f"GET /xmpp-websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket"
                           f"\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
                           ).encode())
        while b"\r\n\r\n" not in self.received:
            self.received += self.sock.recv(4096)
        self.head, _, self.received = self.received.partition(b"\r\n\r\n")
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert self.head.startswith(b"HTTP/1.1 101 ") and base64.b64encode(digest) in self.head

    def frame(self, data, opcode=TEXT):
        """Send one frame, masked as a client's are."""
        data = data.encode() if isinstance(data, str) else data
        mask = os.urandom(4)
        length = (bytes([0x80 | len(data)]) if len(data) < 126
                  else b"\xfe" + struct.pack(">H", len(data)))
        body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.sock.sendall(bytes([opcode | 0x80]) + length + mask + body)

    def _take(self, count):
        while len(self.received) < count:
            more = self.sock.recv(65536)
            assert more, "the connection was closed"
            self.received += more
        data, self.received = self.received[:count], self.received[count:]
        return data

    def next_frame(self):
        """Return (opcode, data) of the next frame."""
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        return first & 15, self._take(length)

    def element(self):
        """Return the next element, which is a frame of its own."""
        opcode, data = self.next_frame()
        assert opcode == TEXT, data
        parser = StreamParser(1_000_000, single=False)
        header = f"<stream:stream xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'>".encode()
        _open, element = parser.feed(header + data)
        return element

    def open(self):
        """Open the stream; return the features."""
        self.frame(f"<open xmlns='{FRAMING}' to='localhost' version='1.0'/>")
        answer = self.element()
        assert answer.name == "open" and answer.attr["xmlns"] == FRAMING
        return self.element()

    def login(self):
        """Authenticate and bind; return the address."""
        mechanisms = self.open().get_child("mechanisms", ns.SASL)
        assert "PLAIN" in {tag.get_text() for tag in mechanisms.tags}
        data = base64.b64encode(b"\0juliet\0secret").decode()
        self.frame(f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'>{data}</auth>")
        assert self.element().name == "success"
        assert self.open().get_child("bind", ns.BIND) is not None
        self.frame(f"<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='{ns.BIND}'/></iq>")
        return self.element().tags[0].get_child_text("jid")


@pytest.fixture
def running(start_debian):
    running = start_debian("websocket", consider_websocket_secure=True, http_ports=[0],
                           https_ports=[])
    running.user("juliet")
    return running


@pytest.fixture
def client(running):
    client = WebSocket(running.address("http"))
    yield client
    client.sock.close()


def test_a_client_logs_in_and_talks(running, client):
    jid = client.login()
    romeo = running.client("romeo").available()
    client.frame("<presence xmlns='jabber:client'/>")
    assert client.element().attr["from"] == jid
    client.frame(f"<message xmlns='jabber:client' to='{romeo.jid}'><body>Ay me</body></message>")
    message = romeo.message()
    assert (message.attr["from"], message.get_child_text("body")) == (jid, "Ay me")
    long = "x" * 5000
    romeo.send(f"<message to='{jid}'><body>{long}</body></message>")
    assert client.element().get_child_text("body") == long


def test_a_ping_is_answered_at_any_time(client):
    client.frame("before", opcode=PING)
    assert client.next_frame() == (PONG, b"before")
    client.login()
    client.frame("<iq xmlns='jabber:client' type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>")
    client.frame("now", opcode=PING)
    assert client.element().attr["id"] == "p1"
    assert client.next_frame() == (PONG, b"now")


def test_the_stream_is_closed_in_frames(running, client):
    jid = client.login()
    client.frame(f"<close xmlns='{FRAMING}'/>")
    assert client.element().name == "close"
    opcode, data = client.next_frame()
    assert opcode == CLOSE and struct.unpack(">H", data[:2]) == (1000,)
    assert jid not in running.server.full_sessions


def test_a_server_error_is_an_element_and_then_the_end(client):
    client.frame(f"<open xmlns='{FRAMING}' to='elsewhere.example' version='1.0'/>")
    names = [client.element().name for _ in range(3)]
    assert names == ["open", "error", "close"]
    assert client.next_frame()[0] == CLOSE


def test_sasl_2_is_spoken_in_frames_as_well(start_debian):
    running = start_debian("websocket", modules=["sasl2_bind2"], consider_websocket_secure=True,
                           http_ports=[0], https_ports=[])
    running.user("juliet")
    client, talk = WebSocket(running.address("http")), Scram("juliet", "secret", "SCRAM-SHA-1")
    assert client.open().get_child("authentication", SASL2) is not None
    client.frame(f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'><initial-response>"
                 f"{encode(talk.first())}</initial-response>{bind()}</authenticate>")
    final = talk.final(base64.b64decode(client.element().get_text()))
    client.frame(f"<response xmlns='{SASL2}'>{encode(final)}</response>")
    success = client.element()
    talk.check(base64.b64decode(success.get_child_text("additional-data")))
    assert success.get_child_text("authorization-identifier").startswith("juliet@localhost/Phone")
    assert client.element().name == "features"
    client.frame("<iq xmlns='jabber:client' type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert client.element().attr["id"] == "p1"
    client.frame(f"<message xmlns='jabber:client' to='juliet@localhost'><body>{'x' * 20000}"
                 "</body></message>")
    client.sock.close()


@pytest.mark.parametrize("intruder", ["<presence xmlns='jabber:client'/>",
                                      f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'/>"])
def test_nothing_else_comes_between_the_frames_of_a_login(start_debian, intruder):
    running = start_debian("websocket", modules=["sasl2"], consider_websocket_secure=True,
                           http_ports=[0], https_ports=[])
    running.user("juliet")
    client = WebSocket(running.address("http"))
    client.open()
    client.frame(f"<authenticate xmlns='{SASL2}' mechanism='SCRAM-SHA-1'><initial-response>"
                 f"{encode('n,,n=juliet,r=abc')}</initial-response></authenticate>")
    assert client.element().name == "challenge"
    client.frame(intruder)
    assert client.element().get_child("not-authorized", ns.STREAM_ERRORS) is not None
    client.sock.close()


SM = "urn:xmpp:sm:3"


def test_a_stream_in_frames_is_managed_and_resumed(start_debian):
    running = start_debian("websocket", modules=["smacks"], consider_websocket_secure=True,
                           http_ports=[0], https_ports=[])
    running.user("juliet")
    romeo = running.client("romeo").available()
    first, second = (WebSocket(running.address("http")) for _ in range(2))
    jid = first.login()
    first.frame(f"<enable xmlns='{SM}' resume='true'/>")
    token = first.element().attr["id"]
    session = running.server.full_sessions[jid]
    romeo.send(f"<message to='{jid}' type='chat'><body>one</body></message>").flush()
    assert first.element().get_child_text("body") == "one" and first.element().name == "r"
    first.frame(f"<message xmlns='jabber:client' to='{romeo.jid}'/>")
    first.sock.close()
    wait_until(lambda: session.conn is None)
    second.open()
    data = base64.b64encode(b"\0juliet\0secret").decode()
    second.frame(f"<auth xmlns='{ns.SASL}' mechanism='PLAIN'>{data}</auth>")
    second.element()
    second.open()
    second.frame(f"<resume xmlns='{SM}' previd='{token}' h='0'/>")
    resumed = second.element()
    assert (resumed.name, resumed.attr["h"]) == ("resumed", "1")
    again = second.element()
    assert again.get_child_text("body") == "one" and again.get_child("delay", "urn:xmpp:delay")
    second.frame(f"<a xmlns='{SM}' h='1'/>")
    assert romeo.message().attr["from"] == jid
    romeo.send(f"<message to='{jid}' type='chat'><body>two</body></message>").flush()
    while (element := second.element()).name == "r":
        pass
    assert element.get_child_text("body") == "two"
    second.sock.close()
