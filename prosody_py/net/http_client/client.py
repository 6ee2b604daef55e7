"""The HTTP client of a server: limits, connections that are used again, redirects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gevent
from OpenSSL import SSL

from prosody_py import __version__
from prosody_py.api.outgoing import DnsError, HttpError
from prosody_py.concurrency.timer import Timer
from prosody_py.net import client_context
from prosody_py.net.http_client import url as urls
from prosody_py.net.http_client.dial import connect
from prosody_py.net.http_client.exchange import Exchange, Request
from prosody_py.net.http_client.options import HttpClientOptions
from prosody_py.net.http_client.response import HttpResponse
from prosody_py.net.http_client.slots import Slots
from prosody_py.net.http_client.transport import TlsTransport, Transport
from prosody_py.net.http_client.url import Origin, Url

_KEEP = 10.0  # seconds that an idle connection is kept
_IDLE, _IDLE_EACH = 32, 4
_CONTEXTS = 16
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
# What may be asked twice (RFC 9110 section 9.2.2), and so on a connection that may be gone.
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
_SECRETS = frozenset(("authorization", "cookie", "proxy-authorization"))

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


class HttpClient:
    """Asks web servers; one for the whole server.

    `resolver` finds addresses (prosody_py.net.dns.Resolver); paths in `ssl` options are relative
    to `directory`.
    """

    def __init__(self, resolver, options: HttpClientOptions | None = None, directory: str = "."):
        self._resolver = resolver
        self._idle: dict[tuple, list[tuple[Transport, Timer]]] = {}
        self._contexts: dict[tuple, SSL.Context] = {}
        self._directory = directory
        self._slots = Slots(1, 1)
        self.configure(options or HttpClientOptions())

    def configure(self, options: HttpClientOptions) -> None:
        """Take options, also other ones later: they count for requests from then on."""
        self.options = options
        self._slots.total = options.http_client_max_connections
        self._slots.each = options.http_client_max_connections_per_server
        self._contexts.clear()
        self.close_idle()

    # -- requests --------------------------------------------------------------------------

    def request(self, url: str, *, method: str | None = None, headers: Headers | None = None,
                body: bytes | str | None = None, timeout: float | None = None,
                silence: float | None = None, max_body: int | None = None, redirects: int = 0,
                verify: bool = True, ssl: Mapping[str, Any] | SSL.Context | None = None,
                on_head: Callable[[HttpResponse], Any] | None = None,
                on_data: Callable[[bytes], Any] | None = None) -> HttpResponse:
        """Return the answer of a web server, whatever its status; waits.

        `method` is GET, or POST with a `body`. `timeout` is the seconds for everything together
        (no limit), `silence` those between two signs of life (`http_client_timeout`), `max_body`
        the bytes that are taken (`http_client_max_body`), `redirects` how many are followed. With
        `verify` false the certificate may be anybody's; `ssl` are options such as
        {"cafile": path}, or a context. `on_data(data)` gets the body piece by piece;
        `on_head(response)` may choose such a function when the answer begins.
        Raises HttpError; never for a status.
        """
        parsed = urls.parse(url)
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        request = Request(
            (method or ("GET" if body is None else "POST")).upper(), "", _pairs(headers), data,
            self.options.http_client_max_body if max_body is None else max_body,
            on_head=on_head, on_data=on_data)
        late = HttpError("timeout")
        with gevent.Timeout(timeout, late):
            while True:
                response = self._once(parsed, request, silence, verify, ssl)
                location = response.header("location")
                if redirects <= 0 or response.status not in _REDIRECTS or not location:
                    return response
                redirects -= 1
                parsed = _redirected(parsed, request, response.status, location)

    def _once(self, url: Url, request: Request, silence: float | None, verify: bool,
              ssl: Any) -> HttpResponse:
        """Ask one origin once, in its turn."""
        request.target, request.url = url.target, url.text
        full = Request(**{**vars(request), "headers": _complete(url, request)})
        seconds = self.options.http_client_timeout if silence is None else silence
        key = (url.origin, verify, _frozen(ssl))
        self._slots.acquire(url.origin, seconds)
        try:
            return self._exchange(key, full, seconds, verify, ssl)
        finally:
            self._slots.release(url.origin)

    def _exchange(self, key: tuple, request: Request, seconds: float, verify: bool,
                  ssl: Any) -> HttpResponse:
        if request.method in _IDEMPOTENT:
            transport = self._take_idle(key)
            if transport is not None:
                exchange = Exchange(transport, request)
                try:
                    return self._run(key, transport, exchange, seconds)
                except HttpError as error:
                    # It was closed while it was idle, which could not be seen yet.
                    if exchange.answered or error.code != "closed":
                        raise
        transport = self._connect(key[0], seconds, verify, ssl)
        return self._run(key, transport, Exchange(transport, request), seconds)

    def _run(self, key: tuple, transport: Transport, exchange: Exchange,
             seconds: float) -> HttpResponse:
        transport.seconds = seconds
        reusable = False
        try:
            response = exchange.run()
            reusable = exchange.reusable
            return response
        finally:
            if reusable:
                self._keep(key, transport)
            else:
                transport.close()

    # -- connections -----------------------------------------------------------------------

    def _connect(self, origin: Origin, silence: float, verify: bool, ssl: Any) -> Transport:
        seconds = self.options.http_client_connect_timeout
        deadline = time.monotonic() + seconds
        context = self._context(verify, ssl) if origin.is_tls else None
        try:
            with gevent.Timeout(seconds, HttpError("connection timeout")):
                addresses = self._resolver.addresses(origin.host)
        except DnsError as error:
            raise HttpError("unable to resolve service", str(error)) from None
        sock = connect(addresses, origin.port, max(0.001, deadline - time.monotonic()))
        if context is None:
            return Transport(sock, silence)
        transport = None
        try:
            transport = TlsTransport(sock, context, origin.host, verify, silence)
            transport.secure(max(0.001, deadline - time.monotonic()))
        except BaseException:  # also when the greenlet is ended
            (transport or sock).close()
            raise
        return transport

    def _context(self, verify: bool, ssl: Any) -> SSL.Context:
        if isinstance(ssl, SSL.Context):
            return ssl
        options = {**self.options.client_https_ssl, **(ssl or {})}
        options = {name: value for name, value in options.items() if value not in (None, "")}
        key = (verify, _frozen(options))
        context = self._contexts.get(key)
        if context is None:
            options.update(mode="client", verify="peer" if verify else "none", alpn=["http/1.1"])
            options.pop("verifyext", None)
            try:
                context = client_context.build(options, self._directory)
            except ValueError as error:
                raise HttpError("invalid-ssl-options", str(error)) from None
            if len(self._contexts) >= _CONTEXTS:
                self._contexts.pop(next(iter(self._contexts)))
            self._contexts[key] = context
        return context

    def _take_idle(self, key: tuple) -> Transport | None:
        while self._idle.get(key):
            transport, timer = self._idle[key].pop()
            timer.stop()
            if not self._idle[key]:
                del self._idle[key]
            if transport.is_quiet():
                return transport
            transport.close()
        return None

    def _keep(self, key: tuple, transport: Transport) -> None:
        kept = self._idle.get(key, [])
        if len(kept) >= _IDLE_EACH or sum(map(len, self._idle.values())) >= _IDLE:
            transport.close()
            return
        entry = (transport, Timer(_KEEP, lambda _now: self._drop(key, entry)))
        self._idle.setdefault(key, []).append(entry)

    def _drop(self, key: tuple, entry: tuple[Transport, Timer]) -> None:
        kept = self._idle.get(key, [])
        if entry in kept:
            kept.remove(entry)
            if not kept:
                del self._idle[key]
            entry[0].close()

    def close_idle(self) -> None:
        """Close the connections that nobody uses."""
        for kept in self._idle.values():
            for transport, timer in kept:
                timer.stop()
                transport.close()
        self._idle.clear()


def _pairs(headers: Headers | None) -> list[tuple[str, str]]:
    items = headers.items() if isinstance(headers, Mapping) else headers or ()
    return [(str(name), str(value)) for name, value in items]


def _complete(url: Url, request: Request) -> list[tuple[str, str]]:
    """Return the headers with those that every request has; given ones count."""
    given = {name.lower() for name, _value in request.headers}
    headers = list(request.headers)
    if "host" not in given:
        headers.insert(0, ("Host", url.authority))
    if "user-agent" not in given:
        headers.append(("User-Agent", f"prosody-py/{__version__}"))
    if url.credentials is not None and "authorization" not in given:
        headers.append(("Authorization", "Basic " + url.credentials))
    if "transfer-encoding" in given:
        raise HttpError("invalid-header", "transfer-encoding is the client's to choose")
    # A length that is not that of the body would put the connection out of step.
    headers = [pair for pair in headers if pair[0].lower() != "content-length"]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(request.body))))
    return headers


def _redirected(url: Url, request: Request, status: int, location: str) -> Url:
    """Return where to go on, and make the request the one for that (RFC 9110 section 15.4)."""
    found = urls.follow(url, location)
    if status == 303 and request.method != "HEAD" or status in (301, 302) \
            and request.method == "POST":
        request.method, request.body = "GET", b""
        request.headers = [pair for pair in request.headers
                           if not pair[0].lower().startswith("content-")]
    if found.origin != url.origin:
        request.headers = [pair for pair in request.headers
                           if pair[0].lower() not in _SECRETS and pair[0].lower() != "host"]
    return found


def _frozen(ssl: Any) -> Any:
    """Return options as something that can be compared and hashed; a context is itself."""
    if not isinstance(ssl, Mapping):
        return ssl
    return tuple(sorted((name, repr(value)) for name, value in ssl.items()))
