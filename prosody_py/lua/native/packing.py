"""Numbers as bytes, by the formats of Lua's struct library.

Format letters: < > = ! (order, alignment), b B h H l L T i I (integers; i and I may have a size),
f d (floats), s (ends with a zero), c (as many bytes as said, c0: as the number before), x (a
byte of padding) and space.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

from prosody_py.lua.values import integer

MAX_FORMAT = 4096
_SIZES = {"b": 1, "h": 2, "l": struct.calcsize("l"), "i": struct.calcsize("i"),
          "t": struct.calcsize("N"), "f": 4, "d": 8}
_TOKEN = re.compile(rb"\s*(?:([<>=])|(!)([0-9]*)|([bBhHlLTfdsx])|([iIc])([0-9]*))")


class _Bad(ValueError):
    """The format or a value is wrong; the text says how."""


def _items(form: bytes) -> Iterator[tuple[str, int, str, int]]:
    """Give (letter, size, byte order, alignment) for each part of a format."""
    if len(form) > MAX_FORMAT:
        raise _Bad("format is too long")
    order, align, at = sys.byteorder, 1, 0
    form = form.rstrip()
    while at < len(form):
        match = _TOKEN.match(form, at)
        if match is None:
            raise _Bad(f"invalid format option '{chr(form[at])}'")
        at = match.end()
        sign, bang, width, letter, sized, count = match.groups()
        if sign:
            order = {b"<": "little", b">": "big"}.get(sign, sys.byteorder)
        elif bang:
            align = int(width[:3] or 8)
            if align & (align - 1) or not align:
                raise _Bad("alignment is not a power of 2")
        else:
            name = (letter or sized).decode()
            yield name, _size(name, count), order, align


def _size(name: str, count: bytes | None) -> int:
    if name == "c":
        return min(int(count[:10]), 1 << 31) if count else 1
    if name in "iI" and count:
        if not 1 <= int(count[:4]) <= 32:
            raise _Bad(f"integral size {count.decode()[:4]} is larger than limit of 32")
        return int(count)
    return 1 if name == "x" else _SIZES.get(name.lower(), 0)


def _gap(at: int, name: str, size: int, align: int) -> int:
    return 0 if name in "csx" or not size else -at % min(size, align)


def _pack_number(name: str, size: int, order: str, value: Any) -> bytes:
    if name in "fd":
        try:
            return struct.pack(("<" if order == "little" else ">") + ("f" if name == "f" else "d"),
                               value)
        except OverflowError:
            return struct.pack("<f" if order == "little" else ">f",
                               float("inf") if value > 0 else float("-inf"))
    if isinstance(value, float) and not math.isfinite(value):
        value = 0
    return (int(value) & ((1 << size * 8) - 1)).to_bytes(size, order)


def pack(form: bytes, *values: Any) -> bytes | tuple[None, bytes, int]:
    """Return the values as bytes; (None, reason, number of the value) where one does not fit."""
    out, left = bytearray(), list(values)
    try:
        for name, size, order, align in _items(form):
            out += b"\0" * _gap(len(out), name, size, align)
            if name == "x":
                out.append(0)
                continue
            if not left:
                raise _Bad(f"{'string' if name in 'sc' else 'number'} expected, got nil")
            value = left.pop(0)
            if name in "sc":
                value = b"%d" % value if type(value) is int else value
                if type(value) is not bytes:
                    raise _Bad(f"string expected, got {_lua_type(value)}")
                if len(value) < size:
                    raise _Bad("string too short")
                out += value + b"\0" if name == "s" else value[:size] if size else value
            elif type(value) in (int, float):
                out += _pack_number(name, size, order, value)
            else:
                raise _Bad(f"number expected, got {_lua_type(value)}")
    except _Bad as error:
        return None, str(error).encode(), len(values) - len(left) + (0 if left else 1)
    return bytes(out)


def _lua_type(value: Any) -> str:
    return {type(None): "nil", bool: "boolean", bytes: "string"}.get(type(value), "table")


def unpack(form: bytes, data: bytes, position: int = 1) -> tuple[Any, ...]:
    """Return the values found and the position behind them; (None, reason) for too little data."""
    found: list[Any] = []
    at = int(position) - 1
    try:
        if not 0 <= at <= len(data):
            raise _Bad("initial position out of string")
        for name, size, order, align in _items(form):
            at += _gap(at, name, size, align)
            if name == "s":
                size = data.find(b"\0", at) - at
                if size < 0:
                    raise _Bad("unfinished string in data")
            elif name == "c" and size == 0:
                if not found or type(found[-1]) not in (int, float):
                    raise _Bad("format 'c0' needs a previous size")
                size = int(found.pop())
            if size < 0 or at + size > len(data):
                raise _Bad("data string too short")
            part = data[at:at + size]
            at += size + (name == "s")
            if name in "sc":
                found.append(part)
            elif name in "fd":
                kind = "f" if name == "f" else "d"
                found += struct.unpack(("<" if order == "little" else ">") + kind, part)
            elif name != "x":
                found.append(integer(int.from_bytes(part, order, signed=name.islower())))
    except _Bad as error:
        return None, str(error).encode()
    return (*found, at + 1)


def size(form: bytes) -> int | tuple[None, bytes]:
    """Return how many bytes a format stands for; (None, reason) where that is not fixed."""
    total = 0
    try:
        for name, width, _, align in _items(form):
            if name == "s" or (name == "c" and width == 0):
                raise _Bad(f"option '{name}{'0' if name == 'c' else ''}' has no fixed size")
            total += _gap(total, name, width, align) + width
    except _Bad as error:
        return None, str(error).encode()
    return total


def functions() -> dict[str, Callable]:
    """Return `pack`, `unpack` and `size`."""
    return {"pack": pack, "unpack": unpack, "size": size}
