"""A Connection and a Port without XMPP: reading, writing, ending."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket
from OpenSSL import SSL

from prosody_py.net.connection import Connection
from prosody_py.net.listener import Port
from prosody_py.net.tls import selfsigned
from prosody_py.testing.client import wait_until


class Recorder:
    """A listener that notes what happens; `work` is done with what comes in."""

    def __init__(self):
        self.conn, self.received, self.ended = None, [], []
        self.work = lambda conn, data: None
        self.keep = False

    def onconnect(self, conn):
        self.conn = conn

    def onincoming(self, conn, data):
        self.received.append(data)
        self.work(conn, data)

    def ondisconnect(self, conn, reason):
        self.ended.append(reason)

    def onreadtimeout(self, conn):
        return self.keep


@pytest.fixture
def connect():
    """Return a function that gives (peer's socket, listener, connection)."""
    opened = []

    def connected(**more):
        listener = Recorder()
        port = Port("127.0.0.1", 0, listener, **more)
        peer = socket.create_connection(("127.0.0.1", port.port), 5)
        opened.extend((port, peer))
        wait_until(lambda: listener.conn is not None)
        return peer, listener, listener.conn

    yield connected
    for each in opened:
        each.close()


def read_all(peer):
    data = b""
    while chunk := peer.recv(65536):
        data += chunk
    return data


def test_what_is_written_before_the_end_arrives_although_input_is_unread(connect):
    peer, listener, conn = connect()
    conn.pause()
    peer.sendall(b"x" * 10_000)
    gevent.sleep(0.02)
    conn.write(b"a")
    conn.write(b"b")
    conn.close("enough")
    assert not conn.write(b"c")
    assert read_all(peer) == b"ab"
    assert not listener.ended and not conn.closed, "the peer has not closed its side"
    peer.close()
    wait_until(lambda: listener.ended == ["enough"])
    assert listener.received == [] and conn.closed


def test_the_end_does_not_wait_longer_than_allowed(connect):
    peer, listener, conn = connect()
    conn.linger = 0.05
    conn.close("enough")
    assert peer.recv(1) == b""
    wait_until(lambda: listener.ended == ["enough"], 2)
    conn.close("again")
    conn.destroy("again")
    assert listener.ended == ["enough"]


def test_input_waits_while_its_predecessor_is_worked_off(connect):
    peer, listener, _conn = connect()
    listener.work = lambda conn, data: gevent.sleep(0.05)
    peer.sendall(b"1")
    wait_until(lambda: listener.received == [b"1"])
    peer.sendall(b"2")
    gevent.sleep(0.02)
    assert listener.received == [b"1"]
    wait_until(lambda: listener.received == [b"1", b"2"])


def test_reading_goes_on_when_it_is_resumed_in_the_middle_of_work(connect):
    peer, listener, _conn = connect()

    def work(conn, data):
        conn.pause()
        gevent.sleep(0.01)
        conn.resume()
        gevent.sleep(0.01)

    listener.work = work
    for number in b"123":
        peer.sendall(bytes([number]))
        gevent.sleep(0.005)
    wait_until(lambda: b"".join(listener.received) == b"123", 3)


def test_a_paused_connection_is_not_read(connect):
    peer, listener, conn = connect()
    conn.pause()
    peer.sendall(b"1")
    gevent.sleep(0.03)
    assert listener.received == []
    conn.resume()
    wait_until(lambda: listener.received == [b"1"])


def test_output_over_the_limit_ends_the_connection(connect):
    _peer, listener, conn = connect(max_send_buffer=100_000)
    while conn.write(b"x" * 50_000):
        gevent.sleep(0)
        assert conn.pending <= 200_000
    wait_until(lambda: listener.ended)
    assert "does not read" in listener.ended[0] and conn.pending == 0


def test_much_output_arrives_in_order_and_tells_when_it_is_gone(connect):
    peer, listener, conn = connect(max_send_buffer=50_000_000)
    drained = []
    listener.ondrain = lambda conn: drained.append(conn.pending)
    data = b"".join(b"%07d" % number for number in range(1_000_000))
    conn.write(data)
    reader = gevent.spawn(read_all, peer)
    wait_until(lambda: drained == [0])
    conn.close()
    assert reader.get(timeout=5) == data


def test_silence_ends_a_connection_unless_the_listener_keeps_it(connect):
    peer, listener, conn = connect(read_timeout=0.1)
    listener.keep = True
    gevent.sleep(0.25)
    assert not listener.ended
    listener.keep = False
    assert peer.recv(1) == b""
    peer.close()
    wait_until(lambda: listener.ended == ["read timeout"])


def test_a_refused_address_gets_nothing_but_the_end():
    listener = Recorder()
    port = Port("127.0.0.1", 0, listener, admit=lambda address: address != "127.0.0.1")
    with socket.create_connection(("127.0.0.1", port.port), 5) as peer:
        assert peer.recv(1) == b""
    assert listener.conn is None
    port.close()


def test_a_context_that_cannot_be_made_refuses_only_that_connection():
    contexts = []

    def context():
        contexts.append(None)
        raise ValueError("the certificate is broken")

    port = Port("127.0.0.1", 0, Recorder(), context=context)
    for count in (1, 2):
        with socket.create_connection(("127.0.0.1", port.port), 5) as peer:
            assert peer.recv(1) == b""
        assert len(contexts) == count
    port.close()


def read_exactly(peer, size):
    data = b""
    while len(data) < size and (chunk := peer.recv(size - len(data))):
        data += chunk
    return data


def fill(conn):
    """Give the system as much as it takes for a peer that does not read; return the bytes."""
    filled = refused = 0
    while refused < 20:
        try:
            filled += conn.sock.send(b"x" * 4096)
            refused = 0
        except BlockingIOError:
            refused += 1
            gevent.sleep(0.001)  # the system may make its buffers larger
    return filled


def note_calls(monkeypatch, name):
    """Return the list in which each call of a method of connections is noted from now on."""
    calls, function = [], getattr(Connection, name)

    def noted(conn):
        calls.append(conn)
        return function(conn)

    monkeypatch.setattr(Connection, name, noted)
    return calls


def calls_in_turns(calls, turns=50):
    """Return how many calls are noted in so many turns of the loop."""
    before = len(calls)
    for _ in range(turns):
        gevent.sleep(0.001)
    return len(calls) - before


def test_what_is_held_back_does_not_keep_the_loop_awake(connect, monkeypatch):
    peer, _listener, conn = connect()
    flushes = note_calls(monkeypatch, "flush")
    filled = fill(conn)
    conn.write(b"y" * 1000)
    wait_until(lambda: flushes)
    conn.pause_writes()
    assert len(read_exactly(peer, filled)) == filled
    assert calls_in_turns(flushes) <= 1
    conn.resume_writes()
    assert read_exactly(peer, 1000) == b"y" * 1000


def test_a_peer_that_has_not_read_what_was_in_clear_gets_no_tls(connect):
    _peer, listener, conn = connect()
    fill(conn)
    conn.write(b"y" * 1000)
    conn.starttls(SSL.Context(SSL.TLS_SERVER_METHOD))
    wait_until(lambda: listener.ended == ["the peer does not read what is sent to it"])


def test_a_handshake_that_waits_for_the_peer_does_not_keep_the_loop_awake(connect, monkeypatch,
                                                                         tmp_path):
    certificate = selfsigned.make("localhost", tmp_path)
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_file(str(certificate.path))
    context.use_privatekey_file(str(certificate.key_path))
    peer, _listener, conn = connect()
    steps = note_calls(monkeypatch, "_step_handshake")
    conn.pause()
    tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    tls.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        tls.do_handshake()
    peer.sendall(tls.bio_read(65536))
    filled = fill(conn)
    conn.starttls(context)
    wait_until(lambda: conn._writer is not None)  # our half of the handshake found no room
    assert len(read_exactly(peer, filled)) == filled
    assert peer.recv(1), "our half has come, the peer does not answer it"
    wait_until(lambda: not conn._writer.active)
    assert calls_in_turns(steps) == 0
