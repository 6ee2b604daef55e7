"""Network services of Lua modules: `module:provides("net")`, their connections, their callbacks."""

from __future__ import annotations

import gc
import socket as plain_socket
import ssl

import gevent
import pytest
from gevent import socket

from prosody_py.net.connection import Connection
from prosody_py.testing.client import wait_until

ECHO = """
module:set_global();
seen, sessions = {}, {};
local function note(name, ...)
    local text = name;
    for i = 1, select("#", ...) do text = text .. " " .. tostring((select(i, ...))); end
    seen[#seen + 1] = text;
end
listener = {};
function listener.onconnect(conn) sessions[conn] = {}; note("connect"); conn:write("hello\\n"); end
function listener.onincoming(conn, data)
    if data == "secure\\n" then conn:write("go\\n"); conn:starttls(); return; end
    if data == "end\\n" then conn:write("bye\\n"); conn:close(); return; end
    conn:write(data);
end
function listener.ondisconnect(conn, reason) sessions[conn] = nil; note("disconnect", reason); end
function listener.onstatus(conn, status) note("status", status); end
module:provides("net", { name = "echo", default_port = 0, listener = listener });
"""


def exports(running, name):
    return running.server.modules.get_module("*", name).exports


def talk(running, service):
    sock = socket.create_connection(running.address(service), 5)
    sock.settimeout(5)
    return sock


def read(sock, size):
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            break
        data += chunk
    return data


def test_a_service_answers_and_hears_of_the_end(start_lua):
    running = start_lua(echo=ECHO)
    with talk(running, "echo") as sock:
        assert read(sock, 6) == b"hello\n"
        sock.sendall(b"\x00\xff\xfe")
        assert read(sock, 3) == b"\x00\xff\xfe"
        assert len(exports(running, "echo").sessions) == 0  # keys are objects, not positions
        sock.sendall(b"end\n")
        assert read(sock, 10) == b"bye\n"
    wait_until(lambda: exports(running, "echo").seen.copy() == ["connect", "disconnect nil"])
    with talk(running, "echo") as sock:
        read(sock, 6)
    wait_until(lambda: exports(running, "echo").seen.copy()[-1] == "disconnect closed")
    assert exports(running, "echo").sessions.keys() == []


def test_starttls_without_a_context_uses_the_certificate_of_the_server(start_lua):
    running = start_lua(echo=ECHO)
    raw = talk(running, "echo")
    read(raw, 6)
    raw.sendall(b"secure\n")
    assert read(raw, 3) == b"go\n"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    inner, outer = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inner, outer, server_hostname="localhost")

    def until_done(function, *args):
        while True:
            try:
                return function(*args)
            except ssl.SSLWantReadError:
                raw.sendall(outer.read())
                inner.write(raw.recv(65536))
            finally:
                raw.sendall(outer.read())

    until_done(tls.do_handshake)
    until_done(tls.write, b"in secret")
    assert until_done(tls.read, 100) == b"in secret"
    assert exports(running, "echo").seen.copy() == ["connect", "status ssl-handshake-complete"]
    raw.close()


def test_callbacks_of_a_connection_do_not_overtake_each_other(start_lua):
    running = start_lua(slow="""
        module:set_global();
        seen = {};
        local sleep = require "util.async".sleep;
        module:provides("net", { name = "slow", default_port = 0, listener = {
            onincoming = function (conn, data)
                seen[#seen + 1] = "begin";
                conn:write("over");
                conn:close();
                sleep(0.05);
                seen[#seen + 1] = "end";
            end;
            ondrain = function () seen[#seen + 1] = "drain"; end;
            ondisconnect = function () seen[#seen + 1] = "gone"; end;
        } });
    """)
    with talk(running, "slow") as sock:
        sock.sendall(b"1")
        assert read(sock, 10) == b"over"
    wait_until(lambda: len(exports(running, "slow").seen.copy()) >= 3)
    assert exports(running, "slow").seen.copy() == ["begin", "end", "gone"]


def test_a_slow_handler_slows_its_peer_down(start_lua):
    running = start_lua(slow="""
        module:set_global();
        total, released = 0, false;
        module:provides("net", { name = "slow", default_port = 0, listener = {
            onincoming = function (conn, data)
                total = total + #data;
                while not released do require "util.async".sleep(0.01); end
            end;
        } });
    """)
    sock = talk(running, "slow")
    sock.settimeout(0.2)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 100_000_000:
            sent += sock.send(b"x" * 65536)
    assert exports(running, "slow").total <= 65536
    exports(running, "slow").released = True
    wait_until(lambda: exports(running, "slow").total == sent)
    sock.close()


