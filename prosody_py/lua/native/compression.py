"""Streams of zlib, a chunk at a time (RFC 1950 to 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

MAX_OUTPUT = 16 * 1024 * 1024
"""What one chunk may grow to: a few bytes can stand for gigabytes."""

_FLUSH = {b"none": None, b"sync": zlib.Z_SYNC_FLUSH, b"full": zlib.Z_FULL_FLUSH,
          b"finish": zlib.Z_FINISH}


class _Inflate:
    def __init__(self, window: int):
        self.stream = zlib.decompressobj(window)
        self.bytes_in = self.bytes_out = 0


class _Deflate:
    def __init__(self, level: int, window: int):
        self.stream = zlib.compressobj(level, zlib.DEFLATED, window)
        self.bytes_in = self.bytes_out = 0


def deflate_new(level: int, window: int) -> Any:
    """Return a compressor; level -1 to 9, window bits as zlib takes them. (None, reason) else."""
    try:
        return _Deflate(int(level), int(window))
    except ValueError:
        return None, b"invalid argument"


def inflate_new(window: int) -> Any:
    """Return a decompressor; window bits as zlib takes them."""
    try:
        return _Inflate(int(window))
    except ValueError:
        return None, b"invalid argument"


def deflate(state: _Deflate, data: bytes, flush: bytes) -> tuple[Any, ...]:
    """Return what is compressed so far, whether that is the end, bytes in and bytes out."""
    mode = _FLUSH.get(flush, zlib.Z_SYNC_FLUSH)
    try:
        out = state.stream.compress(data) if data else b""
        if mode is not None:
            out += state.stream.flush(mode)
    except zlib.error as error:
        return None, str(error).encode()
    state.bytes_in += len(data)
    state.bytes_out += len(out)
    return out, flush == b"finish", state.bytes_in, state.bytes_out


def inflate(state: _Inflate, data: bytes) -> tuple[Any, ...]:
    """Return what `data` adds, whether the stream has ended, bytes in and bytes out."""
    stream = state.stream
    try:
        out = stream.decompress(data, MAX_OUTPUT)
    except zlib.error as error:
        return None, str(error).encode()
    if stream.unconsumed_tail:
        return None, b"the data grows too large"
    state.bytes_in += len(data) - len(stream.unused_data)
    state.bytes_out += len(out)
    return out, stream.eof, state.bytes_in, state.bytes_out


def functions() -> dict[str, Callable]:
    """Return the functions on streams, and the two checksums."""
    return {"deflate_new": deflate_new, "inflate_new": inflate_new, "deflate": deflate,
            "inflate": inflate, "adler32": zlib.adler32, "crc32": zlib.crc32}
