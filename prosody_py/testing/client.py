"""A client for tests: says exactly what it is told, and gives back elements as they come.

It runs on gevent sockets in the same process as the server under test, or against any server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import gevent
from gevent import socket, ssl

from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamClose, StreamOpen, StreamParser
from prosody_py.xmpp.stanza import Stanza


class Closed(Exception):
    """The server has closed the connection."""


class Client:
    """One connection; `jid` once it is bound."""

    def __init__(self, address: tuple[str, int], host: str = "localhost", timeout: float = 20):
        self.host = host
        self.timeout = timeout
        self.jid: str | None = None
        self.sock = socket.create_connection(address, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(timeout)
        self.parser = StreamParser(10_000_000, single=False)
        self.events: list = []
        self.features: Stanza | None = None
        self.stream_attr: dict[str, str] = {}

    # -- bytes and elements ----------------------------------------------------------------

    def send(self, data: str | bytes | Stanza) -> Client:
        """Send text, bytes or an element as it is."""
        if not isinstance(data, bytes):
            data = str(data).encode("utf-8", "surrogateescape")
        self.sock.sendall(data)
        return self

    def receive(self, timeout: float | None = None):
        """Return the next element, StreamOpen or CLOSE; raises Closed or socket.timeout."""
        self.sock.settimeout(timeout or self.timeout)
        while not self.events:
            if self.parser.single and self.parser.kept:
                self.events.extend(self.parser.feed(b""))
                if self.events:
                    break
            try:
                data = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLError) as error:
                if isinstance(error, ssl.SSLError) and "timed out" in str(error):
                    raise TimeoutError from None
                raise Closed(str(error)) from None
            if not data:
                raise Closed
            self.events.extend(self.parser.feed(data))
        event = self.events.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    def receive_until(self, wanted, timeout: float | None = None) -> Stanza:
        """Return the first element for which `wanted(element)` holds; others are dropped."""
        while True:
            element = self.receive(timeout)
            if isinstance(element, StreamClose):
                raise Closed
            if isinstance(element, Stanza) and wanted(element):
                return element

    def message(self, timeout: float | None = None) -> Stanza:
        """Return the next message, dropping other elements."""
        return self.receive_until(lambda element: element.name == "message", timeout)

    def presence(self, timeout: float | None = None) -> Stanza:
        """Return the next presence, dropping other elements."""
        return self.receive_until(lambda element: element.name == "presence", timeout)

    def iq(self, type: str, payload: str = "", to: str | None = None,
           id: str | None = None) -> Stanza:
        """Send an iq with `payload` (XML text) and return its answer."""
        id = id or secrets.token_hex(4)
        address = f" to='{to}'" if to else ""
        self.send(f"<iq type='{type}' id='{id}'{address}>{payload}</iq>")
        return self.receive_until(lambda element: element.name == "iq"
                                  and element.attr.get("id") == id)

    def flush(self) -> list[Stanza]:
        """Return everything that the server has sent up to now."""
        id = secrets.token_hex(6)
        self.send(f"<iq type='get' id='{id}' to='{self.host}'><ping xmlns='urn:xmpp:ping'/></iq>")
        result = []
        while True:
            element = self.receive()
            if isinstance(element, Stanza) and element.attr.get("id") == id:
                return result
            result.append(element)

    # -- the stream ------------------------------------------------------------------------

    def open(self, to: str | None = None) -> Stanza:
        """Open a stream and return the features."""
        self.parser.reset()
        self.send(f"<?xml version='1.0'?><stream:stream to='{to or self.host}' version='1.0' "
                  f"xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'>")
        header = self.receive()
        assert isinstance(header, StreamOpen), header
        self.stream_attr = header.attr
        self.features = self.receive()
        return self.features

    def starttls(self, context: ssl.SSLContext | None = None) -> Client:
        """Start TLS on a stream that is open."""
        self.send(f"<starttls xmlns='{ns.TLS}'/>")
        answer = self.receive()
        assert answer.name == "proceed", answer
        self.wrap(context)
        return self

    def wrap(self, context: ssl.SSLContext | None = None, alpn: str | None = None) -> Client:
        """Do the TLS handshake now."""
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols([alpn])
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        return self

    def authenticate(self, username: str, password: str, mechanism: str = "SCRAM-SHA-1") -> Client:
        """Log in on a stream that is open."""
        if mechanism == "PLAIN":
            self.sasl_auth("PLAIN", f"\0{username}\0{password}".encode())
            answer = self._answer()
        else:
            answer = self.scram(username, password, mechanism)
        assert answer.name == "success", str(answer)
        return self

    def _answer(self) -> Stanza:
        """Return the next element; raises Closed at the end of the stream."""
        element = self.receive()
        if isinstance(element, StreamClose):
            raise Closed
        return element

    def sasl_auth(self, mechanism: str, data: bytes) -> None:
        """Send <auth/>."""
        text = base64.b64encode(data).decode() or "="
        self.send(f"<auth xmlns='{ns.SASL}' mechanism='{mechanism}'>{text}</auth>")

    def scram(self, username: str, password: str, mechanism: str, gs2: str = "n,,",
              binding: bytes = b"") -> Stanza:
        """Go through a SCRAM exchange; return <success/> or <failure/>.

        `gs2` is the header of RFC 5802 section 7, `binding` the data of the channel binding.
        """
        name = mechanism.removeprefix("SCRAM-").removesuffix("-PLUS").replace("-", "").lower()
        nonce = secrets.token_hex(9)
        bare = f"n={username},r={nonce}"
        self.sasl_auth(mechanism, (gs2 + bare).encode())
        challenge = self._answer()
        if challenge.name != "challenge":
            return challenge
        first = base64.b64decode(challenge.get_text()).decode()
        fields = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", name)
        final = f"c={base64.b64encode(gs2.encode() + binding).decode()},r={fields['r']}"
        signed = f"{bare},{first},{final}".encode()
        signature = hmac.digest(hashlib.new(name, key).digest(), signed, name)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        final += ",p=" + base64.b64encode(proof).decode()
        self.send(f"<response xmlns='{ns.SASL}'>{base64.b64encode(final.encode()).decode()}"
                  "</response>")
        answer = self._answer()
        if answer.name == "success":
            expected = hmac.digest(hmac.digest(salted, b"Server Key", name), signed, name)
            assert base64.b64decode(answer.get_text()) == b"v=" + base64.b64encode(expected)
        return answer

    def bind(self, resource: str | None = None) -> Client:
        """Bind a resource on a stream that is open and authenticated."""
        wanted = f"<resource>{resource}</resource>" if resource else ""
        answer = self.iq("set", f"<bind xmlns='{ns.BIND}'>{wanted}</bind>")
        assert answer.attr["type"] == "result", str(answer)
        self.jid = answer.get_child("bind", ns.BIND).get_child_text("jid")
        return self

    def login(self, username: str, password: str = "secret", resource: str | None = None,
              tls: bool = False, mechanism: str = "SCRAM-SHA-1") -> Client:
        """Do everything up to a bound resource."""
        self.open()
        if tls:
            self.starttls()
            self.open()
        self.authenticate(username, password, mechanism)
        self.open()
        return self.bind(resource)

    @property
    def bare_jid(self) -> str:
        """The account's address."""
        return self.jid.partition("/")[0]

    def available(self, inside: str = "") -> Client:
        """Send initial presence and wait until the server has worked it off."""
        self.send(f"<presence>{inside}</presence>")
        self.receive_until(lambda element: element.name == "presence"
                           and element.attr.get("from") == self.jid)
        return self

    def close(self) -> None:
        """Close the stream and the connection."""
        try:
            self.send(b"</stream:stream>")
        except OSError:
            pass  # the server was faster
        self.sock.close()

    def closed_with(self) -> str | None:
        """Wait for the end of the stream; return the condition of its stream error, if any."""
        condition = None
        try:
            while True:
                element = self.receive()
                if isinstance(element, Stanza) and element.name == "error":
                    condition = element.tags[0].name
        except Closed:
            return condition


def wait_until(condition, timeout: float = 20) -> None:
    """Let other greenlets run until `condition()` holds; raises AssertionError."""
    with gevent.Timeout(timeout, AssertionError(f"{condition} did not come true")):
        while not condition():
            gevent.sleep(0.005)
