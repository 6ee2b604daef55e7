"""Connections and ports in Lua: the objects of Prosody's net.server, with its names.

What a module writes into a connection (`conn.starttls = false`) comes before these. All functions
but `setlistener` only queue or look something up. `conn:socket()` is what LuaSec would give: it
has the functions about TLS only when there is TLS.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from prosody_py.lua import tls_facts
from prosody_py.lua.certificates import CertificateFace, LuaCertificate
from prosody_py.lua.listeners import LuaCallbacks, LuaListener
from prosody_py.lua.proxies import Face
from prosody_py.lua.references import LuaData
from prosody_py.lua.tls_contexts import ContextFace, LuaTlsContext, context_of
from prosody_py.lua.values import encode

_READ_SIZE = 64 * 1024


class PlainSocket:
    """What is below a connection, without TLS."""

    def __init__(self, conn: Any):
        self.conn = conn
        self.extras: dict[str, Any] = {}

    @property
    def tls(self) -> Any:
        """The TLS of the connection."""
        return self.conn.tls

    @property
    def server_name(self) -> str | None:
        """What was asked for by SNI, on the client's side."""
        return getattr(self.conn, "server_name", None)


class SecureSocket(PlainSocket):
    """What is below a connection with TLS."""


# -- addresses -----------------------------------------------------------------------------


def _name(conn: Any) -> tuple:
    try:
        found = conn.sock.getsockname()
    except (AttributeError, OSError):
        return ("", 0)
    return found if isinstance(found, tuple) else (found, 0)


def _ip(border, conn: Any) -> bytes:
    return encode(str(conn.ip()))


def _client_port(border, conn: Any) -> int:
    return conn.port()


def _server_port(border, conn: Any) -> int:
    return conn.server_port or _name(conn)[1]


def _server(border, conn: Any) -> Any:
    return border.server.network.port_of(conn)


def _set_option(border, conn: Any, raw: bytes, value: Any = None) -> Any:
    """Set LuaSocket's option; true, or nil and why not."""
    level, number = {b"keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                     b"tcp-nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY)}.get(raw, (0, 0))
    if not number or conn.sock is None:
        return None, b"option not supported"
    try:
        conn.sock.setsockopt(level, number, 1 if value else 0)
    except OSError as error:
        return None, encode(error.strerror or str(error))
    return True


# -- data ----------------------------------------------------------------------------------


def _write(border, conn: Any, data: Any) -> Any:
    if type(data) is not bytes:
        data = encode(str(data))
    return len(data) if conn.write(data) else (None, b"closed")


def _close(border, conn: Any, *_reason: Any) -> bool:
    conn.close()
    return True


def _destroy(border, conn: Any) -> None:
    conn.destroy()


def _set_mode(border, conn: Any, mode: Any) -> None:
    """Read so many bytes at a time; a pattern such as "*a" for as many as there are."""
    try:
        size = int(mode)
    except (TypeError, ValueError):
        size = _READ_SIZE
    conn.read_size = min(max(size, 1), _READ_SIZE)


def _limit(border, conn: Any, rate: Any = None) -> None:
    conn.limit_rate(rate if isinstance(rate, (int, float)) and rate > 0 else 0)


def _set_timeout(border, conn: Any, seconds: Any = None) -> None:
    conn.set_read_timeout(float(seconds) if seconds else 0)


def _block_reads(border, conn: Any) -> None:
    conn.pause()


def _lock_read(border, conn: Any, locked: Any = True) -> None:
    if locked:
        conn.pause()
    else:
        conn.resume()


def _void(name: str) -> Callable[..., Any]:
    def call(border, conn: Any) -> bool:
        getattr(conn, name)()
        return True
    return call


# -- listeners -----------------------------------------------------------------------------


def _set_listener(border, conn: Any, raw: Any, data: Any = None) -> None:
    """Serve a connection by another listener: ondetach of the old one, onattach of the new."""
    table = border.to_python(raw)
    old = conn.listener
    if isinstance(old, LuaCallbacks):
        old.call("ondetach", conn)
    if not isinstance(table, (LuaData, LuaListener)):
        conn.session = None
        conn.listener = table  # a listener that is written in Python
        return
    if isinstance(old, LuaCallbacks):
        old.table = table
        new = old
    else:
        new = conn.listener = LuaCallbacks(border, table, connected=True)
    new.call("onattach", conn, data)


