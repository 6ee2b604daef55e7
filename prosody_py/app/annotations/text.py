"""Annotated Lua, piece by piece."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

KEYWORDS = frozenset("and break do else elseif end false for function goto if in local nil not or "
                      "repeat return then true until while".split())
Parameter = tuple[str, str, bool]
"""Name, type ("" when it is not known), and whether it may be left out."""


def meta(name: str, *parts: str) -> str:
    """Return a whole file; `name` is what `require` calls it."""
    return "\n\n".join([f"---@meta {name}", "-- Made by 'prosody-py module annotations'.",
                        *filter(None, parts)]) + "\n"


def comment(text: str) -> list[str]:
    """Return the lines of a comment that an editor shows."""
    plain = " ".join(text.split())
    return ["---" + line for line in textwrap.wrap(plain, 96, break_long_words=False)]


def parameter_name(name: str) -> str:
    """Return a name that Lua allows."""
    return name + "_" if name in KEYWORDS else name


def function(name: str, parameters: Iterable[Parameter], doc: str = "", result: str | None = None,
             overloads: Iterable[str] = (), generics: Iterable[str] = ()) -> str:
    """Return the declaration of a function; `name` is as in `function NAME(...) end`."""
    given = [(parameter_name(one), kind, may_go) for one, kind, may_go in parameters]
    lines = [*comment(doc), *(f"---@generic {one}" for one in generics)]
    for one, kind, may_go in given:
        if kind:
            lines.append(f"---@param {one}{'?' if may_go and one != '...' else ''} {kind}")
    if result:
        lines.append(f"---@return {result}")
    lines += [f"---@overload {overload}" for overload in overloads]
    lines.append(f"function {name}({', '.join(one for one, _kind, _may_go in given)}) end")
    return "\n".join(lines)


def of_class(name: str, fields: Iterable[tuple[str, str, str]], doc: str = "",
             variable: str = "") -> str:
    """Return the declaration of a class with (name, type, text) of its fields."""
    lines = [*comment(doc), f"---@class {name}"]
    lines += [f"---@field {field} {kind}" + (f" {' '.join(text.split())}" if text else "")
              for field, kind, text in fields]
    return "\n".join([*lines, *([variable] if variable else [])])
