"""A web server, a name server, and modules that ask them."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.rrset
import gevent
import gevent.server
import pytest
from gevent import ssl

from prosody_py.net.outgoing import OutgoingServices
from prosody_py.net.tls import selfsigned
from prosody_py.testing.answering import Web, ok
from prosody_py.testing.client import wait_until


def slow(sock):
    sock.recv(1)


def late(sock):
    gevent.sleep(0.05)
    sock.sendall(ok())


def chunks(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in (b"abc", b"\xff\x00"):
        sock.sendall(b"%d\r\n%s\r\n" % (len(piece), piece))
        gevent.sleep(0.005)
    sock.sendall(b"0\r\n\r\n")


ANSWERS = {
    "/hello": ok(b"hello", b"X-Y: z\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n"),
    "/404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nnah", "/slow": slow, "/late": late,
    "/chunks": chunks, "/garbage": b"SSH-2.0-x\r\n\r\n", "/close": b"",
    "/binary": ok(bytes(range(256))),
    "/redirect": b"HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture
def web():
    server = Web(ANSWERS)
    yield server
    server.stop()


PRELUDE = """
    local base = "%s";
    local http = require "net.http";
    calls = {};
    local function note(...) calls[#calls + 1] = { ... }; end
"""


class Asking:
    """A place whose modules may ask; `base` is the address of the web server."""

    def __init__(self, place, base):
        self.place, self.base, self.server, self.run = place, base, place.server, place.run

    def load(self, text):
        """Load a module `asking`: it has `base`, `http`, and `note` for what `calls` gives."""
        return self.place.load("asking", PRELUDE % self.base + text)

    def calls(self, module, count=1):
        """Return what was noted, when it is at least so much."""
        wait_until(lambda: len(module.exports.calls) >= count)
        return module.exports.calls.copy()

    def fire(self, name):
        """Fire an event on the module's host; return the result."""
        return self.place.host.events.fire_event(name, None)


@pytest.fixture
def asking(place, web):
    OutgoingServices(place.server)
    return Asking(place, f"http://127.0.0.1:{web.port}")


@pytest.fixture
def secure_web(tmp_path):
    made = selfsigned.make("localhost", str(tmp_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.path, made.key_path)
    server = Web(ANSWERS, context)
    server.root = str(made.path)
    yield server
    server.stop()


@pytest.fixture
def names(asking):
    """A name server; `asking` asks it."""
    records = {
        ("_x._tcp.example", "SRV"): ["10 20 5269 xmpp.example."],
        ("x.example", "A"): ["192.0.2.1"], ("x.example", "AAAA"): ["2001:db8::1"],
        ("x.example", "TXT"): ['"abc" "def"'], ("x.example", "MX"): ["5 mail.example."],
        ("x.example", "TLSA"): ["3 1 0 aabb"], ("1.2.0.192.in-addr.arpa", "PTR"): ["x.example."],
        ("x.example", "CAA"): ['0 issue "ca.example"'],
    }

    def answer(data, address):
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(True), dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(query)
        if name == "broken.example":
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name == "silent.example":
            return
        elif (name, kind) in records:
            reply.answer.append(dns.rrset.from_text(name + ".", 60, "IN", kind,
                                                    *records[name, kind]))
        elif not any(known == name for known, _kind in records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(reply.to_wire(), address)

    server = gevent.server.DatagramServer(("127.0.0.1", 0), answer)
    server.start()
    resolver = asking.server.dns
    resolver._servers = [("127.0.0.1", server.server_port)]
    resolver.options.dns_timeout = 0.3
    yield server
    server.stop(timeout=0)
