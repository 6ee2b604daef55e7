"""The HTTP server: the events of requests, the names it answers to, and its connections.

Data and owner: one for each server object, made at start-up as `server.http`; modules hook its
`events` and add routes. It is the listener of the ports that mod_http offers, so connections
outlive a reload of that module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import gevent

from prosody_py.api.http import StatusError
from prosody_py.events.bus import Event
from prosody_py.net.http.codes import reason
from prosody_py.net.http.events import HttpEvents
from prosody_py.net.http.files import FileServer
from prosody_py.net.http.forwarding import Forwarding
from prosody_py.net.http.limits import Limits
from prosody_py.net.http.lua_objects import LuaFile
from prosody_py.net.http.request import IncomingRequest
from prosody_py.net.http.session import HttpSession
from prosody_py.net.peers import network_of
from prosody_py.router.unanswered import handler_failed

_FAREWELL = 1  # seconds that answers may take to go out when the server stops


class HttpServer:
    """Serves HTTP for one server; `events` is what Lua knows as net.http.server._events.

    `limits` counts for new connections, `forwarding` for new requests. `hosts` are the names it
    answers to; requests for others go to `default_host`, if there is one.
    """

    def __init__(self, server):
        self.server = server
        self.events = HttpEvents(self._failed)
        self.limits = Limits()
        self.forwarding = Forwarding(("127.0.0.1", "::1"))
        self.hosts: Counter[str] = Counter()
        self.default_host: str | None = None
        self.connections_per_address = 200
        self._sessions: WeakKeyDictionary[Any, HttpSession] = WeakKeyDictionary()
        self._addresses: Counter[str] = Counter()
        server.http = self
        server.events.add_handler("server-stopping", self._say_goodbye, -90)
        server.events.add_handler("server-cleanup", self._stop)

    def configure(self, *, trusted_proxies: Iterable[str], legacy: bool, default_host: str | None,
                  connections_per_address: int, **limits: Any) -> None:
        """Take the operator's options; `limits` are fields of Limits. Raises ValueError."""
        self.forwarding = Forwarding(trusted_proxies, legacy)
        self.default_host = default_host.lower() if default_host else None
        self.connections_per_address = connections_per_address
        self.limits = replace(self.limits, **limits)

    # -- names -----------------------------------------------------------------------------

    def add_host(self, name: str) -> None:
        """Answer to a name; as often as it is added it has to be removed."""
        self.hosts[name.lower()] += 1

    def remove_host(self, name: str) -> None:
        """Answer to a name no more."""
        name = name.lower()
        self.hosts[name] -= 1
        if self.hosts[name] <= 0:
            del self.hosts[name]

    def host_of(self, request: IncomingRequest) -> str | None:
        """Return the name whose handlers get a request, None when there is none."""
        if request.host in self.hosts:
            return request.host
        return self.default_host

    def files(self, path: str, mime_types: Any = None,
              index_files: Iterable[str] = ("index.html", "index.htm"),
              directory_index: bool = False) -> FileServer:
        """Return a handler that serves the files of a folder, see FileServer."""
        return FileServer(path, mime_types, tuple(index_files), directory_index,
                          self.events.fire_event)

    @staticmethod
    def reason(code: int) -> str:
        """Return the name of a status code."""
        return reason(code)

    def lua_file(self, raw: Any) -> LuaFile:
        """Return a file that Lua has opened as one of Python's."""
        return LuaFile(self, raw)

    # -- connections -----------------------------------------------------------------------

    def admit(self, address: str) -> bool:
        """Whether one more connection of `address` is welcome."""
        return (self._addresses[network_of(address)] < self.connections_per_address
                or self.forwarding.trusts(address))

    def onaccept(self, conn: Any) -> HttpSession:
        """A connection is new; with TLS the handshake is still to come."""
        session = self._sessions[conn] = HttpSession(conn, self)
        self._addresses[network_of(conn.ip())] += 1
        return session

    def onconnect(self, conn: Any) -> None:
        """A connection can be used."""
        if conn not in self._sessions:
            self.onaccept(conn)

    def onincoming(self, conn: Any, data: bytes) -> None:
        """The peer has sent bytes."""
        self._sessions[conn].received(data)

    def onreadtimeout(self, _conn: Any) -> bool:
        """The session looks at the time itself."""
        return True

    def ondrain(self, conn: Any) -> None:
        """Everything has been written."""
        session = self._sessions.get(conn)
        if session is not None:
            session.output.drained()

    def ondisconnect(self, conn: Any, _reason: str | None) -> None:
        """The connection is gone."""
        session = self.forget(conn)
        if session is not None:
            session.ended()

    def forget(self, conn: Any) -> HttpSession | None:
        """Let go of a connection, which is gone or another listener's; return its session."""
        session = self._sessions.pop(conn, None)
        if session is not None:
            address = network_of(conn.ip())
            self._addresses[address] -= 1
            if self._addresses[address] <= 0:
                del self._addresses[address]
        return session

    def session_of(self, conn: Any) -> HttpSession | None:
        """Return the session of a connection."""
        return self._sessions.get(conn)

    @property
    def sessions(self) -> list[HttpSession]:
        """The sessions of all connections."""
        return list(self._sessions.values())

    # -- the end ---------------------------------------------------------------------------

    def _say_goodbye(self, _event: Any) -> None:
        for session in self.sessions:
            session.close_when_idle()

    def _stop(self, _event: Any) -> None:
        with gevent.Timeout(_FAREWELL, False):
            while any(not session.output.written for session in self.sessions):
                gevent.sleep(0.01)
        for session in self.sessions:
            session.conn.destroy("the server stops")

    # -- errors of handlers ----------------------------------------------------------------

    def _failed(self, handler: Callable[..., Any], name: str, data: Any,
                error: Exception) -> StatusError | None:
        """Keep a handler's error with it; the peer gets an error page."""
        if isinstance(error, StatusError):
            return error
        handler_failed(handler, name, data, error)
        if not isinstance(data, Event) or name == "http-error":
            return None
        text = getattr(error, "lua_traceback", None) or f"{type(error).__name__}: {error}"
        return StatusError(500, private=text)
