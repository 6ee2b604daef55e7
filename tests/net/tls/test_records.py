import threading

import pytest
from OpenSSL import SSL

from prosody_py.net.tls import CertificateIndex, ServerContexts


@pytest.fixture
def context(issue, tmp_path):
    issue("a.example").write(tmp_path, "a.crt", "a.key")
    return ServerContexts(CertificateIndex(tmp_path)).for_host("a.example")


def test_what_is_sent_arrives_both_ways(context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        for data in (b"x", bytearray(b"y" * 250), memoryview(b"z" * 16384)):
            assert server.send(data) == len(data)
            with pytest.raises(SSL.WantReadError):
                while True:
                    assert client.recv(20000) == bytes(data)
            client.send(bytes(data))
            assert server.recv() == bytes(data)


def test_nothing_to_read_is_want_read(context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        with pytest.raises(SSL.WantReadError):
            server.connection.recv(100)


def test_a_short_read_leaves_the_rest_pending(context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        client.send(b"abcdef")
        assert server.recv(2) == b"ab"
        assert server.connection.pending() == 4
        assert server.connection.recv(100000) == b"cdef"
        assert server.connection.pending() == 0


def test_a_large_write_is_taken_record_by_record_and_an_empty_one_not_at_all(
        context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        assert server.send(bytes(100000)) == 16384
        assert server.send(b"") == 0


def test_a_full_socket_is_want_write_and_another_buffer_with_the_same_bytes_goes_on(
        context, pyopenssl_client):
    data = bytes(range(256)) * 4096
    with pyopenssl_client(context) as (server, client):
        sent = 0
        with pytest.raises(SSL.WantWriteError):
            while True:
                sent += server.connection.send(data[sent:])
        got = bytearray()
        while len(got) < len(data):
            try:
                got += client.recv(20000)
            except SSL.WantReadError:
                sent += server.connection.send(bytes(data[sent:]))
        assert got == data


def test_close_notify_is_zero_return_and_a_lost_connection_is_not(context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        client.shutdown()
        with pytest.raises(SSL.ZeroReturnError):
            server.recv()
    with pyopenssl_client(context) as (server, client):
        client.sock_shutdown(2)
        with pytest.raises(SSL.SysCallError):
            server.recv()


def test_garbage_is_an_error(context, pyopenssl_client):
    with pyopenssl_client(context) as (server, client):
        client._socket.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(SSL.Error, match="bad record mac"):
            server.recv()


def test_threads_do_not_share_a_buffer(context, pyopenssl_client):
    failures = []

    def talk(byte):
        with pyopenssl_client(context) as (server, client):
            for size in range(1, 200):
                client.send(byte * size)
                if server.recv() != byte * size:
                    failures.append(byte)
    threads = [threading.Thread(target=talk, args=(bytes([65 + i]),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == [] and not any(thread.is_alive() for thread in threads)
