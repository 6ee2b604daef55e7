"""A client for tests that logs in with SASL 2 (XEP-0388) and says exactly what it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from prosody_py.testing.client import Client
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamOpen
from prosody_py.xmpp.stanza import Stanza

XMLNS, BIND, FAST, SM = "urn:xmpp:sasl:2", "urn:xmpp:bind:0", "urn:xmpp:fast:0", "urn:xmpp:sm:3"
AGENT = "d4565fa7-4d72-4749-b3d3-740edbf87770"


def encode(data: bytes | str) -> str:
    """Return base64."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


class Scram:
    """A client's side of a SCRAM exchange (RFC 5802).

    `gs2` is the header of section 7, `binding` the data of the channel binding; `fields` are the
    server's first message, by attribute.
    """

    def __init__(self, username: str, password: str, mechanism: str, gs2: str = "n,,",
                 binding: bytes = b""):
        self.name = mechanism.removeprefix("SCRAM-").removesuffix("-PLUS").replace("-", "").lower()
        self.bare = f"n={username},r={secrets.token_hex(9)}"
        self.password, self.gs2, self.binding = password, gs2, binding

    def first(self) -> str:
        """Return the first message."""
        return self.gs2 + self.bare

    def final(self, challenge: bytes) -> str:
        """Return the message that answers the server's first one."""
        name, first = self.name, challenge.decode()
        self.fields = fields = dict(part.split("=", 1) for part in first.split(","))
        self.salted = hashlib.pbkdf2_hmac(name, self.password.encode(),
                                          base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.digest(self.salted, b"Client Key", name)
        final = f"c={encode(self.gs2.encode() + self.binding)},r={fields['r']}"
        self.signed = f"{self.bare},{first},{final}".encode()
        signature = hmac.digest(hashlib.new(name, key).digest(), self.signed, name)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return final + ",p=" + encode(proof)

    def check(self, data: bytes) -> None:
        """Check the server's proof."""
        key = hmac.digest(self.salted, b"Server Key", self.name)
        assert data == b"v=" + base64.b64encode(hmac.digest(key, self.signed, self.name))


class Sasl2Client(Client):
    """A connection over TLS; `sender` is the address in its stream header, `agent` its id."""

    sender: str | None = None
    agent: str | None = AGENT

    def open(self, to: str | None = None) -> Stanza:
        """Open a stream and return the features."""
        self.parser.reset()
        sender = f" from='{self.sender}'" if self.sender else ""
        self.send(f"<?xml version='1.0'?><stream:stream to='{to or self.host}'{sender} "
                  f"version='1.0' xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'>")
        header = self.receive()
        assert isinstance(header, StreamOpen), header
        self.stream_attr = header.attr
        self.features = self.receive()
        return self.features

    @property
    def mechanisms(self) -> list[str]:
        """The mechanisms that are offered."""
        offered = self.features.get_child("authentication", XMLNS)
        return [] if offered is None else [tag.get_text() for tag in offered.tags
                                           if tag.name == "mechanism"]

    @property
    def inline(self) -> dict[str, Stanza]:
        """What may be asked for along with logging in, by name."""
        inline = self.features.get_child("authentication", XMLNS).get_child("inline", XMLNS)
        return {} if inline is None else {tag.name: tag for tag in inline.tags}

    @property
    def end_point(self) -> bytes:
        """The data of the channel binding tls-server-end-point."""
        return hashlib.sha256(self.sock.getpeercert(binary_form=True)).digest()

    def begin(self, mechanism: str, initial: bytes | str | None, more: str = "") -> Stanza:
        """Send <authenticate/> with further XML in it, and return the answer."""
        first = "" if initial is None else (
            f"<initial-response>{encode(initial)}</initial-response>")
        agent = f"<user-agent id='{self.agent}'/>" if self.agent else ""
        self.send(f"<authenticate xmlns='{XMLNS}' mechanism='{mechanism}'>{first}{agent}{more}"
                  "</authenticate>")
        return self.receive()

    def respond(self, data: bytes | str) -> Stanza:
        """Send <response/> and return the answer."""
        self.send(f"<response xmlns='{XMLNS}'>{encode(data)}</response>")
        return self.receive()

    def plain(self, username: str, more: str = "", password: str = "secret") -> Stanza:
        """Log in with PLAIN; return the answer."""
        return self.begin("PLAIN", f"\0{username}\0{password}", more)

    def scram(self, username: str, password: str = "secret", mechanism: str = "SCRAM-SHA-1",
              gs2: str = "n,,", binding: bytes = b"", more: str = "") -> Stanza:
        """Go through a SCRAM exchange; return the last answer, whose proof has been checked.

        `first` is then the server's first message, by attribute.
        """
        talk = Scram(username, password, mechanism, gs2, binding)
        challenge = self.begin(mechanism, talk.first(), more)
        if challenge.name != "challenge":
            return challenge
        final = talk.final(base64.b64decode(challenge.get_text()))
        self.first = talk.fields
        answer = self.respond(final)
        if answer.name in ("success", "continue"):
            talk.check(base64.b64decode(answer.get_child_text("additional-data")))
        return answer

    def fast(self, username: str, token: str, attributes: str = "",
             mechanism: str = "HT-SHA-256-NONE", binding: bytes = b"", more: str = "") -> Stanza:
        """Log in with a token; return the answer, whose proof has been checked."""
        name = mechanism.removeprefix("HT-").rpartition("-")[0].replace("-", "").lower()
        name = name.replace("sha3", "sha3_")
        proof = hmac.digest(token.encode(), b"Initiator" + binding, name)
        answer = self.begin(mechanism, username.encode() + b"\0" + proof,
                            f"<fast xmlns='{FAST}' {attributes}/>{more}")
        if answer.name == "success":
            expected = hmac.digest(token.encode(), b"Responder" + binding, name)
            assert base64.b64decode(answer.get_child_text("additional-data")) == expected
        return answer

    def succeeded(self, answer: Stanza) -> Sasl2Client:
        """Check that an answer is a success, and take the address from it."""
        assert answer.name == "success", str(answer)
        self.jid = answer.get_child_text("authorization-identifier")
        return self


def connect(running, sender: str | None = None, agent: str | None = AGENT) -> Sasl2Client:
    """Return a client whose stream is open over TLS."""
    client = Sasl2Client(running.address())
    running.clients.append(client)
    client.sender, client.agent = sender, agent
    client.open()
    client.starttls().open()
    return client


def condition(failure: Stanza) -> str:
    """Return the SASL condition of a <failure/>."""
    assert failure.name == "failure", str(failure)
    return next(tag.name for tag in failure.tags if tag.attr.get("xmlns") == ns.SASL)


def request_token(mechanism: str = "HT-SHA-256-NONE") -> str:
    """Return the request for a token, as XML."""
    return f"<request-token xmlns='{FAST}' mechanism='{mechanism}'/>"


def bind(inside: str = "", tag: str | None = "Phone") -> str:
    """Return the request to bind a resource, as XML."""
    name = "" if tag is None else f"<tag>{tag}</tag>"
    return f"<bind xmlns='{BIND}'>{name}{inside}</bind>"
