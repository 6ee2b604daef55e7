"""Requests: connections that go out, ports of no service, sockets that are handed over."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from gevent import get_hub
from gevent import select as waiting
from gevent import socket as cooperative

from prosody_py.concurrency import workers
from prosody_py.lua.driver import ScriptError
from prosody_py.lua.listeners import LuaCallbacks, LuaListener
from prosody_py.lua.polls import poll_new
from prosody_py.lua.references import LuaCallable, LuaData
from prosody_py.lua.sockets import TcpSocket, UdpSocket, reason_of
from prosody_py.lua.tls_contexts import LuaTlsContext, context_of
from prosody_py.lua.values import encode

log = logging.getLogger("net")
_READ, _WRITE = 1, 2
_FAMILIES = {b"inet": cooperative.AF_INET, b"inet6": cooperative.AF_INET6,
             b"unix": cooperative.AF_UNIX, b"any": 0}


def _listener(border, raw: Any, read_size: Any) -> LuaCallbacks:
    return LuaCallbacks(border, border.to_python(raw), read_size)


def net_connect(border, server, raw_address: bytes, port: Any, raw_listener: Any,
                read_size: Any = None, raw_context: Any = None, raw_name: Any = None) -> Any:
    """Begin to connect to an IP address or the path of a Unix socket; nil and why it cannot."""
    listener = _listener(border, raw_listener, read_size)
    made = border.to_python(raw_context)
    checked = isinstance(made, LuaTlsContext) and bool(made.options.get("checkhost"))
    try:
        return border.to_lua(server.network.connect(
            border.to_python(raw_address), int(port or 0), listener,
            context=context_of(border, raw_context), server_name=border.to_python(raw_name),
            prepare=lambda conn: setattr(conn, "checks_name", checked)))
    except (OSError, ValueError) as error:
        return None, reason_of(error)


def net_listen(border, server, raw_interface: bytes, port: Any, raw_listener: Any,
               read_size: Any = None, raw_context: Any = None, direct: Any = None) -> Any:
    """Open a port that belongs to no service."""
    context = None
    if direct:
        found = context_of(border, raw_context)
        context = server.network.own_context if found is None else lambda: found
    try:
        return border.to_lua(server.network.listen(
            border.to_python(raw_interface), int(port),
            LuaListener(border, border.to_python(raw_listener), read_size), context))
    except (OSError, ValueError) as error:
        return None, reason_of(error)


def net_adopt(border, server, raw_socket: Any, raw_listener: Any, read_size: Any = None,
              raw_context: Any = None, raw_name: Any = None) -> Any:
    """Make a connection of a connected socket."""
    held = border.to_python(raw_socket)
    if not isinstance(held, TcpSocket):
        return None, b"this is not a socket that can be handed over"
    try:
        peer = held.open().getpeername()
        context = context_of(border, raw_context)
        return border.to_lua(server.network.adopt(
            held.take(), _listener(border, raw_listener, read_size),
            peer[:2] if isinstance(peer, tuple) else "unix", context,
            border.to_python(raw_name)))
    except (OSError, ValueError) as error:
        return None, reason_of(error)


class Watch:
    """Calls Lua functions while a file descriptor can be read or written."""

    def __init__(self, number: int, readable: Any, writable: Any):
        self._copy = os.dup(number)  # the watchers live as long as this, whoever closes the other
        loop = get_hub().loop
        self._watchers = {kind: (loop.io(self._copy, kind), function)
                          for kind, function in ((_READ, readable), (_WRITE, writable))
                          if isinstance(function, LuaCallable)}
        for watcher, function in self._watchers.values():
            watcher.start(self._ready, watcher, function)

    def _ready(self, watcher: Any, function: Any) -> None:
        watcher.stop()  # not again before the function has returned
        workers.run(self._call, watcher, function)

    def _call(self, watcher: Any, function: Any) -> None:
        try:
            function(self)
        except ScriptError as error:
            log.error("Error in a function of net.server.watchfd: %s", error.lua_traceback)
        finally:
            if self._watchers:
                watcher.start(self._ready, watcher, function)

    def close(self) -> None:
        """End it; the file descriptor stays open."""
        for watcher, _function in self._watchers.values():
            watcher.stop()
            watcher.close()
        if self._watchers:
            self._watchers = {}
            os.close(self._copy)

    close.never_blocks = True


def net_watch(border, server, number: Any, readable: Any = None, writable: Any = None) -> Any:
    """Call functions while a file descriptor, or a socket's, is readable or writable."""
    held = border.to_python(number)
    number = held.fileno() if isinstance(held, (TcpSocket, UdpSocket)) else int(held)
    try:
        watch = Watch(number, border.to_python(readable), border.to_python(writable))
    except OSError as error:
        return None, reason_of(error)
    server.network.close_at_the_end(watch)
    return border.to_lua(watch)


