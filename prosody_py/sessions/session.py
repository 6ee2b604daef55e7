"""A session: one stream with one peer, and everything that modules hang on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic, time
from typing import Any

from prosody_py.events import filters
from prosody_py.xmpp.ns import CLIENT
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

log = logging.getLogger("session")


class SessionLog(logging.LoggerAdapter):
    """A logger whose lines carry the id of the session."""

    def process(self, msg, kwargs):
        kwargs.setdefault("extra", {})["session"] = self.extra
        return msg, kwargs


class Session:
    """A client's session, an open object: fields that nobody has set are None.

    The fields below are those of Prosody's session. A session is *connected* from the first
    byte, *authenticated* with `username`, bound with `full_jid`, *available* with `presence` and
    *interested* with `interested` (it has asked for the roster). Modules add fields of their own:
    `session.extras["x"]` in Python is `session.x` in Lua.
    """

    conn: Any = None                 # net.connection.Connection
    type = "c2s_unauthed"            # then c2s_unbound, c2s, at last c2s_destroyed
    base_type = "c2s"                # what `type` begins with
    host: str | None = None
    host_object: Any = None          # hosts.host.Host
    username: str | None = None
    resource: str | None = None
    full_jid: str | None = None
    bare_jid: str | None = None
    role: Any = None                 # api.roles.Role, once it is authenticated
    ip: str | None = None
    secure: bool | None = None
    encrypted: bool | None = None    # TLS is established; `secure` may also be granted
    compressed: bool | None = None
    conntime: float | None = None    # when the connection was made, seconds since 1970
    notopen: bool | None = True      # no stream header yet
    priority: int | None = None      # of the last available presence
    presence: Stanza | None = None   # the last available presence
    interested: bool | None = None
    roster: Any = None
    directed: Any = None             # addresses that got directed presence
    filters: Any = None              # events.filters keeps its table here
    stream: Any = None               # xmpp.parser.StreamParser
    streamid: str | None = None
    version: float | None = None
    lang: str | None = None
    sasl_handler: Any = None
    negotiating: str | None = None   # namespace of an exchange during which nothing else may come
    destroyed: bool | None = None
    keep: Any = None                 # stream management: what sees each text, see `send`
    handled_stanza_count: int | None = None  # stanzas of the peer, once it wants them counted
    unfinished: Any = None           # what has been begun and is waited for, see below
    lua: Any = None                  # the Lua face, once Lua has looked at this session
    server: Any = None
    ns = CLIENT

    def __init__(self, conn, server, kind: str = "c2s_unauthed"):
        self.conn = conn
        self.server = server
        self.type = kind
        self.ip = conn.ip() if conn is not None else None
        self.conntime = time()

    @property
    def id(self) -> str:
        """The session's name in the log; modules may give it another one."""
        return self.__dict__.get("own_id") or f"c2s{id(self):x}"

    @id.setter
    def id(self, name: str | None) -> None:
        self.__dict__["own_id"] = name

    @property
    def log(self) -> SessionLog:
        """A logger that marks its lines with this session.

        What is written here is for Lua modules alone, which call it as a function.
        """
        return SessionLog(log, self.id)

    @log.setter
    def log(self, function: Any) -> None:
        self.__dict__["lua_log"] = function

    @property
    def extras(self) -> dict[str, Any]:
        """Fields that modules add; the same ones are plain fields in Lua."""
        return self.__dict__

    def send(self, stanza: Stanza | str | bytes) -> bool:
        """Queue an element (or finished text) for the peer; never blocks.

        Filters see it also while there is no connection. So does `keep(text)`, the last to see
        it: True says that it is kept until the peer has acknowledged it, False that it is kept
        and not to be written now, None that it is none of its business. What is kept counts as
        sent, whatever becomes of the connection.
        """
        if self.filters is not None:
            return self._send_filtered(stanza)
        conn, keep = self.conn, self.keep
        if conn is None and keep is None:
            return False
        if type(stanza) is not bytes:
            if type(stanza) is not str:
                stanza = serialize(stanza, CLIENT)
            stanza = stanza.encode("utf-8", "replace")
        if keep is None:
            return conn.write(stanza)
        return self._send_kept(stanza, keep(stanza))

    send.never_blocks = True  # Lua may call it without leaving Lua, see lua/proxies

    def rawsend(self, data: str | bytes) -> bool:
        """Queue finished text as it is; filters of stanzas do not see it. Never blocks."""
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        if self.filters is not None:
            data = filters.run(self, "bytes/out", data)
            if not data:
                return True
        return self.conn.write(data) if self.conn is not None else False

    rawsend.never_blocks = True

    def dispatch_stanza(self, stanza: Stanza) -> None:
        """Work off an element as if the peer had sent it now."""
        if self.filters is not None:
            stanza = filters.run(self, "stanzas/in", stanza)
            if stanza is None:
                return
        self.server.process_stanza(self, stanza)

    def finish_before_next(self, wait: Callable[[], Any]) -> None:
        """Have `wait()` called before the session's next stanza is handled.

        For work that has been begun, such as a write to a store, while a stanza is handled: it
        goes on beside the rest of the handling, but nothing later overtakes it.
        """
        if self.unfinished is None:
            self.unfinished = [wait]
        else:
            self.unfinished.append(wait)

    def finish(self) -> None:
        """Wait for what `finish_before_next` was given."""
        waits, self.unfinished = self.unfinished, None
        for wait in waits or ():
            try:
                wait()
            except Exception as error:
                self.log.error("What was begun for a stanza has failed: %s", error, exc_info=error)

    def _send_filtered(self, stanza: Stanza | str | bytes) -> bool:
        if isinstance(stanza, Stanza):
            stanza = filters.run(self, "stanzas/out", stanza)
            if stanza is None:
                return True
            stanza = serialize(stanza, CLIENT)
        if self.keep is None:
            return self.rawsend(stanza)
        if type(stanza) is not bytes:
            stanza = stanza.encode("utf-8", "replace")
        return self._send_kept(stanza, self.keep(stanza))

    def _send_kept(self, text: bytes, kept: bool | None) -> bool:
        if kept is False:
            return True
        return self.rawsend(text) or kept is True

    def close(self, reason=None, text: str | None = None) -> None:
        """End the stream, with a StreamError, the name of a condition and a text, or nothing.

        What speaks the stream (mod_c2s) replaces this for its sessions.
        """
        if self.conn is not None:
            self.conn.close(str(reason) if reason else None)

    def authenticated(self) -> None:
        """The peer is known now; what speaks the stream may do something about it."""

    def idle_for(self) -> float:
        """Return the seconds since the peer was last heard."""
        return monotonic() - self.conn.last_read if self.conn is not None else 0.0

    def __repr__(self) -> str:
        return f"<Session {self.full_jid or self.bare_jid or self.ip} {self.type}>"
