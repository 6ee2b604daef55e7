"""The server's side of a client's stream: headers, restarts, the end (RFC 6120 section 4)."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from prosody_py.api import Event, Stanza, StreamError
from prosody_py.sessions import lifecycle
from prosody_py.sessions.incoming import IncomingSession
from prosody_py.xmpp import ns, prep
from prosody_py.xmpp.builders import stream_error
from prosody_py.xmpp.parser import StreamOpen, StreamParser
from prosody_py.xmpp.writer import escape_attr

if TYPE_CHECKING:
    from .mod_c2s import ClientListener

MAX_LANGUAGE = 64  # characters of a stream's xml:lang, which goes out with each of its stanzas
_version = re.compile(r"\d{1,4}(\.\d{1,4})?").fullmatch


class ClientSession(IncomingSession):
    """A session that speaks RFC 6120's client side of a stream."""

    timer = None

    def __init__(self, conn, listener: ClientListener):
        super().__init__(conn, listener.server)
        self.listener = listener
        self.stream = StreamParser(listener.options.c2s_unauthed_stanza_size_limit)

    # -- in --------------------------------------------------------------------------------

    # Prosody's name for it, where modules put a function of their own.
    data = IncomingSession.received

    def open_stream(self, from_: str | None = None, to: str | None = None) -> None:
        """Send our stream header, from and to whom is said or known."""
        self.streamid = self.streamid or secrets.token_urlsafe(16)
        self._send_header(from_ or self.host, {"from": to} if to else {})

    def opened(self, header: StreamOpen) -> None:
        """Answer the peer's stream header (RFC 6120 section 4.3)."""
        attr = header.attr
        self.streamid = secrets.token_urlsafe(16)
        version = attr.get("version", "")
        self.version = float(version) if _version(version) else 0.0
        language = attr.get("xml:lang")
        if language and len(language) <= MAX_LANGUAGE:
            self.lang = language
        wanted = attr.get("to")
        try:
            name = prep.nameprep(wanted) if wanted else None
        except prep.PrepError:
            name = None
        host = self.listener.server.hosts.get(name) if name else None
        known = host is not None and host.type == "local" and "c2s" in host.modules
        if self.host_object is not None and host is not self.host_object:
            self._answer_header(self.host, attr)
            self.close("not-authorized" if known else "host-unknown",
                       "The host of a stream cannot change")
            return
        self._answer_header(name if known else None, attr)
        if (header.default_ns or "open_stream" in self.__dict__ and ns.CLIENT) != ns.CLIENT:
            self.close("invalid-namespace", f"The default namespace must be {ns.CLIENT}")
        elif not wanted:
            self.close("improper-addressing", "A stream header needs a 'to'")
        elif not known:
            self.close("host-unknown", "This server does not serve the host named in 'to'")
        elif self.version < 1.0:
            self.close("unsupported-version", "XMPP 1.0 is spoken here")
        else:
            self.host, self.host_object = name, host
            self.notopen = None
            event = Event(origin=self, features=Stanza("stream:features"), stream=attr)
            host.events.fire_event("stream-features", event)
            if not self.closing:
                self.send(event.features)

    def _answer_header(self, host: str | None, attr: dict[str, str]) -> None:
        framed = self.__dict__.get("open_stream")  # of a module, for streams in frames
        if framed is None:
            self._send_header(host, attr)
        else:
            self.notopen = None
            framed(self, host, attr.get("from"))

    def _send_header(self, host: str | None, attr: dict[str, str]) -> None:
        self.notopen = None
        to = f" to='{escape_attr(attr['from'])}'" if attr.get("from") and self.username else ""
        sender = f" from='{escape_attr(host)}'" if host else ""
        self.send(f"<?xml version='1.0'?><stream:stream xmlns='{ns.CLIENT}' "
                  f"xmlns:stream='{ns.STREAM}' version='1.0' xml:lang='en' "
                  f"id='{self.streamid}'{sender}{to}>".encode())

    def reset_stream(self) -> None:
        """Expect a new stream header: after STARTTLS and after authentication."""
        self.notopen = True
        if self.stream is not None:  # else the session has ended meanwhile
            self.stream.reset()

    def authenticated(self) -> None:
        """The peer is known: it may send larger elements."""
        if self.stream is not None:
            self.stream.max_bytes = self.listener.options.c2s_stanza_size_limit

    def starttls(self, context) -> None:
        """Begin TLS; what the peer sent after <starttls/> in clear is thrown away."""
        self.stream.drop_kept()
        self.reset_stream()
        self.conn.starttls(context)

    def bound(self) -> None:
        """The session has a resource: from now on stanzas flow."""
        self.stream.single = False
        self.stop_timer()

    def stop_timer(self) -> None:
        """End the limit on the time for logging in."""
        if self.timer is not None:
            self.timer.stop()
            self.timer = None

    # -- out -------------------------------------------------------------------------------

    def peer_closed(self) -> None:
        """The peer has closed its stream: close ours."""
        self.log.debug("The client closed its stream")
        self.close(*([False] if "close" in self.__dict__ else []))  # as Prosody tells a module's

    def close(self, reason=None, text: str | None = None) -> None:
        """End the stream: `reason` is a StreamError, the name of a condition, or nothing.

        Also ends a session that waits, without a connection, for a client to come back.
        """
        if self.closing or self.destroyed:
            return
        self.closing = True
        self.stop_timer()
        if isinstance(reason, str):
            reason = StreamError(reason, text)
        if self.full_jid:
            self.host_object.events.fire_event("pre-session-close",
                                               Event(session=self, reason=reason))
        conn = self.conn
        if conn is not None:
            self._say_goodbye(reason)
        lifecycle.destroy(self, reason and str(reason))
        if conn is not None:
            conn.close(str(reason) if reason is not None else None)

    def _say_goodbye(self, reason: StreamError | None) -> None:
        """Write the end of our stream."""
        if self.notopen:
            self.streamid = secrets.token_urlsafe(16)
            self._send_header(self.host, {})
        if reason is not None:
            self.log.info("Closing the stream: %s", str(reason))
            self.send(stream_error(reason))
        self.send(b"</stream:stream>")
        self.notopen = True
