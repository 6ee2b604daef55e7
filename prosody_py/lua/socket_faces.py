"""How LuaSocket's sockets look in Lua: their methods, patterns and results."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from prosody_py.lua import tls_facts
from prosody_py.lua.proxies import Face
from prosody_py.lua.sockets import BaseSocket, TcpSocket, UdpSocket, reason_of
from prosody_py.lua.values import encode

_OPTIONS = {
    b"keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    b"reuseaddr": (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    b"reuseport": (socket.SOL_SOCKET, socket.SO_REUSEPORT),
    b"broadcast": (socket.SOL_SOCKET, socket.SO_BROADCAST),
    b"tcp-nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    b"ipv6-v6only": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}
_MAX_DATAGRAM = 65536


def _tried(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return (None, reason) for an error of the network."""
    def call(border, held: BaseSocket, *args: Any) -> Any:
        try:
            answer = function(border, held, *args)
        except (OSError, SSL.Error) as error:
            return None, reason_of(error)
        return 1 if answer is None else answer
    return call


def _family(held: BaseSocket) -> bytes:
    return {socket.AF_INET6: b"inet6", socket.AF_UNIX: b"unix"}.get(held.family, b"inet")


def _address(held: BaseSocket, found: Any) -> Any:
    if not isinstance(found, tuple):
        return encode(found) if isinstance(found, str) else found
    return encode(found[0]), found[1], _family(held)


def _bound(border, held: BaseSocket, raw: bytes, port: Any = None) -> tuple | str:
    host = border.to_python(raw)
    if port is None or held.family == socket.AF_UNIX:
        held.family = socket.AF_UNIX
        return host
    if host == "*":
        host = "::" if held.family == socket.AF_INET6 else "0.0.0.0"
    elif host == "localhost":
        host = "::1" if held.family == socket.AF_INET6 else "127.0.0.1"
    held.family = held.family or (socket.AF_INET6 if ":" in host else socket.AF_INET)
    return host, int(port)


@_tried
def _bind(border, held: BaseSocket, raw: bytes, port: Any = None) -> None:
    address = _bound(border, held, raw, port)
    sock = held.open()
    if isinstance(address, tuple) and held.kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)


@_tried
def _listen(border, held: BaseSocket, backlog: Any = None) -> None:
    held.open().listen(int(backlog or 32))


@_tried
def _connect(border, held: TcpSocket, raw: bytes, port: Any = None) -> None:
    unix = held.family == socket.AF_UNIX
    held.connect(border.to_python(raw), None if unix or port is None else int(port))


@_tried
def _accept(border, held: TcpSocket) -> Any:
    return held.accept()


@_tried
def _shake_hands(border, held: TcpSocket) -> bool:
    if held.tls is None:
        raise OSError("there is no TLS on this socket")
    held.shake_hands()
    return True


@_tried
def _peer_name(border, held: BaseSocket) -> Any:
    return _address(held, held.open().getpeername())


@_tried
def _socket_name(border, held: BaseSocket) -> Any:
    return _address(held, held.open().getsockname())


@_tried
def _set_option(border, held: BaseSocket, name: bytes, value: Any = None) -> Any:
    if name == b"linger" or name not in _OPTIONS:
        return None, b"unsupported option `" + name + b"'"
    held.open().setsockopt(*_OPTIONS[name], 1 if value else 0)


@_tried
def _get_option(border, held: BaseSocket, name: bytes) -> Any:
    if name not in _OPTIONS:
        return None, b"unsupported option `" + name + b"'"
    return bool(held.open().getsockopt(*_OPTIONS[name]))


@_tried
def _shutdown(border, held: BaseSocket, how: bytes = b"both") -> None:
    held.open().shutdown({b"receive": socket.SHUT_RD, b"send": socket.SHUT_WR}.get(
        how, socket.SHUT_RDWR))


def _set_timeout(border, held: BaseSocket, seconds: Any = None, _mode: Any = None) -> int:
    held.set_timeout(seconds)
    return 1


def _close(border, held: BaseSocket) -> int:
    held.close()
    return 1


def _receive(border, held: TcpSocket, pattern: Any = None, prefix: Any = None) -> tuple:
    if isinstance(pattern, (int, float)):
        wanted: str | int = int(pattern)
    else:
        wanted = (pattern or b"*l").decode("ascii", "replace").lstrip("*")[:1]
        if wanted not in ("l", "a"):
            raise ValueError("bad argument #1 to 'receive' (invalid receive pattern)")
    return held.receive(wanted, encode(str(prefix)) if isinstance(prefix, (int, float))
                        else prefix or b"")


