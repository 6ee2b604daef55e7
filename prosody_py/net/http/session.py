"""One HTTP connection: requests in, answers out, one after the other.

Data and owner: the session owns the h11 state of its connection, the request that is being read
and the answer that is being made. `process` works off what has come; only one greenlet does that
at a time. While an answer is under way the next request waits in h11's buffer, and when that is
full the connection is not read.
"""

from __future__ import annotations

import logging
from typing import Any

import h11
from gevent import get_hub

from prosody_py.api.http import StatusError
from prosody_py.concurrency import workers
from prosody_py.net.http import dispatch, lua_objects
from prosody_py.net.http.codes import bodiless
from prosody_py.net.http.deadline import Deadline
from prosody_py.net.http.output import Output
from prosody_py.net.http.request import IncomingRequest, headers_of
from prosody_py.net.http.response import OutgoingResponse
from prosody_py.net.http.sending import Sending

log = logging.getLogger("http")


class HttpSession(Sending):
    """The state of one connection; `server` is the HttpServer."""

    def __init__(self, conn: Any, server: Any):
        self.conn, self.server = conn, server
        self.limits = server.limits
        self.output = Output(conn, self._emptied, self._stalls)
        self.response: OutgoingResponse | None = None
        self.closing = False  # no further request; the connection closes when all is written
        self.switched = False  # the connection belongs to another listener
        self.gone = False
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head)
        self._request: IncomingRequest | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._waiting = 0  # bytes that have come while an answer was under way
        self._processing = self._stalled = self._blocked = False
        self._idle = False  # waits for the first byte of a request
        self._reading = Deadline(self._too_slow)
        self._writing = Deadline(self._reads_nothing)
        self._reading.set(self.limits.head_time)

    # -- what the connection says ----------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Work off bytes of the peer."""
        if self.closing or self.gone:
            return
        if self._idle:
            self._idle = False
            self._reading.set(self.limits.head_time)
        self._protocol.receive_data(data)
        self._waiting += len(data)
        self.process()
        if self._waiting > self.limits.pipelined and not self.gone and not self.switched:
            self.conn.pause()

    def ended(self) -> None:
        """The connection is gone."""
        self.gone = True
        self._reading.close()
        self._writing.close()
        self.output.end()
        if self.response is not None:
            self.response.gone()
        self._request = None
        self._body.clear()

    def close_when_idle(self) -> None:
        """Take no further request."""
        self.closing = True
        self._close_if_done()

    # -- requests --------------------------------------------------------------------------

    def process(self) -> None:
        """Work off what can be worked off now; may block."""
        if self._processing:
            return
        self._processing = True
        try:
            while self._step():
                pass
        except StatusError as error:
            self._refuse(error.code, error.text)
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, str(error))
        except Exception:
            log.exception("Error while working off a request of %s", self.conn.ip())
            self.abort("internal error")
        finally:
            self._processing = False
        self._close_if_done()

    def _step(self) -> bool:
        """Work off one piece; False when there is nothing to do now."""
        self._blocked = self.output.busy
        if self.closing or self.switched or self.gone or self._blocked:
            return False
        answering = self.response is not None
        if answering and self.response.request.body_sink is None:
            return False
        protocol = self._protocol
        if protocol.our_state is h11.DONE and protocol.their_state is h11.DONE and not answering:
            protocol.start_next_cycle()
        event = protocol.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED:
            self._rest(event)
            return False
        if type(event) is h11.Request:
            self._begin(event)
        elif type(event) is h11.Data:
            self._take(event.data)
        elif type(event) is h11.EndOfMessage:
            self._complete()
        else:
            self.closing = True
        return True

    def _rest(self, event: Any) -> None:
        """Everything that has come is worked off: wait for more."""
        if event is h11.PAUSED:
            return
        self._waiting = 0
        self.conn.resume()
        if self._protocol.they_are_waiting_for_100_continue:
            self.output.write(self._protocol.send(h11.InformationalResponse(
                status_code=100, headers=[], reason=b"Continue")))
        if (self._request is None and self.response is None
                and not self._idle and not self._protocol.trailing_data[0]):
            self._idle = True
            self._reading.set(self.limits.idle_time)

    def _begin(self, event: h11.Request) -> None:
        if event.http_version not in (b"1.0", b"1.1"):
            raise StatusError(505, "HTTP/1.1 is spoken here")
        size = sum(len(name) + len(value) for name, value in event.headers)
        if size + len(event.target) > self.limits.head:
            raise StatusError(431, "The headers are too large")
        headers = headers_of(event.headers)
        if "transfer_encoding" in headers and (
                "content_length" in headers or event.http_version == b"1.0"):
            raise StatusError(400, "The length of the body is ambiguous")  # RFC 9112 section 6.1
        request = IncomingRequest(self.conn, event.method.decode("ascii"),
                                  event.target.decode("latin-1"), headers,
                                  event.http_version.decode("ascii"))
        request.ip, request.secure = self.server.forwarding.resolve(
            self.conn.ip(), self.conn.secure, headers)
        self._request, self._size = request, 0
        self._body.clear()
        if int(headers.get("content_length") or 0) > self.limits.content:
            self._reading.clear()
            request.partial, request.body = True, False
            self._answer(request)
            if request.body_sink is None:
                self.closing = True  # nobody reads the body
        self._reading.set(self.limits.body_time)

    def _take(self, data: Any) -> None:
        """Take a part of a body."""
        request = self._request
        self._size += len(data)
        if request.body_sink is not None:
            self._reading.clear()
            lua_objects.write(self.server, request.body_sink, bytes(data))
        elif self._size > self.limits.content:
            raise StatusError(413, "The body is too large")
        else:
            self._body.append(bytes(data))
        self._reading.set(self.limits.body_time + len(data) / self.limits.body_rate
                          if request.body_sink is not None else
                          self.limits.body_time + self._size / self.limits.body_rate)

    def _complete(self) -> None:
        """A request is complete: find its answer."""
        request = self._request
        self._reading.clear()
        self._request = None
        if request.partial:
            response, self.response = self.response, None
            request.partial, request.body = None, None
            if response is not None and response.finished:
                return
            self._answer(request, response)
            request.body_sink = None
        else:
            request.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._body.clear()
            self._answer(request)

    def _answer(self, request: IncomingRequest, response: OutgoingResponse | None = None) -> None:
        if response is None:
            response = OutgoingResponse(request, self)
        self.response = response
        dispatch.handle(self.server, request, response)

    def answered(self, response: OutgoingResponse) -> None:
        """An answer is finished (called by it); what follows it has its turn soon."""
        if self.response is response:
            self.response = None
        protocol = self._protocol
        if not (response.persistent and protocol.our_state is protocol.their_state is h11.DONE):
            self.closing = True
        if not self._processing and not self.gone and not self.switched:
            get_hub().loop.run_callback(workers.run, self.process)

    # -- trouble ---------------------------------------------------------------------------

    def _refuse(self, code: int, text: str | None) -> None:
        """Answer what is no proper request, and close the connection."""
        log.info("Refused a request of %s: %d %s", self.conn.ip(), code, text)
        self.closing = True
        self._request = None
        self._body.clear()
        if self.response is not None:
            response = self.response
            self.abort("an answer was under way")
            response.gone()
            return
        self.response = response = OutgoingResponse(None, self)
        dispatch.fail(self.server, None, response, StatusError(code, text))

    def abort(self, reason: str) -> None:
        """End the connection at once."""
        self.closing = True
        self.conn.destroy(reason)

    def _too_slow(self) -> None:
        """The peer has not sent in time what it should (called by the loop)."""
        if self._idle or not self.conn.secure and self.conn.tls is not None:
            self.close_when_idle()
        else:
            workers.run(self._refuse, 408, "The request took too long")

    def _stalls(self, waiting: bool) -> None:
        if waiting == self._stalled or self.gone:
            return
        self._stalled = waiting
        if waiting:
            self._writing.set(self.limits.write_time)
        else:
            self._writing.clear()

    def _reads_nothing(self) -> None:
        self.abort("the peer does not read what is sent to it")

    def _emptied(self) -> None:
        """The connection has taken everything (called by the loop)."""
        if self.closing:
            self._close_if_done()
        elif self._blocked:
            workers.run(self.process)

    def _close_if_done(self) -> None:
        if (self.closing and not self.gone and not self.switched and self.response is None
                and self.output.written):
            self._reading.clear()
            self.conn.close()

    @property
    def bodiless(self) -> bool:
        """Whether the answer that is under way has no body."""
        response = self.response
        return response is None or response.is_head_request or bodiless(int(response.status_code))
