"""Streams over real connections: what a script cannot show."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.concurrency import turns
from prosody_py.testing.client import Closed, wait_until

PING = "<ping xmlns='urn:xmpp:ping'/>"


def test_ids_are_long_and_never_the_same(steady_server):
    running = steady_server()
    client = running.connect()
    ids = set()
    for _ in range(20):
        client = running.connect()
        client.open()
        ids.add(client.stream_attr["id"])
    client.starttls().open()
    ids.add(client.stream_attr["id"])
    assert len(ids) == 21
    assert all(len(each) >= 22 for each in ids), "128 bits (RFC 6120 section 4.7.3)"


def test_each_restart_has_a_header_of_its_own(steady_server):
    running = steady_server()
    running.user("juliet")
    client = running.connect()
    seen = []
    for step in (lambda: None, client.starttls, lambda: client.authenticate("juliet", "secret")):
        step()
        client.open()
        assert client.stream_attr["from"] == "localhost"
        assert client.stream_attr["version"] == "1.0" and client.stream_attr["xml:lang"]
        seen.append((client.stream_attr["id"], sorted(tag.name for tag in client.features.tags)))
    assert len({id for id, _features in seen}) == 3
    first, encrypted, authenticated = (features for _id, features in seen)
    assert "starttls" in first and "mechanisms" in first
    assert "starttls" not in encrypted and "mechanisms" in encrypted
    assert "mechanisms" not in authenticated and "bind" in authenticated


def test_silence_is_connection_timeout_where_nobody_asks(steady_server):
    running = steady_server(c2s_read_timeout=1, modules_enabled=["saslauth", "tls"])
    client = running.client("juliet", tls=True)
    assert client.closed_with() == "connection-timeout"
    wait_until(lambda: not running.server.full_sessions)


def test_long_text_under_the_limit_arrives_whole(steady_server):
    running = steady_server()
    juliet, romeo = running.client("juliet", tls=True), running.client("romeo")
    text = "äöü€😀" * 15_000  # 225 KB of UTF-8
    juliet.send(f"<message to='{romeo.jid}'><body>{text}</body></message>")
    assert romeo.message().get_child_text("body") == text


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_characters_may_be_cut_anywhere(steady_server, size):
    running = steady_server()
    client = running.client("juliet")
    text = "ä€😀&amp;<![CDATA[>]]>" * 20
    data = f"<message to='{client.jid}'><body>{text}</body></message>".encode()
    for start in range(0, len(data), size):
        client.send(data[start:start + size])
        gevent.sleep(0)
    assert client.message().get_child_text("body") == "ä€😀&>" * 20


def test_many_stanzas_in_one_segment_keep_their_order(steady_server):
    running = steady_server()
    juliet, romeo = running.client("juliet", tls=True), running.client("romeo", tls=True)
    juliet.send("".join(f"<message to='{romeo.jid}' id='{number}'/>" for number in range(500)))
    assert [romeo.message().attr["id"] for _ in range(500)] == [str(n) for n in range(500)]


def test_the_error_reaches_a_client_that_is_still_sending(steady_server):
    running = steady_server(c2s_stanza_size_limit="10 KB")
    client = running.client("juliet")

    def send():
        try:
            client.send("<message><body>" + "x" * 5_000_000)
        except OSError:
            pass  # the server reads on only for a while

    sender = gevent.spawn(send)
    said = []
    with pytest.raises(Closed) as end:
        while True:
            said.append(client.receive())
    assert said[0].tags[0].name == "policy-violation"
    assert not end.value.args, "an orderly end, no reset"
    client.sock.close()
    sender.join()


def test_a_client_that_does_not_close_its_side_is_left_after_a_while(steady_server):
    running = steady_server(c2s_close_timeout=1)
    client = running.client("juliet")
    client.send("</stream:stream>")
    assert client.closed_with() is None
    listener = running.server.modules.get_module("*", "c2s").listener
    assert listener.sessions, "waits for the client"
    wait_until(lambda: not listener.sessions, 3)


def test_stopping_does_not_wait_for_clients_that_are_silent(start_server):
    running = start_server()
    clients = [running.client("juliet", f"r{number}") for number in range(3)]
    with gevent.Timeout(3):
        running.server.shutdown("maintenance")
    assert [client.closed_with() for client in clients] == ["system-shutdown"] * 3


def test_an_error_in_the_server_ends_only_the_stream_that_met_it(start_server):
    running = start_server()
    juliet, romeo = running.client("juliet"), running.client("romeo")
    process = running.server.process_stanza

    def broken(origin, stanza):
        if stanza.attr.get("id") == "bad":
            raise RuntimeError("a mistake in the server")
        process(origin, stanza)

    running.server.process_stanza = broken
    juliet.send("<message id='bad'/>")
    assert juliet.closed_with() == "internal-server-error"
    assert romeo.iq("get", PING).attr["type"] == "result"
    assert list(running.server.full_sessions) == [romeo.jid]


def test_a_replaced_session_does_not_take_the_new_one_along(steady_server):
    running = steady_server()
    old = running.client("juliet", "balcony")
    new = running.client("juliet", "balcony")
    assert old.closed_with() == "conflict"
    old.sock.close()
    assert new.iq("get", PING).attr["type"] == "result"
    assert set(running.server.bare_sessions) == {"juliet@localhost"}
    assert new.jid in running.server.full_sessions


def test_stanzas_are_in_the_language_of_their_stream(start_server):
    running = start_server()
    romeo, juliet = running.client("romeo"), running.connect()
    running.user("juliet")
    juliet.open()
    juliet.authenticate("juliet", "secret")
    juliet.parser.reset()
    juliet.send("<stream:stream to='localhost' version='1.0' xml:lang='it' xmlns='jabber:client' "
                "xmlns:stream='http://etherx.jabber.org/streams'>")
    juliet.receive()
    juliet.receive()
    juliet.bind()
    for own, said in (("", "it"), (" xml:lang='de'", "de")):
        juliet.send(f"<message to='{romeo.jid}'{own}><body>Ciao</body></message>")
        assert romeo.message().attr["xml:lang"] == said
    romeo.send(f"<message to='{juliet.jid}'><body>Hi</body></message>")
    assert "xml:lang" not in juliet.message().attr


def test_a_language_without_end_is_not_put_on_stanzas(start_server):
    running = start_server()
    client = running.connect()
    client.send(f"<stream:stream to='localhost' version='1.0' xml:lang='{'x' * 65}' "
                "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
    client.receive()
    (session,) = running.server.modules.get_module("*", "c2s").listener.sessions.values()
    assert session.lang is None


def test_who_sends_many_stanzas_at_once_does_not_hold_up_the_others(start_server, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 0)  # a turn is over at once
    running = start_server()
    juliet, romeo = running.client("juliet"), running.client("romeo")
    done = []
    running.server.hosts["localhost"].events.add_handler(
        "pre-message/host", lambda event: done.append(event) or True, 1000)
    romeo.send("<message to='localhost'/>" * 300)
    wait_until(lambda: done)
    juliet.flush()
    assert len(done) < 300, "juliet was served in between"
    romeo.flush()
    assert len(done) == 300
