"""Find the option names that a Lua module reads, without running it."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      --\[(?P<c>=*)\[.*?(?:\](?P=c)\]|\Z)      # a long comment
    | --[^\n]*                                 # a comment
    | \[(?P<l>=*)\[\n?(?P<long>.*?)(?:\](?P=l)\]|\Z)
    | "(?P<double>(?:[^"\\\n]|\\.)*)"
    | '(?P<single>(?:[^'\\\n]|\\.)*)'
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>\.\.\.?|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_GETTER = re.compile(r"get_option(_[a-z_]+)?\Z")


def harvest(lua_source: str) -> set[str]:
    """Return the literal first arguments of `get_option*` calls.

    Comments and strings are told apart from code; a name that is put together at run time
    ("x_" .. y) is not found. Any text is accepted.
    """
    names = set()
    state, literal = "code", ""
    for found in _TOKEN.finditer(lua_source):
        if not (token := found.lastgroup) or token == "c":
            continue
        text = found[token]
        if state == "literal" and text != "..":
            names.add(literal)
        if token == "word":
            state = "getter" if _GETTER.match(text) else "code"
        elif token == "mark":
            state = "getter" if state == "getter" and text == "(" else "code"
        elif state == "getter" and "\\" not in text:
            state, literal = "literal", text
        else:
            state = "code"
    if state == "literal":
        names.add(literal)
    return names
