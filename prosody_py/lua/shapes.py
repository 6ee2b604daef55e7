"""Shapes: the quick way of a stanza to Lua.

A shape is a stanza without its values: a name and the names of attributes, then for each child
TEXT, or ELEMENT, the child's own shape and END. Few shapes make up most of the traffic. For one
that comes again and again two functions are generated: one in Python that takes the values out of
such a stanza, and one in Lua that makes the tables from them and calls a handler
(border/shape.lua). All others go the slower way of prosody_py.lua.flat.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any

from prosody_py.lua.values import encode
from prosody_py.xmpp.stanza import Stanza

TEXT, ELEMENT, END = 1, 2, 3

_TEXT_END = (TEXT, END)

_OFTEN = 4
"""A function is generated for a shape that comes this many times: names come from peers, and
one that changes its names each time shall not make the server generate code each time."""

_OFTENER = 8
"""For each so many shapes that there are, a further one has to come once more often."""

_MAX_SHAPES = 1000
_MAX_SEEN = 2000
_MAX_PARTS = 60
"""Local variables in Lua are limited: a shape of more parts than this is not worth it."""

_MAX_ALIKE = 8
"""So many shapes may have the same head: they are tried one after the other."""

UNSHARED = 3  # references to what only its parent holds, while a local name refers to it too

_BEFORE_VALUES = 5  # function, key, origin, to_self, number

Taker = Callable[..., tuple | None]


class Shape:
    """A shape that comes often.

    `take(stanza, children, attr, ...)` returns what follows `attr`, which are the five other
    arguments of `run`, and the values of a stanza of this shape; None for another one.
    `make(number, values ...)` and `run` are functions of Lua, see border/shape.lua.
    """

    __slots__ = ("take", "make", "run")

    def __init__(self, take: Taker, make: Any, run: Any):
        self.take, self.make, self.run = take, make, run


class Shapes:
    """The shapes of one runtime.

    `heads` gives those with the same head: name, how many attributes and children it has, and
    the name of the first child (None for none, and for a text). The names of attributes are not
    in it: a tuple of them costs more than the few times when it would tell two shapes apart.
    `generate(parts ...)` makes the functions of a shape in Lua.
    """

    __slots__ = ("heads", "count", "_seen", "_generate", "_guarded")

    def __init__(self, generate: Any, guarded: Callable[[Any], Any]):
        self.heads: dict[tuple, tuple[Shape, ...]] = {}
        self.count = 0
        self._seen: dict[tuple, int] = {}
        self._generate, self._guarded = generate, guarded

    def find(self, stanza: Stanza) -> tuple[Shape, tuple[bytes, ...]] | None:
        """Return shape and values of a stanza, None when it has to go the slower way.

        That is when a part of it is held by somebody else too, or by Lua, or cannot be encoded,
        and when its shape has not come often yet.
        """
        children, attr = stanza.children, stanza.attr
        if stanza._cursor or getrefcount(children) > UNSHARED:
            return None
        for shape in self.heads.get(head_of(stanza, children, attr), ()):
            values = shape.take(stanza, children, attr)
            if values is not None:
                return shape, values[_BEFORE_VALUES:]
        return None

    def note(self, stanza: Stanza) -> None:
        """Note that a stanza has come for which `find` knows nothing."""
        children, attr = stanza.children, stanza.attr
        if getrefcount(children) > UNSHARED or stanza._cursor:
            return
        parts: list[Any] = [stanza.name, *attr]
        if not _measure(children, parts):
            return
        shape = tuple(parts)
        seen = self._seen
        times = seen.get(shape, 0) + 1
        if times < _OFTEN + self.count // _OFTENER or len(shape) > _MAX_PARTS:
            if len(seen) >= _MAX_SEEN:
                seen.clear()
            seen[shape] = times
            return
        seen.pop(shape, None)
        if self.count >= _MAX_SHAPES:
            self.heads.clear()  # not a new dict: the handlers hold this one
            self.count = 0
        take = taker(shape)
        head = head_of(stanza, children, attr)
        alike = self.heads.get(head, ())
        if any(other.take(stanza, children, attr) is not None for other in alike):
            return  # the same one, with attributes in another order
        make, run = self._generate(*[
            encode(part) if type(part) is str else part for part in shape])
        self.heads[head] = (Shape(take, make, self._guarded(run)), *alike[:_MAX_ALIKE - 1])
        self.count += 1


def head_of(stanza: Stanza, children: list, attr: dict[str, str]) -> tuple:
    """Return the head of a stanza, by which `Shapes.heads` knows its shapes."""
    first = None
    if children and type(children[0]) is not str:
        first = children[0].name
    return stanza.name, len(attr), len(children), first


def _measure(children: list, shape: list) -> bool:
    """Add the shape of children to `shape`; false when they are not for the quick way."""
    for child in children:
        if type(child) is str:
            shape.append(TEXT)
            continue
        if type(child) is not Stanza or getrefcount(child) > UNSHARED:
            return False
        shape += (ELEMENT, child.name, *child.attr)
        inner = child.children
        if inner:
            if len(inner) == 1 and type(inner[0]) is str:
                shape += _TEXT_END
                continue
            if not _measure(inner, shape):
                return False
        shape.append(END)
    return True


class _TakerSource:
    """The text of a function that takes the values out of a stanza of one shape.

    Such a function looks at little by itself: where a stanza of another shape makes it fail, that
    is the answer. Name and number of attributes and children are those of the head already.
    """

    def __init__(self, shape: tuple):
        self.shape, self.at = shape, 0
        self.lines: list[str] = []
        self.values: list[str] = []
        self.names = 0

    def _attributes(self, attr: str) -> int:
        """Read the names of attributes, whose values are in the local `attr`; return how many."""
        first = self.at
        while self.at < len(self.shape) and type(self.shape[self.at]) is str:
            self.values.append(f"{attr}[{self.shape[self.at]!r}].encode()")
            self.at += 1
        return self.at - first

    def _children(self, children: str) -> None:
        """Read the children, which are in the local `children`, up to the end of the element."""
        shape, names, lines = self.shape, [], []
        outer, self.lines = self.lines, lines
        while self.at < len(shape) and shape[self.at] != END:
            self.names += 1
            names.append(f"c{self.names}")
            if shape[self.at] == TEXT:
                self.at += 1
                self.values.append(f"{names[-1]}.encode()")
            else:
                self._element(names[-1])
        self.at += 1
        self.lines = outer
        outer.append(f"{', '.join(names)}, = {children}" if names
                     else f"if {children}: return None")
        outer.extend(lines)

    def _element(self, name: str) -> None:
        attr, children = f"a{name}", f"k{name}"
        self.lines += (
            f"if {name}.lua is not None or {name}.name != {self.shape[self.at + 1]!r} "
            f"or getrefcount({name}) > {UNSHARED}: return None",
            f"{attr} = {name}.attr; {children} = {name}.children")
        self.at += 2
        count = self._attributes(attr)
        self.lines.append(f"if len({attr}) != {count}: return None" if count
                          else f"if {attr}: return None")
        self._children(children)

    def text(self) -> str:
        """Return the text."""
        self.at = 1
        self._attributes("attr")
        self._children("children")
        body = "".join(f"        {line}\n" for line in self.lines)
        # A tuple that is the arguments of the call: none has to be put together from parts.
        return (f"def take(stanza, children, attr, function=None, key=0, origin=0, to_self=False,"
                f" number=0):\n    try:\n{body}"
                f"        return (function, key, origin, to_self, number, "
                f"{', '.join(self.values)})\n"
                "    except (AttributeError, KeyError, ValueError): return None\n")


def taker(shape: tuple) -> Taker:
    """Return the function that takes the values out of a stanza of a shape."""
    scope: dict[str, Any] = {"getrefcount": getrefcount}
    exec(compile(_TakerSource(shape).text(), "<shape>", "exec"), scope)
    return scope["take"]