def test_a_peer_that_does_not_read_is_waited_for_by_ondrain(start_lua):
    running = start_lua(source="""
        module:set_global();
        pieces, most = 0, 0;
        local piece = ("x"):rep(50000);
        local function more(conn)
            if pieces >= 200 then return conn:close(); end
            pieces = pieces + 1;
            conn:write(piece);
            most = math.max(most, conn:bufferlength());
        end
        module:provides("net", { name = "source", default_port = 0, listener = {
            onconnect = more, ondrain = more } });
    """)
    sock = talk(running, "source")
    gevent.sleep(0.05)
    before = exports(running, "source").pieces
    assert before < 200
    data = read(sock, 200 * 50_000 + 1)
    assert len(data) == 200 * 50_000
    assert exports(running, "source").most == 50_000
    sock.close()


def test_an_error_in_a_callback_ends_neither_connection_nor_service(start_lua, caplog):
    running = start_lua(broken="""
        module:set_global();
        module:provides("net", { name = "broken", default_port = 0, listener = {
            onincoming = function (conn, data)
                if data == "bad" then error("on purpose"); end
                conn:write(data);
            end;
        } });
    """)
    with talk(running, "broken") as sock:
        sock.sendall(b"bad")
        wait_until(lambda: "on purpose" in caplog.text)
        assert "Error in onincoming" in caplog.text and "mod_broken.lua" in caplog.text
        sock.sendall(b"good")
        assert read(sock, 4) == b"good"


def test_a_silent_peer_is_dropped_unless_the_listener_keeps_it(start_lua):
    running = start_lua(silent="""
        module:set_global();
        asked, ended = 0, nil;
        module:provides("net", { name = "silent", default_port = 0, listener = {
            onconnect = function (conn) conn:set_timeout(0.03); end;
            onreadtimeout = function (conn) asked = asked + 1; return asked < 3; end;
            ondisconnect = function (conn, reason) ended = reason; end;
        } });
    """)
    with talk(running, "silent") as sock:
        assert read(sock, 1) == b""
    wait_until(lambda: exports(running, "silent").ended == "read timeout")
    assert exports(running, "silent").asked == 3


def test_what_a_module_asks_a_connection(start_lua):
    running = start_lua(facts="""
        module:set_global();
        module:provides("net", { name = "facts", default_port = 0, default_mode = 3, listener = {
            onconnect = function (conn)
                local fields = { conn:ip(), conn:serverport(), conn:clientport(), conn:port(),
                    conn:serverip(), tostring(conn:ssl()), tostring(conn.secure),
                    tostring(conn:socket().getpeercertificate), conn:server():port(),
                    conn:server():ip(), type(conn:id()),
                    tostring(conn:setoption("keepalive", true)), type(conn:socket():getfd()),
                    tostring(conn.unknown) };
                conn.starttls, conn.own = false, { 7 };
                fields[#fields + 1] = tostring(conn.starttls) .. conn.own[1];
                conn:write(table.concat(fields, " "));
            end;
            onincoming = function (conn, data) conn:write("<" .. data .. ">"); end;
        } });
    """)
    with talk(running, "facts") as sock:
        mine, server = sock.getsockname()[1], running.address("facts")[1]
        expected = (f"127.0.0.1 {server} {mine} {mine} 127.0.0.1 false nil nil {server} "
                    "127.0.0.1 string true number nil false7").encode()
        assert read(sock, len(expected)) == expected
        sock.sendall(b"abcde")
        assert read(sock, 9) == b"<abc><de>"


def test_writes_can_be_held_back_and_predrain_adds_to_them(start_lua):
    running = start_lua(held="""
        module:set_global();
        module:provides("net", { name = "held", default_port = 0, listener = {
            onincoming = function (conn, data)
                if data == "a" then conn:pause_writes(); conn:write("1"); conn:write("2");
                else conn:resume_writes(); end
            end;
            onpredrain = function (conn)
                if not conn.told then conn.told = true; conn:write("3"); end
            end;
        } });
    """)
    with talk(running, "held") as sock:
        sock.sendall(b"a")
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(10)
        sock.settimeout(5)
        sock.sendall(b"b")
        assert read(sock, 3) == b"123"


def test_a_reload_keeps_the_port_and_another_modules_listener(start_lua):
    running = start_lua(echo=ECHO, other="module:set_global();")
    first = running.address("echo")
    before = running.server.ports.open
    port = next(port for port in before.values() if port.service == "echo")
    with talk(running, "echo") as old:
        read(old, 6)
        running.server.modules.reload("*", "other")
        running.write("echo", ECHO.replace("hello", "howdy"))
        running.server.modules.reload("*", "echo")
        gevent.sleep(0.01)
        assert running.address("echo") == first
        assert port in running.server.ports.open.values()
        with talk(running, "echo") as new:
            assert read(new, 6) == b"howdy\n"
        old.sendall(b"still here")
        assert read(old, 10) == b"still here"
    running.server.modules.unload("*", "echo")
    gevent.sleep(0.01)
    with pytest.raises(OSError):
        plain_socket.create_connection(first, 1)


