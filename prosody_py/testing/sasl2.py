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
        name = mechanism.removeprefix("SCRAM-").removesuffix("-PLUS").replace("-", "").lower()
        bare = f"n={username},r={secrets.token_hex(9)}"
        challenge = self.begin(mechanism, gs2 + bare, more)
        if challenge.name != "challenge":
            return challenge
        first = base64.b64decode(challenge.get_text()).decode()
        self.first = fields = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", name)
        final = f"c={encode(gs2.encode() + binding)},r={fields['r']}"
        signed = f"{bare},{first},{final}".encode()
        signature = hmac.digest(hashlib.new(name, key).digest(), signed, name)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        answer = self.respond(final + ",p=" + encode(proof))
        if answer.name in ("success", "continue"):
            expected = hmac.digest(hmac.digest(salted, b"Server Key", name), signed, name)
            assert base64.b64decode(answer.get_child_text("additional-data")) == (
                b"v=" + base64.b64encode(expected))
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