def net_addresses(border, server, raw_name: bytes) -> Any:
    """Return a list of a host's IP addresses; nil and why there are none."""
    try:
        return border.copy_to_lua(server.network.addresses_of(border.to_python(raw_name)))
    except (OSError, UnicodeError) as error:
        return None, reason_of(error)


def socket_tcp(border, server, raw_family: Any = None) -> Any:
    return border.to_lua(TcpSocket(_FAMILIES.get(raw_family, 0)))


def socket_udp(border, server, raw_family: Any = None) -> Any:
    return border.to_lua(UdpSocket(_FAMILIES.get(raw_family, 0)))


def socket_select(border, server, raw_read: Any, raw_write: Any, seconds: Any = None) -> Any:
    """Return two lists: what can be read, and what can be written."""
    wanted = [_sockets(border, raw) for raw in (raw_read, raw_write)]
    dirty = [held for held in wanted[0] if getattr(held, "dirty", False)]
    if dirty:
        seconds = 0
    if seconds is not None and seconds < 0:
        seconds = None
    try:
        ready = waiting.select([held.fileno() for held in wanted[0]],
                               [held.fileno() for held in wanted[1]], [], seconds)
    except (OSError, ValueError) as error:
        return None, None, reason_of(error)
    return tuple(
        border.copy_to_lua([held for held in held_of if held.fileno() in numbers or held in extra])
        for held_of, numbers, extra in ((wanted[0], ready[0], dirty), (wanted[1], ready[1], [])))


def _sockets(border, raw: Any) -> list[Any]:
    table = border.to_python(raw)
    if not isinstance(table, LuaData):
        return []
    found = [table.get(number) for number in range(1, len(table) + 1)]
    return [held for held in found
            if isinstance(held, (TcpSocket, UdpSocket)) and held.fileno() >= 0]


def socket_resolve(border, server, raw_name: bytes) -> Any:
    """Return a list of {family, addr} of a host."""
    try:
        found = server.network.addresses_of(border.to_python(raw_name))
    except (OSError, UnicodeError) as error:
        return None, reason_of(error)
    return border.copy_to_lua([{"family": "inet6" if ":" in address else "inet",
                                "addr": encode(address)} for address in found])


def socket_name_of(border, server, raw: bytes) -> Any:
    """Return the name of an address."""
    try:
        return encode(cooperative.gethostbyaddr(border.to_python(raw))[0])
    except (OSError, UnicodeError) as error:
        return None, reason_of(error)


PLAIN: dict[str, Callable[..., Any]] = {
    "net_connect": net_connect, "net_listen": net_listen, "net_adopt": net_adopt,
    "net_watch": net_watch, "socket_tcp": socket_tcp, "socket_udp": socket_udp,
    "poll_new": poll_new,
    "socket_own_name": lambda border, server: encode(cooperative.gethostname()),
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "net_addresses": net_addresses, "socket_select": socket_select,
    "socket_resolve": socket_resolve, "socket_name_of": socket_name_of,
}
