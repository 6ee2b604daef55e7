"""Shapes: the quick way of a stanza to Lua.

A shape is a stanza without its values: a name and the names of attributes, then for each child
TEXT, or ELEMENT, the child's own shape and END. Few shapes make up most of the traffic. For one
that comes again and again Lua generates a function that makes the tables from the values
(border/shape.lua); all others go the slower way of prosody_py.lua.flat.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from prosody_py.lua.values import encode
from prosody_py.xmpp.stanza import Stanza

TEXT, ELEMENT, END = 1, 2, 3

_TEXT_END = (TEXT, END)

_OFTEN = 4
"""A function is generated for a shape that comes this many times: names come from peers, and
one that changes its names each time shall not make the server generate code each time."""

_MAX_SHAPES = 1000
_MAX_SEEN = 2000
_MAX_PARTS = 60
"""Local variables in Lua are limited: a shape of more parts than this is not worth it."""

_UNSHARED = 3  # references to what only its parent holds, while a local name refers to it too


class Shapes:
    """The shapes of one runtime; `number_of` gives the numbers of the generated functions.

    `generate(number, parts ...)` makes the function of a shape in Lua.
    """

    __slots__ = ("number_of", "_seen", "_generate")

    def __init__(self, generate: Any):
        self.number_of: dict[tuple, int] = {}
        self._seen: dict[tuple, int] = {}
        self._generate = generate

    def count(self, shape: tuple) -> None:
        """Note that a shape has come that has no function; makes one when it has come often."""
        seen = self._seen
        times = seen.get(shape, 0) + 1
        if times < _OFTEN or len(shape) > _MAX_PARTS:
            if len(seen) >= _MAX_SEEN:
                seen.clear()
            seen[shape] = times
            return
        seen.pop(shape, None)
        numbers = self.number_of
        if len(numbers) >= _MAX_SHAPES:
            numbers.clear()
        number = len(numbers) + 1
        self._generate(number, *[encode(part) if type(part) is str else part for part in shape])
        numbers[shape] = number


def measure(stanza: Stanza) -> tuple[tuple, list[Any]] | None:
    """Return shape and values of a stanza, None when it is not one for the quick way.

    That is one whose parts are held by somebody else too, or by Lua, or cannot be encoded. The
    values begin at index 1: the first place is for the number of the shape.
    """
    children = stanza.children
    if getrefcount(children) > _UNSHARED or stanza._cursor:
        return None
    attr = stanza.attr
    shape: list[Any] = [stanza.name, *attr]
    values: list[str] = ["", *attr.values()]
    if children and not _measure(children, shape, values):
        return None
    try:  # all at once: a third of what one after the other costs
        encoded = "\0".join(values).encode().split(b"\0")
    except UnicodeEncodeError:
        return None
    return (tuple(shape), encoded) if len(encoded) == len(values) else None


def _measure(children: list, shape: list, values: list) -> bool:
    for child in children:
        if type(child) is str:
            shape.append(TEXT)
            values.append(child)
            continue
        if type(child) is not Stanza or getrefcount(child) > _UNSHARED:
            return False
        attr = child.attr
        if attr:
            shape += (ELEMENT, child.name, *attr)
            values += attr.values()
        else:
            shape += (ELEMENT, child.name)
        inner = child.children
        if inner:
            if len(inner) == 1 and type(inner[0]) is str:
                shape += _TEXT_END
                values += inner
                continue
            if not _measure(inner, shape, values):
                return False
        shape.append(END)
    return True
