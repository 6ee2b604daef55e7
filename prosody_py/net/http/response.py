"""The answer to a request, as modules see it in both languages."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from typing import Any

import h11

from prosody_py.lua.values import encode
from prosody_py.net.http.codes import reason

log = logging.getLogger("http")
_READ_SIZE = 64 * 1024


class OutgoingResponse:
    """An answer that is being made.

    `status_code` and `headers` may be changed until the head is sent; header names may be written
    as `content_type` or "Content-Type", a list gives several headers. Then one of: `send(body)`;
    `send_file(file)`; `write_body(data)` as often as needed and `done()`. `on_destroy(response)`
    is called when the answer is finished, or its connection gone. `persistent` may be set to False
    to have the connection closed afterwards.
    """

    __slots__ = ("_session", "__dict__", "__weakref__")

    body: Any = None
    on_destroy: Any = None
    headers_sent = False
    destroyed = False

    def __init__(self, request: Any, session: Any):
        self.request = request
        self.conn = session.conn
        self.status_code: Any = 200
        self.finished, self.persistent = False, True
        self.is_head_request = request is not None and request.method == "HEAD"
        self.headers: Any = {"date": formatdate(usegmt=True), "connection": "Keep-Alive"}
        self._session = session

    @property
    def extras(self) -> dict[str, Any]:
        """What Lua sees and writes: all fields."""
        return self.__dict__

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may be used again; the same as `persistent`."""
        return self.persistent

    @keep_alive.setter
    def keep_alive(self, value: bool) -> None:
        self.persistent = value

    def send(self, body: Any = None) -> bool | None:
        """Send everything; never waits. `body` is text or bytes, `self.body` when it is None."""
        if self.finished:
            return None
        if self.headers_sent:
            if body:
                self._session.write(to_bytes(body))
            return self.done()
        data = to_bytes(self.body if body is None else body)
        try:
            self._session.send_whole(self, data)
        except (h11.LocalProtocolError, TypeError, ValueError) as error:
            log.error("The answer to %r cannot be sent: %s", self.request, error)
            self._session.send_failure(self)
        self._finish()
        return True

    def give(self, body: Any = None) -> Any:
        """Send everything, by the function that a module may have put in the place of `send`."""
        own = self.__dict__.get("send")
        return self.send(body) if own is None else own(self, body)

    def write_headers(self) -> None:
        """Send the head as it is; who does that writes the body to the connection and closes it.
        """
        if not self.headers_sent:
            self._session.send_raw_head(self)
            self.headers_sent = True

    def write_body(self, data: Any) -> bool:
        """Send a part of the body, and the head before the first one; waits for a slow peer.

        False when the connection is gone.
        """
        if self.finished:
            return False
        if not self.headers_sent:
            self._session.begin(self)
            self.headers_sent = True
        return self._session.write(to_bytes(data)) and self._session.output.wait()

    def done(self) -> bool | None:
        """End the answer."""
        if self.finished:
            return None
        if not self.headers_sent:
            return self.send()
        self._session.end(self)
        self._finish()
        return True

    def send_file(self, file: Any) -> bool | None:
        """Send what `file.read(size)` gives, then close it; waits until everything is under way.

        Without a Content-Length it goes in chunks.
        """
        return self.send_parts(iter(lambda: file.read(_READ_SIZE), b""), file.close)

    def send_parts(self, parts: Iterable[Any], close: Any = None) -> bool | None:
        """Send the parts of a body, each as soon as there is room; `close()` is called at the end.
        """
        if self.finished:
            return None
        try:
            for part in self._as_declared(parts) if not self.is_head_request else ():
                if not self.write_body(part):
                    break
            if not self.headers_sent:
                self._session.begin(self)
                self.headers_sent = True
        except Exception as error:
            log.error("The answer to %r ends early: %s", self.request, error, exc_info=error)
            self.break_off()
        finally:
            if close is not None:
                close()
        return self.done()

    def break_off(self) -> None:
        """End an answer that cannot be completed, so that the peer sees that it is not whole."""
        if not self.finished:
            self._session.break_off()
            self._finish()

    def _as_declared(self, parts: Iterable[Any]) -> Iterator[bytes]:
        """Give the parts of a body, no more of them than its Content-Length says."""
        declared = header_of(self.headers, "content_length")
        left = None if declared is None else int(declared)
        for part in parts:
            data = to_bytes(part)
            if left is not None:
                data = data[:left]
                left -= len(data)
            yield data
            if left == 0:
                return

    def finish_cb(self) -> None:
        """Say that the answer is finished, for those who have written it to the connection."""
        self.finished = False
        self._session.end(self)
        self._finish()

    def upgrade(self, listener: Any) -> None:
        """Answer 101 and hand the connection over to `listener` (RFC 9110 section 7.8).

        The headers say to what protocol. The listener gets `onconnect(conn)`, then what the peer
        has sent already; see prosody_py.net.connection. Raises ValueError when the peer has not
        asked for it.
        """
        if self.finished or self.headers_sent:
            raise ValueError("the answer is sent already")
        self.status_code = 101
        self._session.switch(self, listener)
        self._finish()

    def gone(self) -> None:
        """The connection is gone, or the answer cannot be given (called by the session)."""
        if not self.finished:
            self._finish()

    def _finish(self) -> None:
        self.finished = self.headers_sent = self.destroyed = True
        if self.request is not None:
            self.request.destroyed = True
        hook, self.on_destroy = self.on_destroy, None
        if hook is not None:
            try:
                hook(self)
            except Exception as error:
                log.error("Error in on_destroy of the answer to %r: %s", self.request,
                          getattr(error, "lua_traceback", None) or error, exc_info=error)
        self._session.answered(self)

    def __repr__(self) -> str:
        return f"<Answer to {self.request!r}>"


def to_bytes(body: Any) -> bytes:
    """Return a body as bytes; None is an empty one."""
    if body is None or body is False:
        return b""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    return encode(str(body))


def header_items(headers: Any) -> list[tuple[bytes, bytes]]:
    """Return headers for h11: `content_type` is written Content-Type."""
    items = headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else ()
    result = []
    for name, value in items:
        if value is None or value is False:
            continue
        written = "-".join(part.capitalize() for part in str(name).replace("_", "-").split("-"))
        for one in _values(value):
            text = one if isinstance(one, bytes) else encode(_text(one))
            result.append((encode(written), text))
    return result


def header_of(headers: Any, name: str) -> Any:
    """Return the value of a header, whichever way its name is written; None without one."""
    for key, value in headers.items():
        if value is not None and str(key).lower().replace("-", "_") == name:
            return value
    return None


def status_line(code: int) -> bytes:
    """Return the first line of an answer."""
    return f"HTTP/1.1 {code} {reason(code)}\r\n".encode()


def _values(value: Any) -> Iterable[Any]:
    if hasattr(value, "copy") and not isinstance(value, (bytes, str)):
        value = value.copy()
    if isinstance(value, dict):
        value = list(value.values())
    return value if isinstance(value, (list, tuple)) else (value,)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