# -- TLS -----------------------------------------------------------------------------------


def _starttls(border, conn: Any, raw: Any = None) -> Any:
    """Begin the handshake when what is queued is written; without a context with the server's."""
    if conn.closed or conn.tls is not None:
        return None, b"closed" if conn.closed else b"TLS is there already"
    try:
        context = context_of(border, raw) or border.server.network.own_context()
    except ValueError as error:
        return None, encode(str(error))
    conn.starttls(context)
    return True


def _is_secure(border, conn: Any) -> bool:
    return conn.secure


def _socket(border, conn: Any) -> PlainSocket:
    return SecureSocket(conn) if conn.secure else PlainSocket(conn)


def _secured(name: str) -> Callable[..., Any]:
    function = tls_facts.FUNCTIONS[name]

    def call(border, conn: Any, *args: Any) -> Any:
        return function(border, conn, *args) if conn.secure else (None, b"no TLS")
    return call


_CONNECTION: dict[str, Callable[..., Any]] = {
    "ip": _ip, "port": _client_port, "clientport": _client_port, "serverport": _server_port,
    "serverip": lambda border, conn: encode(str(_name(conn)[0])), "server": _server,
    "id": lambda border, conn: f"{id(conn):x}".encode(),
    "write": _write, "send": _write, "close": _close, "destroy": _destroy,
    "pause": _void("pause"), "resume": _void("resume"), "block_reads": _block_reads,
    "lock_read": _lock_read, "pause_writes": _void("pause_writes"),
    "resume_writes": _void("resume_writes"), "set_mode": _set_mode, "setoption": _set_option,
    "limit": _limit, "setlimit": _limit, "set_timeout": _set_timeout,
    "bufferlength": lambda border, conn: conn.pending, "ssl": _is_secure,
    "starttls": _starttls, "socket": _socket, "setlistener": _set_listener,
    "ssl_info": _secured("info"), "ssl_peercertificate": _secured("getpeercertificate"),
    "ssl_peerverification": _secured("getpeerverification"),
    "ssl_peerfinished": _secured("getpeerfinished"),
    "ssl_exportkeyingmaterial": _secured("exportkeyingmaterial"),
}


class ConnectionFace(Face):
    """A connection, accepted or made."""

    sealed = True
    functions = _CONNECTION
    plain = frozenset(_CONNECTION) - {"setlistener"}
    fields = {"secure": lambda border, conn: conn.secure or None,
              "servername": lambda border, conn: getattr(conn, "server_name", None),
              "created": lambda border, conn: conn.created}


# -- ports ---------------------------------------------------------------------------------


def _close_port(border, port: Any) -> None:
    border.server.network.close_port(port)


_PORT: dict[str, Callable[..., Any]] = {
    "ip": lambda border, port: encode(port.interface),
    "port": lambda border, port: port.port, "serverport": lambda border, port: port.port,
    "close": _close_port, "pause": _void("pause"), "resume": _void("resume"),
}


class PortFace(Face):
    """A listening port."""

    sealed = True
    functions = _PORT
    plain = frozenset(_PORT)


# -- what is below -------------------------------------------------------------------------

_SOCKET: dict[str, Callable[..., Any]] = {
    "getfd": lambda border, held: -1 if held.conn.closed else held.conn.sock.fileno(),
    "getpeername": lambda border, held: (_ip(border, held.conn), held.conn.port()),
    "getsockname": lambda border, held: (encode(str(_name(held.conn)[0])), _name(held.conn)[1]),
    "setoption": lambda border, held, *args: _set_option(border, held.conn, *args),
}


class PlainSocketFace(Face):
    """What `conn:socket()` gives without TLS."""

    sealed = True
    functions = _SOCKET
    plain = frozenset(_SOCKET)


class SecureSocketFace(PlainSocketFace):
    """What `conn:socket()` gives with TLS."""

    functions = {**_SOCKET, **tls_facts.FUNCTIONS}
    plain = frozenset(functions)


# Connections and ports are of a room below this one, so they are known by name.
FACES: dict[type | str, Face] = {
    "Connection": ConnectionFace(), "Port": PortFace(), PlainSocket: PlainSocketFace(),
    SecureSocket: SecureSocketFace(), LuaCertificate: CertificateFace(),
    LuaTlsContext: ContextFace(),
}
