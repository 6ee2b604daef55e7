"""The tokens of Lua source text: Lua 5.1 to 5.4 and LuaJIT.

Written here because what there is on the package index was too much or too slow for this: the one
in Python takes a quarter of a second a file, the others bring a compiled parser and a grammar. All
files of Debian's two packages (1.4 MB) take less than three seconds to be read into trees.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAME, KEYWORD, STRING, NUMBER, MARK, END = "name", "keyword", "string", "number", "mark", "end"
KEYWORDS = frozenset(
    "and break do else elseif end false for function if in local nil not or repeat return then "
    "true until while".split())  # goto is a name for Lua 5.1; the parser tells it apart
_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n\f\v]+)
    | --\[(?P<c>=*)\[(?:.*?)(?P<cend>\](?P=c)\]|\Z)
    | (?P<comment>--[^\n]*)
    | (?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)
    | \[(?P<l>=*)\[\r?\n?(?P<long>.*?)(?P<lend>\](?P=l)\]|\Z)
    | "(?P<double>(?:[^"\\\n]|\\(?:z\s*|\r?\n|.))*)"
    | '(?P<single>(?:[^'\\\n]|\\(?:z\s*|\r?\n|.))*)'
    | (?P<number>0[xX][0-9A-Fa-f.]+(?:[pP][+-]?[0-9]+)?(?:[uUlL]+|i)?
        | (?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?:[uUlL]+|i)?)
    | (?P<mark>\.\.\.|\.\.|::|<<|>>|//|==|~=|<=|>=|[-+*/%^\#&~|<>=(){}\[\];:,.])
    """, re.VERBOSE | re.DOTALL)
_ESCAPE = re.compile(r"\\(z\s*|x[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]{1,8}\}|[0-9]{1,3}|\r?\n|.)",
                     re.DOTALL)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class LuaSyntaxError(ValueError):
    """The text is not Lua; `line` says where."""

    def __init__(self, message: str, line: int):
        super().__init__(message)
        self.line = line


class Token(NamedTuple):
    """One token; the text of a string is what it means, `raw` what is written."""

    kind: str
    text: str
    line: int
    raw: str


def tokens(source: str) -> list[Token]:
    """Return the tokens of a text, an END last; raises LuaSyntaxError."""
    position = source.find("\n") if source.startswith("#") else 0
    position, line = (len(source), 1) if position < 0 else (position, 1)
    found: list[Token] = []
    match = _TOKEN.match
    while position < len(source):
        part = match(source, position)
        if part is None:
            raise LuaSyntaxError(_complaint(source, position), line)
        kind, raw = part.lastgroup, part[0]
        position = part.end()
        if kind == "name":
            found.append(Token(KEYWORD if raw in KEYWORDS else NAME, raw, line, raw))
            continue
        if kind == "mark" or kind == "number":
            found.append(Token(kind, raw, line, raw))
            continue
        if kind == "double" or kind == "single":
            text = part[kind]
            found.append(Token(STRING, unescape(text) if "\\" in text else text, line, raw))
        elif kind == "lend":
            if not part["lend"]:
                raise LuaSyntaxError("unfinished long string", line)
            found.append(Token(STRING, part["long"], line, raw))
        elif kind == "cend" and not part["cend"]:
            raise LuaSyntaxError("unfinished long comment", line)
        line += raw.count("\n")
    found.append(Token(END, "<eof>", line, ""))
    return found


def _complaint(source: str, position: int) -> str:
    mark = source[position]
    return "unfinished string" if mark in "\"'" else f"unexpected symbol near {mark!r}"


def unescape(text: str) -> str:
    """Return what the inside of a quoted string means."""
    return _ESCAPE.sub(_escape, text)


def _escape(found: re.Match) -> str:
    code = found[1]
    if code[0] == "z":
        return ""
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] == "u" and len(code) > 1:
        number = int(code[2:-1], 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    if code[0].isdigit():
        return chr(int(code) & 0xFF)
    return _PLAIN.get(code, "\n" if code.endswith("\n") else code)
