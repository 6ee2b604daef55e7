"""The answer to an HTTP request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any


@dataclass
class HttpResponse:
    """An answer, whatever its status.

    `headers` has names in lower case in the order of arrival, values as they came; `url` is the one
    that answered, after redirects; `http_version` "1.0" or "1.1". `body` is empty where the data
    was given to `on_data`.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    http_version: str = "1.1"
    reason: str = ""
    url: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str, default: str | None = None) -> str | None:
        """Return a header's value, those of repeated ones joined by commas."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ",".join(values) if values else default

    def text(self) -> str:
        """Return the body as text, by the charset of its content-type or UTF-8."""
        message = Message()
        message["content-type"] = self.header("content-type", "text/plain") or "text/plain"
        charset = message.get_content_charset("utf-8")
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body parsed as JSON; raises ValueError."""
        return json.loads(self.body)
