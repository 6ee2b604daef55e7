"""Debian's modules that speak on ports of their own, unmodified, with real peers."""

from __future__ import annotations

import base64
import hashlib

import gevent
import pytest
from gevent import socket

from prosody_py.lua.runtime import KINDS


@pytest.fixture(params=KINDS)
def start_global(request, start_server, debian_module, tmp_path, guarded):
    """Return a function that starts a server with global modules of Debian's."""
    def start(*names, hosts=None, **options):
        folder = tmp_path / "plugins"
        folder.mkdir()
        for name in names:
            path = debian_module(name)
            (folder / path.name).symlink_to(path)
        running = start_server([] if hosts else list(names), plugin_paths=[str(folder)],
                               lua_runtime=request.param, **options,
                               **({"hosts": hosts} if hosts else {}))
        for name in names:
            module = running.server.modules.get_module("*", name)
            assert module is not None and module.path.startswith(str(folder))
        return running

    return start


def talk(address):
    sock = socket.create_connection(address, 5)
    sock.settimeout(5)
    return sock


def until(sock, end):
    data = b""
    while not data.endswith(end):
        chunk = sock.recv(65536)
        assert chunk, data
        data += chunk
    return data


def test_dovecot_auth_lets_in_who_has_the_password(start_global):
    running = start_global("net_dovecotauth", dovecotauth_ports=[0])
    running.user("juliet", "secret")
    with talk(running.address("dovecotauth")) as sock:
        greeting = until(sock, b"DONE\n").decode().splitlines()
        assert greeting[0] == "VERSION\t1\t1" and "MECH\tPLAIN\tplaintext" in greeting
        sock.sendall(b"VERSION\t1\t1\nCPID\t42\n")
        for password, answer in (("secret", b"OK\t1\tuser=juliet"), ("wrong", b"FAIL\t1\t")):
            response = base64.b64encode(f"\0juliet\0{password}".encode())
            sock.sendall(b"AUTH\t1\tPLAIN\tservice=smtp\tresp=" + response + b"\n")
            assert until(sock, b"\n").startswith(answer)
    exports = running.server.modules.get_module("*", "net_dovecotauth")
    with talk(running.address("dovecotauth")) as sock:
        until(sock, b"DONE\n")
        running.server.modules.unload("*", exports.name)  # it closes its connections itself
        assert sock.recv(10) == b""


def socks5(running, key):
    sock = talk(running.address("proxy65"))
    sock.sendall(b"\5\1\0")
    assert until(sock, b"\5\0") == b"\5\0"
    sock.sendall(b"\5\1\0\3\50" + key + b"\0\0")
    assert until(sock, b"\0\0") == b"\5\0\0\3\50" + key + b"\0\0"
    return sock


def test_proxy65_carries_a_file_between_two_clients(start_global):
    running = start_global(
        "proxy65", proxy65_ports=[0],
        hosts={"localhost": {}, "proxy.localhost": {"modules_enabled": ["proxy65"]}})
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))
    query = "<query xmlns='http://jabber.org/protocol/bytestreams' sid='s1'/>"
    answer = juliet.iq("get", query, "proxy.localhost")
    host = answer.tags[0].tags[0]
    assert host.attr["port"] == str(running.address("proxy65")[1])
    key = hashlib.sha1(f"s1{juliet.jid}{romeo.jid}".encode()).hexdigest().encode()
    target, initiator = socks5(running, key), socks5(running, key)
    activate = query.replace("/>", f"><activate>{romeo.jid}</activate></query>")
    assert juliet.iq("set", activate, "proxy.localhost").attr["type"] == "result"
    data = bytes(range(256)) * 4000
    sending = gevent.spawn(initiator.sendall, data)
    received = bytearray()
    while len(received) < len(data):
        received += target.recv(65536)
    sending.join()
    assert received == data
    target.sendall(b"thanks")
    assert until(initiator, b"thanks") == b"thanks"
    target.close()
    assert initiator.recv(10) == b""
    initiator.close()


def test_multiplex_finds_the_service_by_what_the_peer_says_first(start_global, tmp_path):
    plugins = tmp_path / "more"
    plugins.mkdir()
    (plugins / "mod_shout.lua").write_text("""
        module:set_global();
        module:provides("net", { multiplex = { pattern = "^SHOUT" }, listener = {
            onconnect = function (conn) conn:write("["); end;
            onincoming = function (conn, data) conn:write(data:lower()); end;
        } });
    """)
    running = start_global("net_multiplex", ports=[0])
    running.server.modules.folders.insert(0, str(plugins))
    running.server.modules.load("*", "shout")
    with talk(running.address("multiplex")) as sock:
        sock.sendall(b"SHOUT OUT")
        assert until(sock, b"out") == b"[shout out"
        sock.sendall(b"AGAIN")
        assert until(sock, b"again") == b"again"
