"""net.websocket and its frames."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from gevent.server import StreamServer

from prosody_py.net.tls import selfsigned
from prosody_py.testing.client import wait_until

CLIENT = """
module:set_global();
local websocket = require "net.websocket";
seen = {};
local function note(name)
    return function (self, ...)
        local parts = { name, ... };
        for i = 1, select("#", ...) + 1 do parts[i] = tostring(parts[i]); end
        seen[#seen + 1] = table.concat(parts, " ");
    end
end
function go(url, options)
    local err;
    ws, err = websocket.connect(url, options, { onopen = note "open", onmessage = note "message",
        onclose = note "close", onerror = note "error" });
    return ws ~= nil, err;
end
function say(...) return ws:send(...); end
function close(...) ws:close(...); end
frames = require "net.websocket.frames";
"""


@pytest.fixture
def client(start_lua):
    running = start_lua(client=CLIENT)
    return running.server.modules.get_module("*", "client").exports


def frame(opcode, data, fin=True):
    size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data))
    return bytes([opcode | (128 if fin else 0)]) + size + data


def read_frame(sock):
    first, second = sock.recv(2)
    assert second & 128, "a client's frames are masked"
    key, data = sock.recv(4), b""
    while len(data) < second & 127:
        data += sock.recv((second & 127) - len(data))
    return first, bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


@pytest.fixture
def serve():
    """Return a function that starts a WebSocket server; `talk(sock)` comes after the handshake."""
    servers = []

    def start(talk, wrong=False, **tls):
        def handle(sock, _address):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
            assert head.startswith(b"GET /path?q=1 HTTP/1.1\r\n") and lines["X-Own"] == "a  b"
            magic = lines["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = "no" if wrong else base64.b64encode(
                hashlib.sha1(magic.encode()).digest()).decode()
            sock.sendall(f"HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
            talk(sock)

        server = StreamServer(("127.0.0.1", 0), handle, **tls)
        server.start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.stop()


def go(client, port, scheme="ws"):
    border = client.border
    options = border.to_python(border.copy_to_lua({"headers": {"X-Own": "a\r\nb"}}))
    assert client.go(f"{scheme}://127.0.0.1:{port}/path?q=1", options) == (True, None)


def seen(client):
    return list(client.seen.copy())


def test_messages_pings_and_the_end(client, serve):
    got = []

    def talk(sock):
        sock.sendall(frame(1, b"he", fin=False) + frame(9, b"?") + frame(0, b"llo"))
        got.append(read_frame(sock))
        got.append(read_frame(sock))
        sock.sendall(frame(2, b"\xff" * 300))
        got.append(read_frame(sock))
        sock.sendall(frame(8, struct.pack(">H", 1000) + b"bye"))

    go(client, serve(talk))
    wait_until(lambda: "message hello text" in seen(client))
    assert client.say("to you")
    wait_until(lambda: len(seen(client)) == 3)
    client.close(1000, "enough")
    wait_until(lambda: len(seen(client)) == 4)
    assert seen(client)[0] == "open" and seen(client)[2].endswith("\udcff binary")
    assert seen(client)[3] == "close 1000 bye"
    assert got == [(0x8A, b"?"), (0x81, b"to you"), (0x88, b"\x03\xe8enough")]
    assert client.say("late") == (None, "WebSocket closed, unable to send data.")


@pytest.mark.parametrize(("sent", "code"), [
    (frame(0, b"x"), "1002"), (frame(1, b"\xff"), "1007"), (frame(3, b""), "1002"),
    (b"\xc1\x00", "1002"), (b"\x82\x7f" + struct.pack(">Q", 1 << 40), "1009"), (b"", "1006")])
def test_what_breaks_the_rules_ends_the_connection(client, serve, sent, code):
    go(client, serve(lambda sock: sock.sendall(sent)))
    wait_until(lambda: len(seen(client)) == 2)
    assert seen(client)[1].split()[:2] == ["close", code]


def test_a_wrong_answer_to_the_handshake_is_an_error(client, serve):
    go(client, serve(lambda sock: None, wrong=True))
    wait_until(lambda: seen(client))
    assert seen(client) == ["error the server's answer is not that of a WebSocket"]


def test_a_stranger_at_wss_is_refused(client, serve, tmp_path):
    made = selfsigned.make("localhost", tmp_path)
    go(client, serve(lambda sock: None, keyfile=str(made.key_path), certfile=str(made.path)),
       "wss")
    wait_until(lambda: seen(client))
    assert seen(client)[0].startswith("error TLS handshake failed")


def test_frames_are_built_and_parsed(client):
    frames, border = client.frames, client.border
    for size in (0, 125, 126, 65535, 65536):
        for mask in (False, True):
            built = frames.build(border.to_python(border.copy_to_lua(
                {"FIN": True, "opcode": 2, "MASK": mask, "data": "x" * size})))
            parsed, length = frames.parse(built)
            assert (parsed.data, parsed.opcode, parsed.FIN, parsed.MASK) == (
                "x" * size, 2, True, mask)
            assert length == len(border.to_lua(built))
    assert frames.parse("\x01") == (None, None, None)
    assert frames.parse("\x01\x05hel")[2].length == 5
    assert frames.parse_close("\x03\udce8") == (1000, None)
    assert frames.build_close(1000, "bye") == "\udc88\x05\x03\udce8bye"
