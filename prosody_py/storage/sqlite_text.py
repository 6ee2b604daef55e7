"""How text and lists of arguments get into SQL.

Each statement that yields a row, and each row, costs a release of the GIL and the wait for it
afterwards. So one statement does the work of a batch, and answers come as one value: JSON that
SQLite puts together, as bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

LARGEST_GROUP = 64


def bind(text: str) -> str | bytes:
    """Return text as SQLite can keep it: as a blob if it holds lone surrogates."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def to_bytes(text: str) -> bytes:
    """Return text, lone surrogates included, as bytes."""
    return text.encode("utf-8", "surrogatepass")


def to_text(raw: bytes) -> str:
    """Undo `to_bytes`, and `CAST(.. AS BLOB)` of what `bind` gave."""
    return raw.decode("utf-8", "surrogatepass")


def groups(items: Sequence, largest: int = LARGEST_GROUP) -> Iterator[Sequence]:
    """Cut into runs whose lengths are powers of two, so that few statements serve all lengths."""
    position, left = 0, len(items)
    while left:
        size = min(largest, 1 << (left.bit_length() - 1))
        yield items[position:position + size]
        position += size
        left -= size


def repeated(template: Callable[[str], str], part: str, separator: str) -> Callable[[int], str]:
    """Return a function that gives the statement for n parts, made once for each n."""
    @functools.cache
    def statement(count: int) -> str:
        return template(separator.join([part] * count))
    return statement


def flat(rows: Sequence[Sequence]) -> list[Any]:
    """Return the arguments of several parts in a row."""
    return [value for row in rows for value in row]
