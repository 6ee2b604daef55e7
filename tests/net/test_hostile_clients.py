"""What hostile clients do, and that the others do not notice; see also tests/dialogues."""

from __future__ import annotations

import resource
import socket as plain_socket
import struct
from random import Random
from time import monotonic

import gevent
import pytest

from prosody_py.testing.client import Closed, wait_until
from prosody_py.xmpp import parser

pytestmark = pytest.mark.slow

PING = "<ping xmlns='urn:xmpp:ping'/>"
HEADER = ("<stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams'>")


def answers(client, within=2.0):
    """Whether the server answers a client in time."""
    begin = monotonic()
    return client.iq("get", PING).attr["type"] == "result" and monotonic() - begin < within


def memory():
    """Return the resident memory in MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def connections(running):
    return running.server.modules.get_module("*", "c2s").listener.sessions


def test_half_open_connections_are_limited_and_time_out(steady_server):
    running = steady_server(c2s_connections_per_address=20, c2s_timeout=1)
    other = running.client("romeo")
    idle = [running.connect() for _ in range(19)]
    for index, client in enumerate(idle):
        client.send(HEADER[:index * 8])  # each stops somewhere else
    wait_until(lambda: len(connections(running)) == 20)
    refused = running.connect()
    assert refused.sock.recv(1) == b""
    assert answers(other)
    for client in idle:
        assert client.closed_with() in ("connection-timeout",)
        client.sock.close()
    wait_until(lambda: len(connections(running)) == 1)
    assert running.connect().open() is not None


def test_dripping_bytes_does_not_prolong_the_time_to_log_in(steady_server):
    running = steady_server(c2s_timeout=1)
    client = running.connect()
    begin = monotonic()
    try:
        for byte in HEADER * 100:
            client.send(byte)
            gevent.sleep(0.02)
            if monotonic() - begin > 1.3:
                break
    except OSError:
        pass  # closed meanwhile
    assert client.closed_with() == "connection-timeout"


def test_a_client_that_never_reads_is_dropped_and_costs_little(steady_server):
    running = steady_server(c2s_max_send_buffer="64 KB")
    deaf, other, sender = (running.client(name) for name in ("deaf", "romeo", "juliet"))
    before = memory()
    data = f"<message to='{deaf.jid}'><body>{'x' * 50_000}</body></message>"
    for _ in range(600):  # the system's own buffers take some megabytes
        sender.send(data)
        gevent.sleep(0)
        if deaf.jid not in running.server.full_sessions:
            break
    wait_until(lambda: deaf.jid not in running.server.full_sessions)
    assert answers(other)
    assert memory() - before < 40
    sender.close()


def test_a_flood_of_requests_without_reading_ends_with_the_flooder(steady_server):
    running = steady_server(c2s_max_send_buffer="64 KB")
    deaf, other = running.client("deaf"), running.client("romeo")
    flood = f"<iq type='get' id='{'i' * 900}' to='localhost'>{PING}</iq>" * 50

    def send():
        try:
            for _ in range(2000):
                deaf.send(flood)
        except OSError:
            pass  # dropped, as it should be

    sending = gevent.spawn(send)
    while not sending.dead and deaf.jid in running.server.full_sessions:
        assert answers(other)
    wait_until(lambda: deaf.jid not in running.server.full_sessions)
    assert answers(other)
    deaf.sock.close()
    sending.join(5)


def test_a_flood_of_messages_leaves_the_others_their_turn(steady_server):
    running = steady_server()
    loud, other = running.client("loud"), running.client("romeo")
    flood = f"<message to='{loud.jid}' id='x'/>" * 1000

    def send():
        for _ in range(10):
            loud.send(flood)

    sending = gevent.spawn(send)
    for _ in range(10):
        assert answers(other)
    for _ in range(10_000):
        loud.message()
    assert sending.dead or sending.join(5) is None


@pytest.mark.parametrize("inside", [
    " ".join(f"a{number}='1'" for number in range(30_000)),
    " ".join(f"xmlns:a{number}='urn:{number}'" for number in range(12_000)),
    "a='" + "&amp;" * 60_000 + "'",
], ids=["attributes", "prefixes", "references"])
def test_a_flood_of_attributes_is_too_large_or_harmless(steady_server, inside):
    running = steady_server()
    client, other = running.client("juliet"), running.client("romeo")
    try:
        client.send(f"<message to='{client.jid}'><x {inside}/></message>")
    except OSError:
        pass  # the error came first
    assert answers(other)
    assert client.closed_with() == "policy-violation"


@pytest.mark.parametrize("piece", [1, 100])
def test_an_oversized_stanza_in_small_pieces_is_too_large(steady_server, piece):
    running = steady_server(c2s_stanza_size_limit="10 KB")
    client = running.client("juliet")
    data = b"<message><body>" + b"a>" * 6_000
    try:
        for start in range(0, len(data), piece):
            client.send(data[start:start + piece])
            if start % 50 == 0:
                gevent.sleep(0)
    except OSError:
        pass  # the error came first
    assert client.closed_with() == "policy-violation"


def test_names_that_clients_invent_do_not_stay(steady_server):
    running = steady_server()
    client = running.client("juliet")
    before = memory()
    for number in range(60):
        children = "".join(f"<n{number}x{index}{'y' * 1900}/>" for index in range(60))
        client.send(f"<message to='{client.jid}' id='{number}'><x>{children}</x></message>")
        client.message()
    assert sum(map(len, parser._names)) < 1_000_000, "7 MB of names went by"
    for number in range(60):
        children = "".join(f"<m{number}x{index}/>" for index in range(100))
        client.send(f"<message to='{client.jid}' id='{number}'><x>{children}</x></message>")
        client.message()
    assert len(parser._names) <= 4096
    assert memory() - before < 40


@pytest.mark.parametrize("prefixes", ["", " xmlns:a='urn:a'"], ids=["plain", "prefixes"])
def test_documents_are_renewed_in_a_long_stream(steady_server, prefixes):
    running = steady_server()
    running.user("juliet")
    client = running.connect()
    client.open()
    client.authenticate("juliet", "secret")
    client.parser.reset()
    client.send(HEADER.replace(">", f"{prefixes}>"))
    client.receive(), client.receive()
    client.bind("balcony")
    stream = running.server.full_sessions[client.jid].stream
    for number in range(60):
        child = "<a:x/>" if prefixes else "<x/>"
        client.send(f"<message to='{client.jid}' id='{number}'>{child}{'x' * 20_000}</message>")
        message = client.message()
        assert message.attr["id"] == str(number)
        assert message.tags[0].attr.get("xmlns") == ("urn:a" if prefixes else None)
    assert stream._document is None or stream._document.fed < 600_000


@pytest.mark.parametrize("seed", range(5))
def test_garbage_ends_only_its_own_connection(steady_server, seed):
    running = steady_server(c2s_timeout=1)
    random = Random(seed)
    other = running.client("romeo")
    for _ in range(12):
        client = running.connect()
        if random.random() < 0.6:
            client.send(HEADER)
        garbage = bytearray((HEADER + f"<iq type='get' id='1'>{PING}</iq>" * 3).encode())
        for _ in range(random.randint(1, 40)):
            garbage[random.randrange(len(garbage))] = random.randrange(256)
        client.send(bytes(garbage) if random.random() < 0.7 else random.randbytes(2000))
        gevent.sleep(0)
        client.sock.close()
    assert answers(other)


def test_clients_that_reset_at_once_leave_nothing(steady_server):
    running = steady_server()
    other = running.client("romeo")
    for number in range(100):
        sock = plain_socket.create_connection(running.address())
        sock.setsockopt(plain_socket.SOL_SOCKET, plain_socket.SO_LINGER, struct.pack("ii", 1, 0))
        if number % 3:
            sock.send(HEADER.encode()[:number])
        if number % 2:
            gevent.sleep(0)
        sock.close()
    wait_until(lambda: len(connections(running)) == 1)
    assert answers(other)


def test_a_client_that_is_gone_in_the_middle_of_a_login_leaves_nothing(steady_server):
    running = steady_server()
    running.user("juliet")
    steps = [lambda c: c.open(), lambda c: c.starttls(), lambda c: c.open(),
             lambda c: c.sasl_auth("PLAIN", b"\0juliet\0secret"), lambda c: c.receive(),
             lambda c: c.open(), lambda c: c.bind("balcony"), lambda c: c.available()]
    for length in range(len(steps) + 1):
        client = running.connect()
        for step in steps[:length]:
            step(client)
        client.sock.close()
        wait_until(lambda: not connections(running))
        assert not running.server.full_sessions


def test_deep_nesting_is_refused_on_every_way_down(steady_server):
    running = steady_server()
    client = running.client("juliet")
    client.send("<message>" + "<a>" * 90)  # may go on
    gevent.sleep(0.05)
    client.send("<b/>" * 10 + "<a>" * 30)
    with pytest.raises(Closed):
        while True:
            element = client.receive()
            if getattr(element, "name", None) == "error":
                assert element.tags[0].name == "policy-violation"