def test_options_have_the_prefix_of_the_service(start_server, tmp_path):
    (tmp_path / "mod_many.lua").write_text("""
        module:set_global();
        module:provides("net", { name = "first", config_prefix = "", listener = {} });
        module:provides("net", { name = "second", config_prefix = "two", listener = {} });
        module:provides("net", { name = "third", default_port = 0, listener = {},
            default_interface = "127.0.0.2" });
        module:provides("net", { name = "nowhere", listener = {} });
    """)
    running = start_server(["many"], plugin_paths=[str(tmp_path)], ports=[0], two_ports=[0],
                           two_interfaces=["127.0.0.3"])
    services = {port.service: port.interface for port in running.server.ports.open.values()}
    assert services["second"] == "127.0.0.3" and services["third"] == "127.0.0.2"
    assert "nowhere" not in services


def test_services_are_announced_and_found_by_portmanager(start_lua):
    running = start_lua(echo=ECHO, watch="""
        module:set_global();
        local portmanager = require "core.portmanager";
        names, found = {}, {};
        module:hook("service-added", function (event) names[event.name] = event.service.mark; end);
        module:hook("service-removed", function (event) names[event.name] = "gone"; end);
        function look()
            local active = portmanager.get_active_services():get("marked");
            local interface, ports = next(active);
            local number, entry = next(ports);
            local at, server = portmanager.get_service_at(interface, number);
            return interface, number, entry.service.mark, at.mark, server:port() == number,
                portmanager.get_service("marked").mark,
                portmanager.get_registered_services().marked[1].mark,
                portmanager.get_service("nothing");
        end
        function shut(number) return portmanager.close("127.0.0.1", number); end
        function again() return portmanager.activate("marked"); end
        function off() return portmanager.deactivate("marked"); end
    """)
    running.write("marked", """
        module:set_global();
        module:provides("net", { default_port = 0, mark = "m", listener = {} });
    """)
    running.server.modules.load("*", "marked")
    watch = exports(running, "watch")
    port = running.address("marked")
    assert watch.names["marked"] == "m"
    assert watch.look() == (*port, "m", "m", True, "m", "m", None)
    assert watch.shut(port[1]) is True
    with pytest.raises(LookupError):
        running.address("marked")
    assert watch.shut(port[1]) == (None, "port-not-open")
    assert watch.again() is True and running.address("marked")
    assert watch.off() is True and watch.off() is True
    running.server.modules.unload("*", "marked")
    assert watch.names["marked"] == "gone"


def test_a_connection_can_go_over_to_a_listener_in_python(start_lua):
    running = start_lua(chooser="""
        module:set_global();
        detached = 0;
        module:provides("net", { name = "chooser", default_port = 0, listener = {
            ondetach = function () detached = detached + 1; end;
            onincoming = function (conn, data)
                local service = require "core.portmanager".get_service("shout");
                conn:setlistener(service.listener);
                service.listener.onconnect(conn);
                return service.listener.onincoming(conn, data);
            end;
        } });
    """)

    class Shout:
        def onconnect(self, conn):
            conn.write(b"[")

        def onincoming(self, conn, data):
            conn.write(data.upper())

        def ondisconnect(self, conn, reason):
            gone.append(reason)

        def onreadtimeout(self, conn):
            return False

    gone = []
    running.server.ports.add({"name": "shout", "listener": Shout()})
    with talk(running, "chooser") as sock:
        sock.sendall(b"a\xff")
        assert read(sock, 3) == b"[A\xff"
        sock.sendall(b"b")
        assert read(sock, 1) == b"B"
    wait_until(lambda: gone == ["connection closed"])
    assert exports(running, "chooser").detached == 1


@pytest.mark.parametrize(("written", "count", "left"), [
    ("conn.ondrain = function () return conn; end;", 60, 5),
    ("conn.own = { conn = conn };", 450, 420)])  # looked for after every 200
def test_connections_that_are_gone_leave_nothing_behind(start_lua, written, count, left):
    running = start_lua(echo=ECHO.replace("sessions[conn] = {};", written)
                        .replace("seen[#seen + 1] = text;", "ended = (ended or 0) + 1;"))
    border = running.server.lua

    def alive():
        border.driver.call(border.compile(b"collectgarbage(); collectgarbage();", "gc",
                                          border.lua.globals()))
        gc.collect()
        return sum(type(each) is Connection for each in gc.get_objects())

    before = alive()
    for _ in range(count):
        with talk(running, "echo") as sock:
            read(sock, 6)
    wait_until(lambda: exports(running, "echo").ended == 2 * count)
    assert alive() - before < left
