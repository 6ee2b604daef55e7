"""The URL of a request, taken apart and checked."""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from prosody_py.api.outgoing import HttpError
from prosody_py.net.tls.identity import ascii_host

_PORTS = {"http": 80, "https": 443}
_MAX_URL = 64 * 1024


class Origin(NamedTuple):
    """Whom a request goes to; `host` is ASCII and lower case, or an address without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        """Whether TLS is spoken there."""
        return self.scheme == "https"


class Url(NamedTuple):
    """An HTTP URL.

    `target` is path and query as they are sent, `authority` the value of the header Host,
    `credentials` user and password as `Basic` wants them, None when the URL has none.
    """

    origin: Origin
    target: str
    authority: str
    credentials: str | None
    text: str


def parse(text: str) -> Url:
    """Return the parts of an absolute http or https URL; raises HttpError("invalid-url")."""
    try:
        if len(text) > _MAX_URL or any(ord(char) <= 32 or ord(char) == 127 for char in text):
            raise ValueError
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise HttpError("invalid-url") from None
    scheme = parts.scheme.lower()
    host = ascii_host(parts.hostname or "")
    if scheme not in _PORTS or not host or port == 0:
        raise HttpError("invalid-url")
    origin = Origin(scheme, host, port or _PORTS[scheme])
    shown = f"[{host}]" if ":" in host else host
    authority = shown if origin.port == _PORTS[scheme] else f"{shown}:{origin.port}"
    target = quote(_bytes(parts.path or "/"), "/%:@!$&'()*+,;=~-._[]|^\"`{}<>\\")
    if parts.query or "?" in text.partition("#")[0]:
        target += "?" + quote(_bytes(parts.query), "/%:@!$&'()*+,;=?~-._[]|^\"`{}<>\\")
    credentials = None
    if parts.username is not None:
        pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
        credentials = base64.b64encode(pair).decode()
    return Url(origin, target, authority, credentials, text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def follow(url: Url, location: str) -> Url:
    """Return where a redirect leads; raises HttpError for what must not be followed."""
    found = parse(urljoin(url.text, location))
    if url.origin.is_tls and not found.origin.is_tls:
        raise HttpError("insecure-redirect", f"{url.origin.host} sends from https to http")
    return found
