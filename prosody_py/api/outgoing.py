"""The part of the module API that asks others: HTTP requests, DNS lookups, mail.

The services themselves are `server.http_client`, `server.dns` and `server.mail`, put there when the
server is put together (prosody_py.net.http_client, prosody_py.net.dns). What a module asks through
`module.http` and `module.dns` ends with the module: it waits for nothing after its unload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import gevent.event

from prosody_py.api.registrations import Undo


class HttpError(Exception):
    """An HTTP request got no answer, or no whole one.

    `code` is a short name, Prosody's where it has one: "invalid-url", "unable to resolve service",
    "connection refused", "connection timeout", "read timeout", "closed", "unexpected-eof",
    "certificate-chain-invalid", "certificate-verify-failed", "content-length-limit-exceeded",
    "cancelled" ... A 4xx or 5xx answer is no error of this kind.
    """

    def __init__(self, code: str, text: str | None = None):
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class DnsError(Exception):
    """A name could not be looked up: nobody answered, or nobody would say.

    `code` is "timeout", "bad-name", "bad-type", "refused", "cancelled" or the name of a response
    code such as "ServFail". That there is no such name or record is an answer, not an error.
    """

    def __init__(self, code: str, text: str | None = None):
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class MailError(Exception):
    """A mail was not taken by the mail server."""


class Job:
    """Work in a greenlet of its own that is given up when its module goes out of service.

    `finished` is called at the end with the result and the error, one of them None; never once the
    job was cancelled or its module is gone. `cancelled` is called instead when the module goes.
    """

    def __init__(self, module: Any, work: Callable[[], Any],
                 finished: Callable[[Any, Exception | None], Any],
                 cancelled: Callable[[], Any] = lambda: None):
        self._work, self._finished = work, finished
        self._registrations = None if module is None else module.owner.registrations
        self._entry = Undo(lambda: None, self._gone)
        self._cancelled = cancelled
        self.active = True
        self._greenlet = gevent.spawn(self._run)
        if self._registrations is not None:
            self._registrations.add(self._entry)  # if the module is gone, that ends the job

    def _run(self) -> None:
        result = error = None
        try:
            result = self._work()
        except Exception as raised:
            error = raised
        if not self.active:
            return
        finished = self._finished
        self._end()
        registrations = self._registrations
        if registrations is not None:
            if self._entry not in registrations.entries:  # its module has failed to load
                return
            registrations.forget(self._entry)
        finished(result, error)

    def _end(self) -> None:
        self.active = False
        # Lua may hold the job, and these functions something of Lua's.
        self._work = self._finished = self._cancelled = None

    def _gone(self) -> None:
        if self.active:
            cancelled = self._cancelled
            self._stop()
            cancelled()

    def _stop(self) -> None:
        self._end()
        # Asked for by the work itself, it must not end the greenlet that asks.
        if self._greenlet is not gevent.getcurrent():
            self._greenlet.kill(block=False)

    def cancel(self) -> bool:
        """Give the job up; return whether it was still under way. Never blocks."""
        if not self.active:
            return False
        self._stop()
        if self._registrations is not None:
            self._registrations.forget(self._entry)
        return True


def _wait(module: Any, work: Callable[[], Any], gone: Exception) -> Any:
    """Do `work` as a job of `module` and wait for it; raise `gone` when the module goes."""
    waiting = gevent.event.AsyncResult()

    def finished(result: Any, error: Exception | None) -> None:
        if error is None:
            waiting.set(result)
        else:
            waiting.set_exception(error)

    job = Job(module, work, finished, lambda: waiting.set_exception(gone))
    try:
        return waiting.get()
    finally:
        job.cancel()


class ModuleHttp:
    """`module.http`: the server's HTTP client, for one module."""

    def __init__(self, module):
        self._module = module

    def request(self, url: str, **options: Any) -> Any:
        """Ask for `url` and wait; see `prosody_py.net.http_client.HttpClient.request`.

        Returns an HttpResponse with `status`, `headers`, `body`, `text()`, `json()`, whatever the
        status is. Raises HttpError; with the code "cancelled" when the module is unloaded
        meanwhile.
        """
        client = self._module.server.http_client
        return _wait(self._module, lambda: client.request(url, **options), HttpError("cancelled"))


class ModuleDns:
    """`module.dns`: the server's resolver, for one module."""

    def __init__(self, module):
        self._module = module

    def lookup(self, name: str, type: str = "A") -> Any:
        """Look up the records of `name` and wait; see `prosody_py.net.dns.Resolver.lookup`.

        Raises DnsError; with the code "cancelled" when the module is unloaded meanwhile.
        """
        resolver = self._module.server.dns
        return _wait(self._module, lambda: resolver.lookup(name, type), DnsError("cancelled"))


class Outgoing:
    """`module.http` and `module.dns`; mixed into Module."""

    @property
    def http(self) -> ModuleHttp:
        """The HTTP client: `module.http.request(url, method=..., headers=..., body=...)`."""
        return ModuleHttp(self)

    @property
    def dns(self) -> ModuleDns:
        """The resolver: `module.dns.lookup(name, "SRV")` gives records."""
        return ModuleDns(self)
