"""Listeners that are written in Lua: tables of callbacks, as Prosody's net.server knows them.

Each connection has a `LuaCallbacks` of its own. Its callbacks run one after the other, each as an
entry that may wait: while `onincoming` has not returned, the connection is not read, and neither
`ondrain` nor `ondisconnect` comes in between. An error in a callback is logged; the connection
lives on. A callback that a module writes into the connection itself comes before the table's.
"""

from __future__ import annotations

import logging
from typing import Any

from gevent.event import Event
from greenlet import getcurrent

from prosody_py.concurrency import workers
from prosody_py.lua.driver import ScriptError
from prosody_py.lua.references import LuaCallable, LuaData

log = logging.getLogger("net")
# What the connection says, in the words that Prosody's modules know.
_REASONS = {"connection closed": "closed", "connection reset": "closed",
            "connection reset by peer": "closed", "broken pipe": "closed"}
_CALLBACKS = frozenset(("onconnect", "onincoming", "ondisconnect", "onreadtimeout", "ondrain",
                        "onpredrain", "onstatus", "onattach", "ondetach"))


class LuaListener:
    """What a port has as its listener: makes the listener of each connection."""

    def __init__(self, border, table: LuaData, read_size: Any = None):
        self._border, self._table = border, table
        self._read_size = table.get("default_mode") if read_size is None else read_size

    def lua_face(self, _border) -> Any:
        """Return the table that the module has made."""
        return self._table.raw

    def for_connection(self) -> LuaCallbacks:
        """Return the listener of a new connection."""
        return LuaCallbacks(self._border, self._table, self._read_size)


class LuaCallbacks:
    """The callbacks of one connection; `table` is the Lua table that has them.

    `connected` says that `onconnect` has been called. The callbacks are looked up when they are
    called, so a module may add some later.
    """

    __slots__ = ("border", "table", "connected", "_read_size", "_secured", "_owner", "_waiting")

    def __init__(self, border, table: LuaData, read_size: Any = None, connected: bool = False):
        self.border, self.table = border, table
        self.connected = connected
        self._read_size = read_size
        self._secured = False
        self._owner: Any = None
        self._waiting: list[Event] = []

    def find(self, name: str, conn: Any) -> Any:
        """Return a callback: that of the connection itself, or else that of the table."""
        own = conn.extras.get(name) if conn.extras else None
        return own if own or self.table is None else self.table.get(name)

    def call(self, name: str, conn: Any, *args: Any) -> Any:
        """Call a callback at once; None when there is none, or when it fails."""
        function = self.find(name, conn)
        if not function:
            return None
        border = self.border
        try:
            if isinstance(function, LuaCallable):
                result = function.enter(border.to_lua(conn), *args)
            else:
                result = function(conn, *args)
        except ScriptError as error:
            log.error("Error in %s of a listener: %s", name, error.lua_traceback or error)
            if function.effort is not None:
                function.effort.failed(f"{name} of a listener")
            return None
        except Exception as error:
            log.error("Error in %s of a listener: %s", name, error, exc_info=error)
            return None
        return result[0] if type(result) is tuple else result

    def in_turn(self, name: str, conn: Any, *args: Any) -> Any:
        """Call a callback when those that are running have returned."""
        me = getcurrent()
        nested = self._owner is me
        if not nested and self._owner is not None:
            turn = Event()
            self._waiting.append(turn)
            try:
                turn.wait()
            except BaseException:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                else:
                    self._pass_on()
                raise
        self._owner = me
        try:
            return self.call(name, conn, *args)
        finally:
            if not nested:
                self._pass_on()

    def _pass_on(self) -> None:
        self._owner = None
        if self._waiting:
            self._owner = turn = self._waiting.pop(0)
            turn.set()

    # -- called by the connection ----------------------------------------------------------

    def onconnect(self, conn: Any) -> None:
        """The connection is there, or its TLS handshake is done."""
        if conn.secure and not self._secured:
            self._secured = True
            self.in_turn("onstatus", conn, b"ssl-handshake-complete")
        if not self.connected:
            self.connected = True
            self.border.server.network.close_at_the_end(conn)
            if isinstance(self._read_size, (int, float)) and self._read_size >= 1:
                conn.read_size = int(self._read_size)
            self.in_turn("onconnect", conn)

    def onincoming(self, conn: Any, data: bytes) -> None:
        """The peer has sent bytes."""
        self.in_turn("onincoming", conn, data)

    def onreadtimeout(self, conn: Any) -> bool:
        """The peer has been silent; true keeps the connection."""
        return bool(self.in_turn("onreadtimeout", conn))

    def onpredrain(self, conn: Any) -> None:
        """What is queued is going to be written."""
        if self.find("onpredrain", conn):
            workers.run(self.in_turn, "onpredrain", conn)

    def ondrain(self, conn: Any) -> None:
        """Everything has been written; called by the loop, or below a Lua frame."""
        if self.find("ondrain", conn):
            workers.run(self.in_turn, "ondrain", conn)

    def ondisconnect(self, conn: Any, reason: str | None) -> None:
        """The connection is gone."""
        text = _REASONS.get(reason.lower(), reason) if reason else None
        self.in_turn("ondisconnect", conn, self.border.to_lua(text))
        # Whoever still holds the connection must not hold the module's code by it.
        self.table = None
        for name in _CALLBACKS.intersection(conn.extras):
            del conn.extras[name]
