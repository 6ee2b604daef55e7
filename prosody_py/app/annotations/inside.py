"""What is inside libraries and objects of a Lua runtime, asked of it (inside.lua)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache

from prosody_py.app.annotations.text import KEYWORDS
from prosody_py.app.scan.truth import Truth
from prosody_py.lua.runtime import LIB

_ASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside.lua")
_PLACE = re.compile(r"@(?P<file>[\w/.-]+\.lua):(?P<line>\d+)")


@dataclass(frozen=True)
class Member:
    """A member of a library: its path ("" for the library itself), Lua type and parameters.

    The type of a table that can be called is "callable". `doc` is the comment above a function.
    """

    path: str
    kind: str
    parameters: tuple[str, ...] = ()
    doc: str = ""


class Inside:
    """Questions to one runtime about what there is."""

    def __init__(self, asked: Truth):
        with open(_ASK, "rb") as file:
            self._ask = asked.ask_with(file.read(), "=inside")

    def library(self, name: str) -> list[Member]:
        """Return a library and its members, sorted; "prosody" is the global of that name."""
        return _members(self._ask(0, name))

    def methods_of(self, expression: str) -> list[Member]:
        """Return the methods of the object that a Lua expression makes."""
        return _members(self._ask(1, expression))

    def module(self) -> list[Member]:
        """Return the methods of `module`."""
        return _members(self._ask(2))


def _members(text: str) -> list[Member]:
    found = []
    for line in text.splitlines():
        path, kind, names, where = line.split("\t")
        if KEYWORDS & set(path.split(".")):
            continue  # only x["end"] can be written
        place = _PLACE.fullmatch(where)
        doc = _comment(place["file"], int(place["line"])) if place else ""
        found.append(Member(path, kind, tuple(filter(None, names.split(","))), doc))
    return found


def _comment(file: str, line: int) -> str:
    """Return the comment that stands above a line of one of our Lua files."""
    lines = _lines(file)
    end = begin = line - 1
    while begin > 0 and begin <= len(lines) and lines[begin - 1].startswith("-- "):
        begin -= 1
    return " ".join(text.removeprefix("--").strip() for text in lines[begin:end])


@cache
def _lines(file: str) -> list[str]:
    try:
        with open(os.path.join(LIB, file), encoding="utf-8") as opened:
            return opened.read().splitlines()
    except OSError:
        return []
