"""How an answer becomes bytes: the half of a session that writes."""

from __future__ import annotations

from typing import Any

import h11
from gevent import get_hub

from prosody_py.concurrency import workers
from prosody_py.net.http.codes import bodiless, reason
from prosody_py.net.http.response import (
    OutgoingResponse,
    header_items,
    header_of,
    status_line,
)

_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


def _code(response: OutgoingResponse) -> int:
    return int(response.status_code)


class Sending:
    """What an answer calls; mixed into HttpSession."""

    conn: Any
    output: Any
    _protocol: h11.Connection
    _raw = False  # the body is written past h11

    def _head(self, response: OutgoingResponse, length: int | None) -> h11.Response:
        """Return the head; `length` is that of the body, None for what the headers say.

        Raises h11.LocalProtocolError for headers that are none.
        """
        code = _code(response)
        items = header_items(response.headers)
        if length is not None:
            items = [item for item in items if item[0].lower() not in _FRAMING]
            items.append((b"Content-Length", str(length).encode()))
        if bodiless(code):
            items = [item for item in items if item[0].lower() not in _FRAMING]
        if not response.persistent or self.closing or \
                self._protocol.their_state not in (h11.DONE, h11.MIGHT_SWITCH_PROTOCOL):
            items = [item for item in items if item[0].lower() != b"connection"]
            items.append((b"Connection", b"close"))
        return h11.Response(status_code=code, headers=items, reason=reason(code).encode())

    def send_whole(self, response: OutgoingResponse, data: bytes) -> None:
        """Send head and body."""
        if _code(response) == 101:
            self.switch(response)
            return
        length = len(data)
        if response.is_head_request and not data:
            length = header_of(response.headers, "content_length") or 0
        head = self._head(response, length)
        parts = [self._protocol.send(head)]
        if data and not response.is_head_request and not bodiless(_code(response)):
            self._protocol.send_with_data_passthrough(h11.Data(data=data))
            parts.append(data)
        parts.append(self._protocol.send(h11.EndOfMessage()))
        if len(data) < 65536:
            self.output.write(b"".join(parts))
        else:
            for part in parts:
                self.output.write(part)

    def send_failure(self, _response: OutgoingResponse) -> None:
        """Send an error in the place of an answer that cannot be sent."""
        self.closing = True
        self.output.write(status_line(500) + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
        self.conn.close("an answer that cannot be sent")

    def begin(self, response: OutgoingResponse) -> None:
        """Send the head of a body that comes in parts; raises h11.LocalProtocolError."""
        self.output.write(self._protocol.send(self._head(response, None)))

    def write(self, data: bytes) -> bool:
        """Send a part of the body; False when the connection is gone."""
        if self._raw:
            self.output.write(data)
        elif data and not self.bodiless:
            self.output.write(self._protocol.send(h11.Data(data=data)))
        return not self.gone

    def send_raw_head(self, response: OutgoingResponse) -> None:
        """Send a head after which h11 is not asked any more; the connection closes at the end."""
        head = self._head(response, None)
        lines = [b"%s: %s\r\n" % item for item in head.headers.raw_items()
                 if item[0].lower() != b"connection"]
        self._raw = self.closing = True
        self.output.write(status_line(_code(response)) + b"".join(lines)
                          + b"Connection: close\r\n\r\n")

    def end(self, response: OutgoingResponse) -> None:
        """End a body."""
        if self._raw or self._protocol.our_state is h11.ERROR:
            self.closing = True
            return
        if self._protocol.our_state is h11.SEND_RESPONSE:  # written past this session
            self._raw = self.closing = True
            return
        if self._protocol.our_state is not h11.SEND_BODY:
            return
        try:
            self.output.write(self._protocol.send(h11.EndOfMessage()))
        except h11.LocalProtocolError:
            self.abort("a body is shorter than its Content-Length")

    def break_off(self) -> None:
        """Leave a body without its end, and close the connection."""
        self.closing = True
        if self._protocol.their_http_version == b"1.0":
            self.abort("an error in the middle of an answer")  # there the end means success

    # -- another protocol ------------------------------------------------------------------

    def switch(self, response: OutgoingResponse, listener: Any = None) -> None:
        """Answer 101; the connection belongs to `listener`, or to the one it has already.

        Raises ValueError when the peer has not asked for another protocol.
        """
        if self._protocol.their_state is not h11.MIGHT_SWITCH_PROTOCOL:
            raise ValueError("the peer has not asked for another protocol")
        items = [item for item in header_items(response.headers)
                 if item[0].lower() not in _FRAMING and item[0].lower() != b"connection"
                 or item[0].lower() == b"connection" and b"upgrade" in item[1].lower()]
        if not any(name.lower() == b"connection" for name, _value in items):
            items.append((b"Connection", b"Upgrade"))
        self.output.write(self._protocol.send(h11.InformationalResponse(
            status_code=101, headers=items, reason=reason(101).encode())))
        self.switched = True
        self._reading.close()
        self._writing.close()
        self.conn.pause()
        fresh = listener is not None
        if fresh:
            self.conn.listener = listener
        self.server.forget(self.conn)
        get_hub().loop.run_callback(workers.run, self._hand_over, fresh)

    def _hand_over(self, fresh: bool) -> None:
        conn, listener = self.conn, self.conn.listener
        if conn.closed or listener is self.server:
            conn.destroy("nobody speaks the other protocol")
            return
        if fresh:
            listener.onconnect(conn)
        early = self._protocol.trailing_data[0]
        if early and not conn.closed:
            listener.onincoming(conn, early)
        conn.resume()
