"""Sessions that are Lua tables: modules that speak a stream of their own make them (BOSH)."""

from __future__ import annotations

from typing import Any

from prosody_py.hosts.host import Host
from prosody_py.lua.references import LuaData
from prosody_py.sessions.session import SessionLog, log
from prosody_py.xmpp.errors import StreamError


class LuaSession(LuaData):
    """A table with a `dispatch_stanza`, as the server's own parts see it: like a `Session`.

    Its fields are the table's. Those functions of the table that Lua calls with a colon are
    methods here.
    """

    __slots__ = ()

    @property
    def server(self) -> Any:
        """The server of the runtime."""
        return self.border.server

    @property
    def host_object(self) -> Host | None:
        """The host that the session is on."""
        return self.border.server.hosts.get(self.get("host"))

    @property
    def extras(self) -> LuaSession:
        """The fields that modules add, which are fields of the table."""
        return self

    @property
    def id(self) -> str:
        """The session's name in the log."""
        return self.get("id") or self.get("streamid") or self.get("type") or "session"

    @property
    def log(self) -> SessionLog:
        """A logger that marks its lines with this session."""
        return SessionLog(log, self.id)

    def pop(self, name: str, default: Any = None) -> Any:
        """Take a field out of the table and return it."""
        value = self.get(name, default)
        self[name] = None
        return value

    def close(self, reason: Any = None, text: str | None = None) -> None:
        """End the stream, with a StreamError, the name of a condition and a text, or nothing."""
        if isinstance(reason, StreamError):
            reason, text = reason.condition, reason.text
        if text is not None:
            reason = self.border.copy_to_lua({"condition": reason, "text": text})
        self._call("close", reason)

    def dispatch_stanza(self, stanza: Any) -> None:
        """Work off an element as if the peer had sent it now."""
        self._call("dispatch_stanza", stanza)

    def reset_stream(self) -> None:
        """Let the stream begin anew."""
        self._call("reset_stream")

    def rawsend(self, data: str | bytes) -> bool:
        """Queue finished text."""
        return bool(self.send(data))

    def authenticated(self) -> None:
        """The peer is known now; the module that has made the session sees that itself."""

    def idle_for(self) -> float:
        """Return 0: what carries the session is not known here."""
        return 0.0

    def _call(self, name: str, *args: Any) -> Any:
        function = self.get(name)
        return function(self, *args) if function is not None else None

    def __repr__(self) -> str:
        return f"<Lua session {self.get('full_jid') or self.id} {self.get('type')}>"
