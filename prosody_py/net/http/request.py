"""A request, as modules see it in both languages."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from prosody_py.api.http import StatusError
from prosody_py.lua.values import decode

log = logging.getLogger("http")
_SLASHES = re.compile("/{2,}")
_TARGET = re.compile(r"[!-\"$-~\x80-\xff]+").fullmatch  # visible, and no fragment
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@?#\s]+)(?::(\d*))?").fullmatch
_ONCE = frozenset(("host", "content_length", "content_type", "authorization"))


class Url:
    """The parts of a request's target: `path` as it was written, and `query` or None."""

    __slots__ = ("path", "query")

    def __init__(self, path: str, query: str | None = None):
        self.path, self.query = path, query


class IncomingRequest:
    """A request.

    `method`; `path`, which is decoded and has no doubled slashes; `url` (`path`, `query`) as it
    was sent; `headers`, a dict whose keys are in small letters with `_` for `-`; `body` as bytes;
    `ip` and `secure` of the client, proxies taken into account; `conn`; `host`, the name asked
    for without its port; `httpversion`; `id`, a text for logs. What a module adds is kept.

    A body that is larger than `http_max_content_size` has not been read when the handlers run:
    `partial` is true and `body` False. A handler that wants it sets `body_sink` to an object with
    `write(data)` and returns True; it runs again when everything is written, with `body` None.
    """

    body: Any = None
    body_sink: Any = None
    partial: bool | None = None
    path = host = ip = None
    secure = False
    log = log
    destroyed = False  # the answer is finished

    def __init__(self, conn: Any, method: str, target: str, headers: dict[str, str],
                 httpversion: str):
        self.conn = conn
        self.method = method
        self.headers = headers
        self.httpversion = httpversion
        self.id = secrets.token_urlsafe(9)
        authority, self.url = _split(method, target)
        self.path = _decoded(self.url.path)
        self.authority = authority if authority is not None else headers.get("host")
        self.host = _host(self.authority)
        if self.authority and self.host is None:
            raise StatusError(400, "This is no name of a host")

    def __repr__(self) -> str:
        return f"<{self.method} {self.url.path} {self.id}>"


def headers_of(items: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of a request as modules see them; raises StatusError.

    What comes more than once is joined by commas. Names with `_` are left out: modules could not
    tell them from the real ones with `-`, which a proxy vouches for.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in items:
        if b"_" in raw_name:
            continue
        name, value = raw_name.decode("ascii").replace("-", "_"), decode(raw_value)
        if name not in headers:
            headers[name] = value
        elif name in _ONCE:
            raise StatusError(400, f"There are several headers {raw_name.decode()}")
        else:
            headers[name] += ("; " if name == "cookie" else ",") + value
    return headers


def _split(method: str, target: str) -> tuple[str | None, Url]:
    """Return the authority that the target names, and path and query (RFC 9112 section 3.2)."""
    if not _TARGET(target):
        raise StatusError(400, "This is no target of a request")
    authority = None
    if target.lower().startswith(("http://", "https://")):
        authority, slash, rest = target.partition("://")[2].partition("/")
        if "?" in authority:
            authority, _mark, query = authority.partition("?")
            return authority, Url("/", query)
        target = slash + rest or "/"
    elif not target.startswith("/") and not (target == "*" and method == "OPTIONS"):
        raise StatusError(400, "This is no target of a request")
    path, mark, query = target.partition("?")
    return authority, Url(path, query if mark else None)


def _decoded(path: str) -> str:
    """Return a path decoded; raises StatusError for characters that no path should have."""
    text = _SLASHES.sub("/", decode(unquote_to_bytes(path.encode("latin-1"))))
    if any(char < " " or char == "\x7f" for char in text):
        raise StatusError(400, "There are control characters in the path")
    return text


def _host(authority: str | None) -> str | None:
    """Return the host of an authority in small letters, None when there is none to be had."""
    found = _HOST(authority) if authority else None
    return found[1].lower() if found else None
