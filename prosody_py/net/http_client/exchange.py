"""One request and its answer on a connection, by h11."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11

from prosody_py.api.outgoing import HttpError
from prosody_py.net.http_client.response import HttpResponse
from prosody_py.net.http_client.transport import Transport

_MAX_HEAD = 64 * 1024
_MAX_INTERIM = 20
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_DIGITS = re.compile(r"\d{1,18}\Z")


@dataclass
class Request:
    """What is sent: `headers` are complete, Host included.

    `on_head(response)` is called when the answer begins; what it returns, or else `on_data`, gets
    the data piece by piece. Without either, or if the result is None, the body is collected.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    max_body: int = 0
    url: str = ""
    on_head: Callable[[HttpResponse], Any] | None = None
    on_data: Callable[[bytes], Any] | None = None


@dataclass
class _Body:
    """The data of an answer, collected or handed on."""

    limit: int
    sink: Callable[[bytes], Any] | None = None
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, data: bytes) -> None:
        if self.sink is not None:
            self.sink(data)
            return
        self.size += len(data)
        if self.size > self.limit:
            raise HttpError("content-length-limit-exceeded")
        self.parts.append(data)


class Exchange:
    """A request on a transport; `reusable` says afterwards whether the next one may follow."""

    def __init__(self, transport: Transport, request: Request):
        self._transport, self._request = transport, request
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self.answered = False  # something has come back
        self.reusable = False
        self._in_body = False  # the answer's head is complete

    def run(self) -> HttpResponse:
        """Send the request, return the answer; raises HttpError."""
        failure = self._send()
        try:
            return self._receive()
        except HttpError as error:
            raise failure if failure is not None and error.code == "closed" else error from None

    def _send(self) -> HttpError | None:
        """Send everything; a peer that stops reading may have answered, so that is for later."""
        request, protocol = self._request, self._h11
        if not _TOKEN.match(request.method):
            raise HttpError("invalid-method")
        try:
            data = protocol.send(h11.Request(method=request.method.encode("ascii"),
                                             target=request.target.encode("ascii"),
                                             headers=[(_wire(name), _wire(value))
                                                      for name, value in request.headers]))
            if request.body:
                data += protocol.send(h11.Data(data=request.body))
            data += protocol.send(h11.EndOfMessage())
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise HttpError("invalid-header", str(error)) from None
        try:
            self._transport.sendall(data)
        except OSError as error:
            return HttpError("closed", error.strerror or None)
        return None

    def _receive(self) -> HttpResponse:
        response = self._head()
        self._check_length(response)
        body = _Body(self._request.max_body, self._sink(response))
        while True:
            event = self._next()
            if type(event) is h11.Data:
                body.add(bytes(event.data))
            elif type(event) is h11.EndOfMessage:
                break
            else:
                raise HttpError("invalid-response")
        response.body = b"".join(body.parts)
        self.reusable = (self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
                         and not self._h11.trailing_data[0])
        return response

    def _head(self) -> HttpResponse:
        for _ in range(_MAX_INTERIM):
            event = self._next()
            if type(event) is h11.Response:
                self._in_body = True
                return HttpResponse(
                    event.status_code,
                    [(name.decode("latin-1"), _text(value)) for name, value in event.headers],
                    http_version=event.http_version.decode(), reason=_text(bytes(event.reason)),
                    url=self._request.url)
            if type(event) is not h11.InformationalResponse:
                break
        raise HttpError("invalid-response")

    def _check_length(self, response: HttpResponse) -> None:
        """Refuse at once what says that it is too long."""
        length = response.header("content-length") or ""
        if (_DIGITS.match(length) and int(length) > self._request.max_body
                and self._request.method != "HEAD" and self._request.on_data is None
                and self._request.on_head is None):
            raise HttpError("content-length-limit-exceeded")

    def _sink(self, response: HttpResponse) -> Callable[[bytes], Any] | None:
        request = self._request
        chosen = request.on_head(response) if request.on_head is not None else None
        return chosen if chosen is not None else request.on_data

    def _next(self) -> Any:
        """Return h11's next event, reading as needed."""
        protocol = self._h11
        while True:
            try:
                event = protocol.next_event()
            except h11.RemoteProtocolError as error:
                raise self._broken(error) from None
            if event is h11.PAUSED or type(event) is h11.ConnectionClosed:
                raise HttpError("invalid-response", "the protocol was changed")
            if event is not h11.NEED_DATA:
                return event
            try:
                data = self._transport.recv()
            except OSError as error:
                raise HttpError("unexpected-eof" if self._in_body else "closed",
                                error.strerror or None) from None
            if data:
                self.answered = True
            elif not self._in_body:
                raise HttpError("closed")
            protocol.receive_data(data)

    def _broken(self, error: h11.RemoteProtocolError) -> HttpError:
        """Return Prosody's name for what is wrong with an answer."""
        text = str(error)
        if self._in_body:
            ended = "closed connection" in text
            return HttpError("unexpected-eof" if ended else "invalid-response", text)
        if "status line" in text:
            return HttpError("invalid-status-line")
        if error.error_status_hint == 431:
            return HttpError("response-headers-too-large")
        return HttpError("invalid-response", text)


def _wire(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
