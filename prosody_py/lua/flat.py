"""The border form of stanzas: one flat tuple of values (the other half is lib/stanza/flat.lua).

An element is its head, the values of its attributes in the order of the head, and what the head
says about children. A head is one byte string, the same for all elements of that shape:
``KIND name \\x02 attribute name \\x02 attribute name ...``. Kind ``0``: no children. Kind ``1``:
one text, which follows the values. Kind ``2``: a list of children that ends with False; in it a
text comes as True and the text, anything else is an element.
"""

from typing import Any

from prosody_py.xmpp.stanza import Stanza

MAX_VALUES = 4000
"""More values than this do not fit on the stack of a Lua call."""

_MAX_HEADS = 2000  # names come from peers: forget all when there are too many

_heads: tuple[dict[tuple, bytes], ...] = ({}, {}, {})
_shapes: dict[bytes, tuple[int, str, tuple[str, ...]]] = {}


def _learn_head(kind: int, shape: tuple[str, ...]) -> bytes:
    for name in shape:
        if not name or "\x02" in name:
            raise ValueError("a stanza with an impossible name cannot go to Lua")
    head = (str(kind) + "\x02".join(shape)).encode()
    known = _heads[kind]
    if len(known) >= _MAX_HEADS:
        known.clear()
    known[shape] = head
    return head


def _flatten(stanza: Stanza, out: list) -> None:
    attr = stanza.attr
    children = stanza.children
    shape = (stanza.name, *attr)
    if not children:
        kind = 0
    elif len(children) == 1 and type(children[0]) is str:
        kind = 1
    else:
        kind = 2
    out.append(_heads[kind].get(shape) or _learn_head(kind, shape))
    for value in attr.values():
        out.append(value.encode())
    if kind == 1:
        out.append(children[0].encode())
    elif kind == 2:
        for child in children:
            if type(child) is str:
                out.append(True)
                out.append(child.encode())
            else:
                _flatten(child, out)
        out.append(False)


def flatten(stanza: Stanza) -> tuple:
    """Return a stanza as the flat values that `st.from_flat` takes.

    Raises ValueError for a name or text that has no form in XML or UTF-8.
    """
    out: list = []
    _flatten(stanza, out)
    return tuple(out)


def _learn_shape(head: bytes) -> tuple[int, str, tuple[str, ...]]:
    name, *keys = head[1:].decode().split("\x02")
    if len(_shapes) >= _MAX_HEADS:
        _shapes.clear()
    shape = _shapes[head] = (head[0] - 0x30, name, tuple(keys))
    return shape


def _text(value: object) -> str:
    """Return the text of a value that a Lua module put into a stanza table by hand."""
    if type(value) is bytes:
        return value.decode()
    if type(value) in (int, float):
        return f"{value:.14g}"
    raise ValueError(f"a stanza from Lua holds a {type(value).__name__} where text belongs")


def _unflatten(values: tuple, at: int) -> tuple[Stanza, int]:
    head = values[at]
    kind, name, keys = _shapes.get(head) or _learn_shape(head)
    attr = {}
    at += 1
    for key in keys:
        value = values[at]
        attr[key] = value.decode() if type(value) is bytes else _text(value)
        at += 1
    stanza = Stanza(name, attr)
    if kind == 0:
        return stanza, at
    if kind == 1:
        stanza.children.append(_text(values[at]))
        return stanza, at + 1
    append = stanza.children.append
    while (value := values[at]) is not False:
        if value is True:
            append(_text(values[at + 1]))
            at += 2
        else:
            child, at = _unflatten(values, at)
            append(child)
    return stanza, at + 1


def unflatten(values: tuple) -> Stanza:
    """Return the stanza that flat values stand for.

    Raises ValueError where a Lua module put something into the table that is no text.
    """
    try:
        return _unflatten(values, 0)[0]
    except (IndexError, AttributeError, TypeError) as error:
        raise ValueError("not the flat form of a stanza") from error


class StanzaBorder:
    """Stanzas across the border of one Lua runtime, of any size."""

    def __init__(self, st: Any):
        """Take the functions of `st`, the table of util.stanza in that runtime."""
        self._from_flat = st[b"from_flat"]
        self._from_flat_table = st[b"from_flat_table"]
        self._to_flat = st[b"to_flat"]
        self._extend = st[b"flat_extend"]
        self._slice = st[b"flat_slice"]

    def to_lua(self, stanza: Stanza) -> Any:
        """Return a new Lua table for a stanza."""
        values = flatten(stanza)
        if len(values) <= MAX_VALUES:
            return self._from_flat(*values)
        table = None
        for start in range(0, len(values), MAX_VALUES):
            table = self._extend(table, *values[start:start + MAX_VALUES])
        return self._from_flat_table(table)

    def to_python(self, table: Any) -> Stanza:
        """Return a new Stanza for a Lua table."""
        values = self._to_flat(table)
        if type(values) is not tuple:
            values = (values,)
        elif values[0] is None:
            _, count, rest = values
            parts: list = []
            for start in range(1, count + 1, MAX_VALUES):
                part = self._slice(rest, start, min(start + MAX_VALUES - 1, count))
                parts.extend(part if type(part) is tuple else (part,))
            values = tuple(parts)
        return unflatten(values)
