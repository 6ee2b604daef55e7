"""Connections that Lua code makes: net.server, net.connect and its resolvers."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer

from prosody_py.net.tls import selfsigned
from prosody_py.testing.client import wait_until

CALLER = """
module:set_global();
local server, connect = require "net.server", require "net.connect".connect;
local basic, manual, chain = require "net.resolvers.basic", require "net.resolvers.manual",
    require "net.resolvers.chain";
seen = {};
local function note(...)
    local parts = { ... };
    for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))); end
    seen[#seen + 1] = table.concat(parts, " ");
end
listener = {
    onattach = function (conn, data) note("attach", data); end;
    onconnect = function (conn) note("connect", conn:ip(), conn:ssl()); conn:write("over"); end;
    onincoming = function (conn, data)
        note("in", data);
        if data == "close" then conn:close(); end
    end;
    ondisconnect = function (conn, reason) note("gone", reason); end;
    onfail = function (data, reason) note("fail", data, reason); end;
};
function direct(address, port, options)
    local conn, err = server.addclient(address, port, listener, "*a", options, "tcp",
        { servername = "localhost" });
    if not conn then return nil, err; end
    conn:write("first ");
    return conn.extra.servername;
end
function by_name(name, port) connect(basic.new(name, port), listener, {}, "data"); end
function by_chain(bad, good)
    connect(chain.new { manual.new { { "tcp4", "127.0.0.1", bad } },
        manual.new { { "tcp4", "127.0.0.1", bad }, { "tcp4", "127.0.0.1", good } } },
        listener, {}, "chained");
end
function listen(address, port)
    local opened, err = server.listen(address, port, { onincoming = function (conn, data)
        conn:write(data:upper()); end });
    if not opened then return nil, err; end
    open = opened;
    return opened:port();
end
function close() open:close(); end
"""


@pytest.fixture
def caller(start_lua):
    """Return what a Lua module with the functions above exports."""
    running = start_lua(caller=CALLER)
    return running.server.modules.get_module("*", "caller").exports


def seen(module):
    return list(module.seen.copy())


@pytest.fixture
def peer():
    """Return a function that starts a server on a free port; it gives the port."""
    servers = []

    def start(handle, **more):
        server = StreamServer(("127.0.0.1", 0), handle, **more)
        server.start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def closed_port():
    """Return a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def answering(received):
    def handle(sock, _address):
        while len(b"".join(received)) < 10:
            received.append(sock.recv(100))
        sock.sendall(b"close")
        received.append(sock.recv(100))
    return handle


def test_what_is_written_before_the_connection_is_there_arrives(caller, peer):
    received = []
    port = peer(answering(received))
    assert caller.direct("127.0.0.1", port) == "localhost"
    wait_until(lambda: seen(caller)[-1:] == ["gone nil"])
    assert b"".join(received) == b"first over"
    assert seen(caller) == ["connect 127.0.0.1 false", "in close", "gone nil"]


def test_tls_from_the_first_byte(caller, peer, tmp_path):
    made = selfsigned.make("localhost", tmp_path)
    received = []
    port = peer(answering(received), keyfile=str(made.key_path), certfile=str(made.path))
    lua = caller.border
    options = lua.to_python(lua.copy_to_lua({"mode": "client"}))
    assert caller.direct("127.0.0.1", port, options) == "localhost"
    wait_until(lambda: seen(caller)[-1:] == ["gone nil"])
    assert b"".join(received) == b"first over" and "connect 127.0.0.1 true" in seen(caller)


def test_a_certificate_that_is_not_trusted_ends_a_handshake_that_asks_for_it(
        caller, peer, tmp_path):
    made = selfsigned.make("localhost", tmp_path)
    port = peer(lambda sock, _address: None, keyfile=str(made.key_path), certfile=str(made.path))
    lua = caller.border
    caller.direct("127.0.0.1", port, lua.to_python(lua.copy_to_lua(
        {"mode": "client", "verify": ["peer"]})))
    wait_until(lambda: seen(caller))
    assert seen(caller) == ["gone TLS handshake failed: certificate verify failed"]


def test_a_refused_connection_says_so(caller, closed_port):
    caller.direct("127.0.0.1", closed_port)
    wait_until(lambda: seen(caller))
    assert seen(caller) == ["gone connection refused"]


def test_what_is_no_address_is_an_error_at_once(caller):
    answer = caller.direct("no-address", 1)
    assert answer == (None, "invalid-ip")
    bad = caller.border.to_python(caller.border.copy_to_lua({"mode": "client", "verify": ["x"]}))
    assert caller.direct("127.0.0.1", 1, bad) == (None, "invalid verify option (x)")


def test_a_name_is_looked_up_and_the_data_attached(caller, peer):
    received = []
    port = peer(answering(received + [b"123456"]))
    caller.by_name("127.0.0.1", port)
    wait_until(lambda: seen(caller)[-1:] == ["gone nil"])
    assert seen(caller)[:2] == ["attach data", "connect 127.0.0.1 false"]


def test_targets_are_tried_until_one_answers(caller, peer, closed_port):
    port = peer(answering([b"123456"]))
    caller.by_chain(closed_port, port)
    wait_until(lambda: seen(caller)[-1:] == ["gone nil"])
    assert seen(caller)[:2] == ["attach chained", "connect 127.0.0.1 false"]


def test_no_target_that_answers_is_a_failure(caller, closed_port):
    caller.by_name("localhost", closed_port)
    wait_until(lambda: seen(caller))
    assert seen(caller) == ["fail data connection refused"]


def test_a_port_of_no_service_is_served_until_it_is_closed(caller):
    number = int(caller.listen("127.0.0.1", 0))
    with socket.create_connection(("127.0.0.1", number), 5) as sock:
        sock.sendall(b"loud")
        assert sock.recv(10) == b"LOUD"
        caller.close()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", number), 1)
        sock.sendall(b"er")
        assert sock.recv(10) == b"ER"
    assert caller.listen("192.0.2.1", 0)[0] is None


def test_linked_connections_are_as_fast_as_the_slower_one(start_lua):
    running = start_lua(bridge="""
        module:set_global();
        local server = require "net.server";
        local first;
        most = 0;
        module:provides("net", { name = "bridge", default_port = 0, listener = {
            onconnect = function (conn)
                if not first then first = conn; return; end
                server.link(first, conn, 65536);
                server.link(conn, first, 65536);
            end;
            ondisconnect = function (conn) if first and conn ~= first then first:close(); end end;
        } });
    """)
    left = socket.create_connection(running.address("bridge"), 5)
    gevent.sleep(0.02)
    right = socket.create_connection(running.address("bridge"), 5)
    gevent.sleep(0.02)
    data = bytes(range(256)) * 100_000
    writer = gevent.spawn(left.sendall, data)
    gevent.sleep(0.1)
    assert not writer.ready(), "what nobody reads is not read either"
    received = bytearray()
    while len(received) < len(data):
        received += right.recv(1 << 20)
    assert received == data
    right.sendall(b"back")
    assert left.recv(10) == b"back"
    right.close()
    left.settimeout(5)
    assert left.recv(10) == b""
    left.close()


def test_a_socket_of_luasockets_becomes_a_connection(start_lua, peer):
    running = start_lua(wrapper="""
        module:set_global();
        local server, socket = require "net.server", require "socket";
        got = "";
        function go(port)
            local sock = assert(socket.connect("127.0.0.1", port));
            assert(server.wrapclient(sock, "127.0.0.1", port, {
                onconnect = function (conn) conn:write("hi"); end;
                onincoming = function (conn, data) got = got .. data; end;
            }, "*a"));
            return sock:getfd();
        end
        function watch()
            local sock = assert(socket.bind("127.0.0.1", 0));
            wrapped = server.wrapserver(sock, "127.0.0.1", 0, {
                onincoming = function (conn, data) conn:write(data .. data); end });
            return wrapped.port();
        end
        function close() wrapped.close(); end
    """)
    module = running.server.modules.get_module("*", "wrapper").exports

    def handle(sock, _address):
        assert sock.recv(10) == b"hi"
        sock.sendall(b"hello")
        gevent.sleep(1)

    assert module.go(peer(handle)) == -1
    wait_until(lambda: module.got == "hello")
    number = int(module.watch())
    with socket.create_connection(("127.0.0.1", number), 5) as sock:
        sock.sendall(b"ab")
        assert sock.recv(10) == b"abab"
    module.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", number), 1)


def test_an_error_in_a_watch_ends_neither_watch_nor_server(start_lua, caplog):
    running = start_lua(watcher="""
        module:set_global();
        local server, socket = require "net.server", require "socket";
        local sock, watch;
        times = 0;
        function go()
            sock = socket.udp();
            sock:setsockname("127.0.0.1", 0);
            watch = server.watchfd(sock:getfd(), function ()
                sock:receive();
                times = times + 1;
                error("in the watch");
            end);
            local _, port = sock:getsockname();
            return port;
        end
        function stop() watch:close(); end
    """)
    module = running.server.modules.get_module("*", "watcher").exports
    port = int(module.go())
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        for _ in range(2):
            sock.sendto(b"x", ("127.0.0.1", port))
        wait_until(lambda: module.times == 2)
        assert "in the watch" in caplog.text
        module.stop()
        sock.sendto(b"x", ("127.0.0.1", port))
        gevent.sleep(0.02)
        assert module.times == 2