def _send(border, held: TcpSocket, data: Any, first: Any = None, last: Any = None) -> Any:
    """Write data[first..last]; the index of the last byte written, or nil, why, that index."""
    data = data if type(data) is bytes else encode(str(data))
    start = _index(first, len(data), 1) - 1
    end = _index(last, len(data), len(data))
    done, reason = held.send(data[max(start, 0):end])
    return start + done if reason is None else (None, reason, start + done)


def _index(value: Any, size: int, default: int) -> int:
    if value is None:
        return default
    return int(value) if value >= 0 else size + int(value) + 1


# -- datagrams -----------------------------------------------------------------------------


@_tried
def _set_peer(border, held: UdpSocket, raw: bytes, port: Any = None) -> None:
    held.open(socket.AF_INET6 if b":" in raw else socket.AF_INET)
    held.sock.connect((border.to_python(raw), int(port)) if port is not None
                      else border.to_python(raw))


@_tried
def _send_datagram(border, held: UdpSocket, data: bytes) -> int:
    return held.open().send(data)


@_tried
def _send_to(border, held: UdpSocket, data: bytes, raw: bytes, port: Any) -> int:
    sock = held.open(socket.AF_INET6 if b":" in raw else socket.AF_INET)
    return sock.sendto(data, (border.to_python(raw), int(port)))


@_tried
def _receive_datagram(border, held: UdpSocket, size: Any = None) -> bytes:
    return held.open().recv(int(size or _MAX_DATAGRAM))


@_tried
def _receive_from(border, held: UdpSocket, size: Any = None) -> tuple:
    data, peer = held.open().recvfrom(int(size or _MAX_DATAGRAM))
    return (data, encode(peer[0]), peer[1]) if isinstance(peer, tuple) else (data,)


# -- TLS -----------------------------------------------------------------------------------


def _with_tls(name: str) -> Callable[..., Any]:
    function = tls_facts.FUNCTIONS[name]

    def call(border, held: TcpSocket, *args: Any) -> Any:
        return (None, b"closed") if held.tls is None else function(border, held, *args)
    return call


def _sni(border, held: TcpSocket, raw: Any, _strict: Any = None) -> None:
    name = border.to_python(raw)
    if held.tls is not None and isinstance(name, str) and name:
        held.server_name = name
        held.tls.set_tlsext_host_name(name.encode("idna") if not name.isascii()
                                      else name.encode())


_BOTH: dict[str, Callable[..., Any]] = {
    "bind": _bind, "getpeername": _peer_name, "getsockname": _socket_name,
    "setoption": _set_option, "getoption": _get_option, "settimeout": _set_timeout,
    "close": _close, "shutdown": _shutdown, "setsockname": _bind,
    "gettimeout": lambda border, held: held.timeout,
    "getfd": lambda border, held: held.fileno(), "getfamily": lambda border, held: _family(held),
}
_TCP: dict[str, Callable[..., Any]] = {
    **_BOTH, **{name: _with_tls(name) for name in tls_facts.FUNCTIONS},
    "connect": _connect, "setpeername": _connect, "accept": _accept, "listen": _listen,
    "send": _send, "receive": _receive, "dirty": lambda border, held: held.dirty,
    "getstats": lambda border, held: (held.received, held.sent, held.age),
    "dohandshake": _shake_hands, "sni": _sni,
    "want": lambda border, held: b"nothing",
}
_UDP: dict[str, Callable[..., Any]] = {
    **_BOTH, "setpeername": _set_peer, "connect": _set_peer, "send": _send_datagram,
    "sendto": _send_to, "receive": _receive_datagram, "receivefrom": _receive_from,
}
_WAITING = {"connect", "setpeername", "accept", "send", "receive", "dohandshake", "sendto",
            "receivefrom"}


class TcpFace(Face):
    """A stream socket."""

    sealed = True
    functions = _TCP
    plain = frozenset(_TCP) - _WAITING


class UdpFace(Face):
    """A datagram socket."""

    sealed = True
    functions = _UDP
    plain = frozenset(_UDP) - _WAITING


FACES: dict[type | str, Face] = {TcpSocket: TcpFace(), UdpSocket: UdpFace()}
