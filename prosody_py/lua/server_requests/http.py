"""Requests: the HTTP client and the sending of mail (net.http, socket.http, socket.smtp)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from prosody_py.api.outgoing import HttpError, Job, MailError
from prosody_py.lua.tls_contexts import LuaTlsContext
from prosody_py.lua.values import encode

log = logging.getLogger("http")


def _headers(border, raw: Any) -> dict[str, str]:
    """Return the headers in a Lua table of names and values."""
    found = border.copy_to_python(raw)
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _ssl(border, raw: Any) -> Any:
    """Return a context, or the options in a Lua table; None for nothing.

    Options are not made a context here: the client keeps those that it has made.
    """
    value = border.to_python(raw)
    if isinstance(value, LuaTlsContext):
        return value.context
    options = border.copy_to_python(raw)
    return options if isinstance(options, dict) and options else None


def _options(border, raw: Any, raw_ssl: Any) -> dict[str, Any]:
    """Return the client's options; `raw` has insecure, silence, max_body, redirects."""
    given = border.copy_to_python(raw)
    given = given if isinstance(given, dict) else {}
    options: dict[str, Any] = {"verify": not given.get("insecure"), "ssl": _ssl(border, raw_ssl)}
    for name, kind in (("silence", float), ("max_body", int), ("redirects", int)):
        value = given.get(name)
        if isinstance(value, int | float):
            options[name] = kind(value)
    return options


def _joined(border, response: Any) -> Any:
    """Return the headers of an answer as a Lua table, those of one name joined by commas."""
    headers: dict[str, str] = {}
    for name, value in response.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return border.copy_to_lua(headers)


def _head(border, response: Any) -> tuple:
    return (response.status, encode(response.http_version), _joined(border, response),
            encode(response.reason))


def http_start(border, server, raw_url: bytes, raw_method: Any, body: Any, raw_headers: Any,
               raw_options: Any, raw_ssl: Any, raw_done: Any, raw_on_head: Any = None,
               raw_module: Any = None) -> Any:
    """Begin a request; return its job.

    Calls done(nil, status, version, headers, reason, body) or done(code, text) later; before that
    on_head(status, version, headers, reason), which may return a function for the data.
    """
    done, on_head = border.to_python(raw_done), border.to_python(raw_on_head)
    url, method = border.to_python(raw_url), border.to_python(raw_method)
    options = _options(border, raw_options, raw_ssl)
    if on_head is not None:
        options["on_head"] = lambda response: on_head(*_head(border, response))
    options |= {"method": method, "headers": _headers(border, raw_headers), "body": body}

    def finished(response: Any, error: Exception | None) -> None:
        if error is None:
            done(None, *_head(border, response), response.body)
        elif isinstance(error, HttpError):
            done(error.code, error.text)
        else:
            log.error("Error in a request: %s", getattr(error, "lua_traceback", None) or error)
            done("internal-error", str(error))

    return border.to_lua(Job(border.to_python(raw_module),
                             lambda: server.http_client.request(url, **options), finished))


def job_cancel(border, _server, raw_job: Any) -> bool:
    """Give a request or a lookup up; its callback is not called any more."""
    return border.to_python(raw_job).cancel()


def http_request(border, server, raw_url: bytes, raw_method: Any, body: Any, raw_headers: Any,
                 raw_options: Any, raw_ssl: Any) -> Any:
    """Return status, version, headers, reason and body of an answer; nil, code and text."""
    options = _options(border, raw_options, raw_ssl)
    try:
        response = server.http_client.request(
            border.to_python(raw_url), method=border.to_python(raw_method), body=body,
            headers=_headers(border, raw_headers), **options)
    except HttpError as error:
        return None, encode(error.code), encode(error.text or "")
    return *_head(border, response), response.body


def mail_send(border, server, raw_sender: Any, raw_recipients: Any, message: bytes,
              raw_options: Any) -> Any:
    """Hand a message to a mail server: true, or nil and why not."""
    options = border.copy_to_python(raw_options)
    recipients = border.copy_to_python(raw_recipients)
    try:
        server.mail.send(str(border.to_python(raw_sender)), list(map(str, recipients or ())),
                         message, **(options if isinstance(options, dict) else {}))
    except MailError as error:
        return None, encode(str(error))
    return True


PLAIN: dict[str, Callable[..., Any]] = {"http_start": http_start, "job_cancel": job_cancel}
REQUESTS: dict[str, Callable[..., Any]] = {"http_request": http_request, "mail_send": mail_send}
