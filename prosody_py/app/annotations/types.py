"""Types of Python and Lua in the words of the Lua language server."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

STANZA, SESSION, MODULE = "prosody.stanza", "prosody.session", "prosody.module"
_PLAIN = {
    "str": "string", "bytes": "string", "int": "integer", "float": "number", "bool": "boolean",
    "None": "nil", "Any": "any", "object": "any", "dict": "table", "list": "any[]", "tuple": "any",
    "set": "table", "frozenset": "table", "Stanza": STANZA, "Module": MODULE,
}
_WORDS = re.compile(r"(?P<name>[A-Za-z_.]+)(?:\[(?P<inner>.*)\])?\Z", re.DOTALL)


def of_annotation(annotation: object) -> str:
    """Return the type for an annotation, "any" for what Lua has no word for."""
    if annotation is inspect.Signature.empty:
        return "any"
    text = annotation if isinstance(annotation, str) else (
        getattr(annotation, "__name__", None) or str(annotation))
    parts = [_single(part.strip()) for part in _alternatives(text)]
    kinds = list(dict.fromkeys(parts))
    return "any" if "any" in kinds else "|".join(kinds)


def _alternatives(text: str) -> list[str]:
    """Split at the "|" that stand outside of brackets."""
    parts, depth, begin = [], 0, 0
    for index, mark in enumerate(text):
        depth += (mark == "[") - (mark == "]")
        if mark == "|" and depth == 0:
            parts.append(text[begin:index])
            begin = index + 1
    return [*parts, text[begin:]]


def _single(text: str) -> str:
    found = _WORDS.match(text)
    name = found["name"].rpartition(".")[2] if found else ""
    if name in ("Callable", "Handler"):
        return "function"
    if name in ("list", "Sequence") and found["inner"]:
        inner = of_annotation(found["inner"])
        return "any[]" if "|" in inner else f"{inner}[]"
    if name in ("dict", "Mapping"):
        return "table"
    return _PLAIN.get(name, "any")


def parameters(function: Callable) -> list[tuple[str, str, bool]]:
    """Return (name, type, whether it may be left out) of what stands after `self`."""
    found = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            found.append(("...", "any", True))
        else:
            found.append((parameter.name, of_annotation(parameter.annotation),
                          parameter.default is not parameter.empty))
    return found


def returned(function: Callable) -> str | None:
    """Return the type of a function's result, None when it gives nothing."""
    kind = of_annotation(inspect.signature(function).return_annotation)
    return None if kind == "nil" else kind
