"""Parse a small XML document into the border form of stanzas (see prosody_py/lua/flat.py)."""

from collections.abc import Callable
from xml.parsers import expat

MAX_DEPTH = 200

_BATCH = 500
_XML_PREFIX = "http://www.w3.org/XML/1998/namespace\x01"


class _Forbidden(Exception):
    """Something that the document must not hold."""


class _Reader:
    """Turn the events of expat into flat values, handed to `emit` in batches."""

    def __init__(self, emit: Callable[..., object]):
        self._emit = emit
        self._values: list[object] = []
        self._depth = 0

    def start(self, name: str, attr: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Forbidden("nested too deeply")
        xmlns, _, local = name.rpartition("\x01")
        head = ["2" + local]
        values = []
        if xmlns:
            head.append("xmlns")
            values.append(xmlns.encode())
        for key, value in attr.items():
            if key.startswith(_XML_PREFIX):
                key = "xml:" + key[len(_XML_PREFIX):]
            head.append(key)
            values.append(value.encode())
        self._put("\x02".join(head).encode(), *values)

    def end(self, _name: str) -> None:
        self._depth -= 1
        self._put(False)

    def text(self, data: str) -> None:
        self._put(True, data.encode())

    def _put(self, *values: object) -> None:
        self._values.extend(values)
        if len(self._values) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._values:
            self._emit(*self._values)
            self._values = []


def _forbid(what: str) -> Callable[..., None]:
    def handler(*_arguments: object) -> None:
        raise _Forbidden(what + " are not allowed")

    return handler


def parse(data: bytes, emit: Callable[..., object], comments: object = None,
          instructions: object = None) -> bool | tuple[None, bytes]:
    """Give the values of a document to `emit`, a Lua function; return True or (None, reason).

    Comments and processing instructions are refused unless the flags allow to skip them; a
    document type declaration, and with it any entity, is always refused.
    """
    parser = expat.ParserCreate("UTF-8", "\x01")
    parser.buffer_text = True
    parser.ordered_attributes = False
    reader = _Reader(emit)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _forbid("document type declarations")
    if not comments:
        parser.CommentHandler = _forbid("comments")
    if not instructions:
        parser.ProcessingInstructionHandler = _forbid("processing instructions")
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _Forbidden) as error:
        place = f" (line {parser.CurrentLineNumber}, column {parser.CurrentColumnNumber})"
        reason = str(error) if isinstance(error, _Forbidden) else expat.ErrorString(error.code)
        return None, (reason + place).encode()
    reader.flush()
    return True


def functions() -> dict[str, Callable]:
    """Return `parse(data, emit, comments, instructions)`."""
    return {"parse": parse}
