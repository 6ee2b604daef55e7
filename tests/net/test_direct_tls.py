"""The direct TLS port (XEP-0368): ALPN, SNI, and handshakes that fail."""

from __future__ import annotations

import gevent
import pytest
from gevent import ssl
from OpenSSL import SSL

from prosody_py.net.tls import identity
from prosody_py.testing.client import Closed, wait_until

SERVICE = "c2s_direct_tls"


@pytest.fixture
def running(steady_server):
    # Both services ask for any free port, which would be one and the same entry.
    return steady_server(c2s_direct_tls_ports=[0], c2s_direct_tls_interfaces=["127.0.0.2"],
                         hosts={"localhost": {}, "example.org": {}})


@pytest.mark.parametrize("alpn", [None, "xmpp-client"])
def test_a_client_logs_in_with_alpn_and_without(running, alpn):
    running.user("juliet")
    client = running.connect(service=SERVICE).wrap(alpn=alpn)
    assert client.login("juliet", mechanism="PLAIN").jid.startswith("juliet@localhost/")
    assert "starttls" not in str(client.features)
    assert client.sock.selected_alpn_protocol() == alpn


def test_another_protocol_is_refused_with_an_alert(running):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        running.connect(service=SERVICE).wrap(alpn="http/1.1")


@pytest.mark.parametrize("host", ["localhost", "example.org"])
def test_the_name_asked_for_chooses_the_certificate(running, tls_socket, host):
    client = running.connect(host, SERVICE)
    client.sock = tls_socket(client.sock, name=host.encode())
    shown = client.sock.tls.get_peer_certificate(as_cryptography=True)
    assert host in identity.hosts_named(shown)
    assert client.open() is not None


@pytest.mark.parametrize("name", [b"", b"unknown.example"])
def test_without_a_known_name_the_first_host_is_shown(running, tls_socket, name):
    client = running.connect(service=SERVICE)
    client.sock = tls_socket(client.sock, name=name)
    shown = client.sock.tls.get_peer_certificate(as_cryptography=True)
    assert next(iter(running.server.hosts)) in identity.hosts_named(shown)


def test_starttls_shows_the_certificate_of_the_streams_host(running, tls_socket):
    client = running.connect("example.org")
    client.open()
    client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    client.receive()
    client.sock = tls_socket(client.sock, name=b"localhost")
    shown = client.sock.tls.get_peer_certificate(as_cryptography=True)
    assert "example.org" in identity.hosts_named(shown)


@pytest.mark.parametrize("data", [b"<?xml version='1.0'?><stream:stream>",
                                  b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 4, b"\x16\x03"])
def test_what_is_no_tls_ends_only_that_connection(running, data):
    other = running.client("romeo")
    client = running.connect(service=SERVICE).send(data)
    if data == b"\x16\x03":
        client.sock.close()  # in the middle of a record
    else:
        try:
            while client.sock.recv(4096):
                pass
        except ConnectionResetError:
            pass  # what was not read is a reason for that
    assert other.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_a_handshake_that_is_not_finished_ends_with_the_time_to_log_in(steady_server):
    running = steady_server(c2s_direct_tls_ports=[0], c2s_direct_tls_interfaces=["127.0.0.2"],
                            c2s_timeout=1, c2s_connections_per_address=2)
    waiting = [running.connect(service=SERVICE) for _ in range(2)]
    gevent.sleep(0.1)
    assert running.connect(service=SERVICE).sock.recv(1) == b"", "half-open ones count"
    for client in waiting:
        assert client.sock.recv(1) == b""


def test_a_tls_client_that_vanishes_without_a_word_is_gone(running, tls_socket):
    running.user("juliet")
    client = running.connect(service=SERVICE)
    raw = client.sock
    client.sock = tls_socket(raw)
    client.login("juliet", mechanism="PLAIN")
    raw.close()
    wait_until(lambda: not running.server.full_sessions)


def test_broken_records_end_the_connection(running, tls_socket):
    running.user("juliet")
    client = running.connect(service=SERVICE)
    raw = client.sock
    client.sock = tls_socket(raw)
    client.login("juliet", mechanism="PLAIN")
    raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    with pytest.raises((Closed, SSL.Error, ConnectionError)):
        while True:
            client.receive()
    wait_until(lambda: not running.server.full_sessions)
