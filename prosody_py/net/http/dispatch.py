"""From a request to its answer: the events, and what their results mean.

A handler's result: None leaves the request to others; True says that the answer is sent already,
or will be later; text or bytes are a body; a number is a status code; a mapping may have
`status_code`, `headers` and `body`; an StatusError is an error; an iterator gives a body in parts.
From Lua also a promise of one of these, or an error object.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import gevent

from prosody_py.api.http import StatusError
from prosody_py.events.bus import Event
from prosody_py.lua.driver import ScriptError
from prosody_py.net.http import lua_objects
from prosody_py.net.http.codes import reason
from prosody_py.net.http.request import IncomingRequest
from prosody_py.net.http.response import OutgoingResponse

log = logging.getLogger("http")


def handle(server, request: IncomingRequest, response: OutgoingResponse) -> None:
    """Fire the events of a request and act on the result; may block."""
    data = Event(request=request, response=response)
    try:
        answer(server, response, _fire(server, request, data))
    except (TypeError, ValueError, LookupError, AttributeError, ScriptError) as error:
        log.error("What the handlers of %r have given is no answer: %s", request, error,
                  exc_info=error)
        fail(server, request, response, StatusError(500))


def _fire(server, request: IncomingRequest, data: Event) -> Any:
    methods = ("HEAD", "GET") if request.method == "HEAD" else (request.method,)
    fire = server.events.fire_event
    for method in methods:
        result = fire(f"{method} {request.path}", data)
        if result is not None or data.response.finished:
            return result
    host = server.host_of(request)
    if host is None:
        if request.host is None:
            return StatusError(400, "Missing or invalid 'Host' header")
        return StatusError(404, f"Unknown host: {request.host}")
    for method in methods:
        result = fire(f"{method} {host}{request.path}", data)
        if result is not None or data.response.finished:
            return result
    if request.partial and request.body_sink is None:
        return StatusError(413, "The body is too large")
    return None


def answer(server, response: OutgoingResponse, result: Any) -> None:
    """Make an answer of a handler's result."""
    if type(result) is tuple:
        result = result[0] if result else None
    if response.finished or result is True:
        return
    if result is None:
        fail(server, response.request, response, StatusError(404))
    elif isinstance(result, StatusError):
        fail(server, response.request, response, result)
    elif result is False or isinstance(result, (str, bytes, bytearray)):
        response.give(result or b"")
    elif isinstance(result, (int, float)):
        _status(server, response, int(result))
    elif lua_objects.belongs(result):
        _answer_lua(server, response, result)
    elif isinstance(result, Mapping):
        _apply(response, result)
    elif isinstance(result, Iterator):
        response.send_parts(result, getattr(result, "close", None))
    else:
        log.error("A handler of %r has returned a %s", response.request, type(result).__name__)
        fail(server, response.request, response, StatusError(500))


def _status(server, response: OutgoingResponse, code: int) -> None:
    if code >= 400:
        fail(server, response.request, response, StatusError(code))
    else:
        response.status_code = code
        response.give(b"")


def _apply(response: OutgoingResponse, result: Any) -> None:
    code = result.get("status_code")
    if code is not None:
        response.status_code = int(code)
    headers = result.get("headers")
    if headers is not None:
        for name, value in headers.items():
            response.headers[str(name).lower().replace("-", "_")] = value
    body = result.get("body")
    response.give(b"" if body is None else body)


def _answer_lua(server, response: OutgoingResponse, result: Any) -> None:
    kind, value = lua_objects.kind(server, result)
    if kind == "promise":
        gevent.spawn(_keep_promise, server, response, result)
    elif kind == "error":
        fail(server, response.request, response, value)
    else:
        _apply(response, result)


def _keep_promise(server, response: OutgoingResponse, promise: Any) -> None:
    """Wait for a promise and answer with what it becomes."""
    try:
        rejected, value = lua_objects.settle(server, promise)
        if rejected and (isinstance(value, str) or value is None):
            value = StatusError(500, private=value)
            log.error("A promise for %r was rejected: %s", response.request, value.private)
        answer(server, response, value)
    except Exception as error:
        log.error("Error in the answer to %r: %s", response.request, error, exc_info=error)
        if not response.finished:
            fail(server, response.request, response, StatusError(500))


def fail(server, request: IncomingRequest | None, response: OutgoingResponse,
         error: StatusError) -> None:
    """Answer with an error; handlers of the event http-error make the page."""
    if response.finished:
        return
    if response.headers_sent:
        response.break_off()
        return
    response.status_code = error.code
    event = Event(code=error.code, request=request, response=response, message=error.text,
                  private_message=error.private, error=error.cause)
    page = server.events.fire_event("http-error", event)
    if not isinstance(page, (str, bytes)):
        page = f"{error.code} {reason(error.code)}\n"
        response.headers["content_type"] = "text/plain; charset=utf-8"
    response.give(page)
