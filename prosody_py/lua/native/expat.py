"""XML as a stream of events, for the lxp library and what stands on it.

A parser is handed to Lua as an opaque object. `parse` gives Lua the events of a chunk as values,
after the chunk was read; so the Lua callbacks run with no Python frame below them and may wait.
Nothing here keeps a Lua function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

_BATCH = 500

# Handlers and how they are called in expat's Python face.
_HANDLERS = {
    "StartElement": "StartElementHandler", "EndElement": "EndElementHandler",
    "CharacterData": "CharacterDataHandler", "Comment": "CommentHandler",
    "ProcessingInstruction": "ProcessingInstructionHandler",
    "StartCdataSection": "StartCdataSectionHandler",
    "EndCdataSection": "EndCdataSectionHandler", "Default": "DefaultHandler",
    "DefaultExpand": "DefaultHandlerExpand",
    "StartNamespaceDecl": "StartNamespaceDeclHandler",
    "EndNamespaceDecl": "EndNamespaceDeclHandler", "XmlDecl": "XmlDeclHandler",
    "StartDoctypeDecl": "StartDoctypeDeclHandler", "EndDoctypeDecl": "EndDoctypeDeclHandler",
    "EntityDecl": "EntityDeclHandler", "SkippedEntity": "SkippedEntityHandler",
    "NotationDecl": "NotationDeclHandler", "UnparsedEntityDecl": "UnparsedEntityDeclHandler",
    "AttlistDecl": "AttlistDeclHandler",
}
# Where the values of an event have a number that stands for yes, no (and unknown).
_FLAGS = {"StartDoctypeDecl": 3, "XmlDecl": 2, "EntityDecl": 1, "SkippedEntity": 1,
          "AttlistDecl": 4}


class _Parser:
    """An expat parser that collects its events as flat values.

    An event is its name, line, column and byte (each from 1), the number of its values, and
    the values: bytes, booleans and None.
    """

    def __init__(self, names: list[str], separator: str | None, encoding: str | None,
                 triplets: bool, merged: bool):
        self.expat = parser = expat.ParserCreate(encoding, separator)
        parser.buffer_text = merged
        parser.ordered_attributes = True
        parser.namespace_prefixes = triplets
        if hasattr(parser, "SetReparseDeferralEnabled"):  # a complete element must not wait
            parser.SetReparseDeferralEnabled(False)
        self.values: list[object] = []
        self.emit: Callable[..., object] | None = None
        self.error: tuple[Any, ...] | None = None
        for name in names:
            setattr(parser, _HANDLERS[name], self._handler(name))

    def _handler(self, name: str) -> Callable[..., object]:
        label = name.encode()
        flag = _FLAGS.get(name)
        if name == "StartElement":
            return lambda element, attr: self._put(label, [element, *attr])
        if flag is None:
            return lambda *values: self._put(label, values)

        def handle(*values: Any) -> None:
            listed = list(values)
            listed[flag] = None if listed[flag] < 0 else bool(listed[flag])
            self._put(label, listed)

        return handle

    def _put(self, label: bytes, values: Any) -> None:
        parser = self.expat
        out = self.values
        out += (label, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1,
                parser.CurrentByteIndex + 1, len(values))
        for value in values:
            out.append(value.encode() if type(value) is str else value)
        if len(out) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand over what was collected."""
        values, self.values = self.values, []
        for start in range(0, len(values), _BATCH):
            self.emit(*values[start:start + _BATCH])


def new(names: bytes, separator: bytes | None = None, encoding: bytes | None = None,
        triplets: object = None, merged: object = True) -> Any:
    """Return a parser that reports the events `names` (separated by spaces).

    separator: one byte between namespace and name; None leaves namespaces alone.
    Returns (None, reason) for an encoding that expat cannot have.
    """
    try:
        return _Parser(names.decode().split(), separator.decode("latin-1") if separator else None,
                       encoding.decode("ascii", "replace") if encoding else None,
                       bool(triplets), bool(merged))
    except (ValueError, KeyError) as error:
        return None, str(error).encode()


def parse(parser: _Parser, data: bytes, final: object,
          emit: Callable[..., object]) -> bool | tuple[Any, ...]:
    """Read a chunk and hand its events to `emit`; return True or (None, reason and place).

    The place is line, column and byte. What came before an error is reported; an error is final.
    """
    if parser.error is not None:
        return parser.error
    parser.emit = emit
    try:
        parser.expat.Parse(data, bool(final))
    except expat.ExpatError as error:
        raw = parser.expat
        parser.error = (None, expat.ErrorString(error.code).encode(), raw.ErrorLineNumber,
                        raw.ErrorColumnNumber + 1, raw.ErrorByteIndex + 1)
    except (LookupError, ValueError):  # Python looks up encodings that expat does not know
        parser.error = (None, b"unknown encoding", *position(parser))
    parser.flush()
    parser.emit = None  # what Python keeps would keep Lua's closure alive
    return parser.error or True


def position(parser: _Parser) -> tuple[int, int, int]:
    """Return line, column and byte of where the parser stands, each from 1."""
    raw = parser.expat
    return raw.CurrentLineNumber, raw.CurrentColumnNumber + 1, raw.CurrentByteIndex + 1


def functions() -> dict[str, Callable | bytes]:
    """Return `new`, `parse` and `position`, the names of all events and expat's version."""
    return {"new": new, "parse": parse, "position": position,
            "EVENTS": " ".join(_HANDLERS).encode(), "VERSION": expat.EXPAT_VERSION.encode()}
