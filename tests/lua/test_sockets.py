"""LuaSocket's sockets: patterns, timeouts, errors; and that the server goes on meanwhile."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer


@pytest.fixture
def run(start_lua):
    """Return a function that runs Lua code on a server; `call(...)` gives its result."""
    running = start_lua(lua="module:set_global();")
    border = running.server.lua

    def call(source, *args):
        source = 'local socket = require "socket"; ' + source
        chunk = border.compile(source.encode(), "test.lua", border.lua.globals())
        result = border.driver.call(chunk, *map(border.to_lua, args))
        if type(result) is tuple:
            return tuple(map(border.to_python, result))
        return border.to_python(result)

    return call


@pytest.fixture
def peer():
    servers = []

    def start(handle):
        server = StreamServer(("127.0.0.1", 0), handle)
        server.start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.stop()


def says(*pieces, pause=0.0):
    def handle(sock, _address):
        for piece in pieces:
            sock.sendall(piece)
            gevent.sleep(pause)
    return handle


def test_lines_numbers_and_the_rest(run, peer):
    port = peer(says(b"one\r\ntw", b"o\n12345rest", b" of it", pause=0.01))
    assert run("""
        local s = assert(socket.connect("127.0.0.1", ...));
        return s:receive(), s:receive("*l"), s:receive(3), s:receive(4, "12"), s:receive("*a"),
            s:receive("*a"), select(2, s:receive());
    """, port) == ("one", "two", "123", "1245", "rest of it", None, "closed", "")


def test_what_has_come_is_returned_with_the_error(run, peer):
    port = peer(says(b"incomplete"))
    assert run("""
        local s = assert(socket.connect("127.0.0.1", ...));
        return s:receive("*l");
    """, port) == (None, "closed", "incomplete")


def test_a_timeout_ends_the_wait_and_loses_nothing(run, peer):
    def handle(sock, _address):
        sock.sendall(b"half")
        sock.recv(1)
        sock.sendall(b"whole\n")

    port = peer(handle)
    assert run("""
        local s = assert(socket.connect("127.0.0.1", ...));
        s:settimeout(0.05);
        local _, why, part = s:receive();
        s:send("x");
        s:settimeout(2);
        return why, part, s:receive("*l", part);
    """, port) == ("timeout", "half", "halfwhole")


def test_with_a_timeout_of_0_nothing_waits(run, peer):
    port = peer(lambda sock, _address: gevent.sleep(1))
    assert run("""
        local s = assert(socket.connect("127.0.0.1", ...));
        s:settimeout(0);
        return s:receive();
    """, port) == (None, "timeout", "")


def test_the_server_goes_on_while_a_socket_waits(run, peer):
    times = []

    def tick():
        while True:
            times.append(1)
            gevent.sleep(0.005)

    ticker = gevent.spawn(tick)
    port = peer(says(b"", b"late\n", pause=0.1))
    assert run('return (socket.connect("127.0.0.1", ...):receive())', port) == "late"
    ticker.kill()
    assert len(times) > 5


def test_send_says_how_far_it_has_come(run, peer):
    received = []

    def handle(sock, _address):
        while data := sock.recv(100):
            received.append(data)

    port = peer(handle)
    assert run("""
        local s = assert(socket.connect("127.0.0.1", ...));
        local a, b, c = s:send("hello"), s:send("hello", 3), s:send("hello", -2, -1);
        s:close();
        return a, b, c, s:send("x");
    """, port) == (5, 5, 5, None, "closed", 0)
    gevent.sleep(0.01)
    assert b"".join(received) == b"hellollolo"


def test_errors_have_luasockets_words(run):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        closed = sock.getsockname()[1]
        assert run("""
            local a, refused = socket.connect("127.0.0.1", ...);
            local b, used = socket.bind("127.0.0.1", ...);
            local c, unknown = socket.tcp():setoption("no-such-option", true);
            local ok, pattern = pcall(function () return socket.tcp():receive("*x"); end);
            return refused, used, unknown, ok, pattern;
        """, closed) == ("connection refused", "address already in use",
                         "unsupported option `no-such-option'", False,
                         "bad argument #1 to 'receive' (invalid receive pattern)")


def test_a_listening_socket_accepts(run):
    listening = run("""
        local s = assert(socket.bind("127.0.0.1", 0));
        package.loaded.kept = s;
        local ip, port, family = s:getsockname();
        return port, ip, family, s:getfd() > 0;
    """)
    port = int(listening[0])
    assert listening[1:] == ("127.0.0.1", "inet", True)
    sock = socket.create_connection(("127.0.0.1", port), 5)
    sock.sendall(b"ping\n")
    assert run("""
        local client = require "kept":accept();
        local line = client:receive();
        client:send(line:upper());
        local ip, port = client:getpeername();
        client:close(); require "kept":close();
        return line, port;
    """) == ("ping", sock.getsockname()[1])
    assert sock.recv(10) == b"PING"
    sock.close()


def test_datagrams(run):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        port = sock.getsockname()[1]
        own = run("""
            local s = socket.udp();
            package.loaded.kept = s;
            s:setsockname("127.0.0.1", 0);
            assert(s:sendto("\\0one", "127.0.0.1", ...));
            local _, port = s:getsockname();
            return port;
        """, port)
        assert sock.recv(10) == b"\0one"
        sock.sendto(b"two\xff", ("127.0.0.1", int(own)))
        data, ip, sender = run('return require "kept":receivefrom()')
        assert (data, ip, sender) == ("two\udcff", "127.0.0.1", port)
        assert run("""
            local s = require "kept";
            s:settimeout(0.02);
            return s:receive();
        """) == (None, "timeout")


def test_unix_sockets(run, tmp_path):
    path = str(tmp_path / "sock")
    assert run("""
        local unix = require "socket.unix";
        local server, client = unix.stream(), unix();
        assert(server:bind(...)); assert(server:listen());
        assert(client:connect(...));
        local accepted = server:accept();
        client:send("through a file\\n");
        local line = accepted:receive();
        client:close(); accepted:close(); server:close();
        return line;
    """, path) == "through a file"
    assert run('return require "socket.unix".stream():connect(...)', path + "x")[0] is None


def test_select_says_which_sockets_are_ready(run, peer):
    port = peer(says(b"now", pause=1))
    assert run("""
        local a = assert(socket.connect("127.0.0.1", ...));
        local b = socket.udp();
        b:setsockname("127.0.0.1", 0);
        local readable, writable, err = socket.select({ a, b }, { a }, 1);
        local r2, w2 = socket.select({ a, b }, nil, 1);
        local r3, w3, late = socket.select({ b }, nil, 0.01);
        return #writable, writable[a], r2[1] == a, r2[a], #r2, #r3, late;
    """, port) == (1, 1, True, 1, 1, 0, "timeout")


def test_names_and_clocks(run):
    assert run('return socket.dns.toip("127.0.0.1")')[0] == "127.0.0.1"
    assert run('return type(socket.dns.gethostname()), type(socket.gettime())') == (
        "string", "number")
    assert run('return socket.dns.getaddrinfo("::1")[1].family') == "inet6"


def test_a_source_and_a_sink_of_sockets(run, peer):
    received = []

    def handle(sock, _address):
        sock.sendall(b"abc" * 3000)
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(100):
            received.append(data)

    port = peer(handle)
    assert run("""
        local ltn12 = require "ltn12";
        local s = assert(socket.connect("127.0.0.1", ...));
        assert(ltn12.pump.all(ltn12.source.string("to you"), socket.sink("keep-open", s)));
        local parts = {};
        assert(ltn12.pump.all(socket.source("by-length", s, 6000), (ltn12.sink.table(parts))));
        local first = #table.concat(parts);
        assert(ltn12.pump.all(socket.source("until-closed", s), (ltn12.sink.table(parts))));
        return first, #table.concat(parts);
    """, port) == (6000, 9000)
    gevent.sleep(0.01)
    assert b"".join(received) == b"to you"
