"""What goes over the admin socket: one JSON object a line, in UTF-8, both ways.

The socket is a UNIX stream socket that only its owner may open; beyond that the server asks the
kernel who is at the other end (SO_PEERCRED) and accepts its own user and root. The client asks,
with an `id` of its choice; the server answers each question with that `id`, in order.

    {"id": 1, "words": ["user", "create", "alice@example.com", "secret"]}
                                        run a command
    {"id": 2, "describe": true}         which commands are there?
    {"id": 3, "values": "host"}         what may stand for an argument of this type?

Answers; a command may first send any number of lines of progress:

    {"id": 1, "line": "..."}            progress, more follows
    {"id": 1, "ok": true, "text": "..."}
    {"id": 1, "ok": true, "columns": ["host", "type"], "rows": [["localhost", "local"]]}
    {"id": 2, "ok": true, "commands": [{"words": ["host", "list"], "help": "...",
                                        "args": [{"name": "host", "type": "host",
                                                  "optional": true}]}]}
                                        (an argument may have "choices", a command "flags")
    {"id": 3, "ok": true, "values": ["localhost"]}
    {"id": 1, "ok": false, "error": "..."}

A line is at most MAX_LINE bytes. What is no such line ends the connection, after an answer that
says why, with `id` null.
"""

from __future__ import annotations

import json
from typing import Any

MAX_LINE = 64 * 1024
"""Longest question in bytes; answers may be longer."""


class ProtocolError(ValueError):
    """A line is not what the protocol allows; the text says why."""


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message, ensure_ascii=False, default=str).encode(
        "utf-8", "replace") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return the message in a line; raises ProtocolError."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError("this is not JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("a message is a JSON object")
    return message


def words_of(message: dict[str, Any]) -> list[str]:
    """Return the words of a command; raises ProtocolError."""
    words = message.get("words")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ProtocolError("words is a list of texts")
    return words
