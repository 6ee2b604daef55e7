"""What one peer may take of the server: bytes and seconds."""

from __future__ import annotations

from dataclasses import dataclass

_KIB = 1024


@dataclass(frozen=True)
class Limits:
    """Limits of an HTTP connection.

    `head` bytes of request line and headers, `content` bytes of a body that is kept in memory,
    `pipelined` bytes that may come while a request is being answered; after that the connection
    is not read. `head_time`, `idle_time` and `write_time` are seconds: for a head (with the TLS
    handshake before it), between requests, and for 256 KiB of output. A body may take `body_time`
    seconds and one more for every `body_rate` bytes.
    """

    head: int = 16 * _KIB
    content: int = 10 * 1024 * _KIB
    pipelined: int = 64 * _KIB
    head_time: float = 20
    idle_time: float = 60
    body_time: float = 60
    body_rate: int = _KIB
    write_time: float = 60
