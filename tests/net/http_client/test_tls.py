"""Whom a client believes to be the server that it asks."""

from __future__ import annotations

import gevent.server

from prosody_py.testing.answering import ok


def test_tls_needs_a_known_root_and_the_right_name(web, client, authority, failure):
    trusting = {"cafile": authority.root}
    right = web({"/": ok()}, authority("localhost", "127.0.0.1"))
    wrong = web({"/": ok()}, authority("other.example"))
    for host in ("localhost", "127.0.0.1"):
        url = right.url("/", "https", host)
        assert client.request(url, ssl=trusting).body == b"hello"
        assert failure(client, url) == "certificate-chain-invalid"
    for host in ("localhost", "127.0.0.1"):
        url = wrong.url("/", "https", host)
        assert failure(client, url, ssl=trusting) == "certificate-verify-failed"
    assert [len(server.requests) for server in (right, wrong)] == [2, 0]


def test_a_connection_that_was_not_verified_is_not_used_for_one_that_must_be(
        web, client, authority, failure):
    url = web({"/": ok()}, authority("other.example")).url("/", "https", "localhost")
    assert client.request(url, verify=False).status == 200
    assert failure(client, url) == "certificate-chain-invalid"


def test_the_options_name_the_roots(web, client_with, authority):
    client = client_with(client_https_ssl={"cafile": authority.root})
    server = web({"/": ok(b"x" * 300_000)}, authority("localhost"))
    url = server.url("/", "https", "localhost")
    assert len(client.request(url, body=b"y" * 300_000).body) == 300_000
    assert client.request(url).status == client.request(url).status == 200
    assert server.connections == 1 or server.connections == 2
    assert len(server.requests[0][1]) == 300_000


def test_a_server_that_does_not_speak_tls(web, client, client_with, failure):
    server = web({})
    talker = gevent.server.StreamServer(("127.0.0.1", 0), lambda sock, _address: (
        sock.sendall(b"SSH-2.0-x\r\n"), sock.recv(1000), sock.close()))
    talker.start()
    assert failure(client, f"https://127.0.0.1:{talker.server_port}/") == "ssl handshake failed"
    talker.stop(timeout=0)
    hasty = client_with(http_client_connect_timeout="0.1 seconds")
    assert failure(hasty, server.url("/", "https")) == "connection timeout"
