"""Lines to pieces of code: what is not complete waits for the next line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from prosody_py.app.errors import CommandError
from prosody_py.app.lua_prompt.place import Incomplete, Place


def run_lines(place: Place, lines: Iterable[str]) -> int:
    """Run lines of code from a pipe; return the exit code, 1 when one of them has failed."""
    waiting, code = "", 0
    for line in lines:
        waiting += line
        try:
            show(place.evaluate(waiting.rstrip("\n")))
        except Incomplete:
            continue
        except CommandError as error:
            print(error, file=sys.stderr)
            code = 1
        waiting = ""
    if waiting.strip():
        print(f"stdin: the code breaks off: {waiting.strip().splitlines()[0]} ...", file=sys.stderr)
        code = 1
    return code


def read_piece(read: Callable[[bool], str], evaluate: Callable[[str], list[str]]) -> list[str]:
    """Read lines until they are a whole piece of code, and run it; `read` is told whether it is
    the first line. An empty line ends a piece that is not complete.

    Returns the values; raises CommandError and what `read` raises.
    """
    waiting = read(True)
    while True:
        try:
            return evaluate(waiting)
        except Incomplete as error:
            line = read(False)
            if not line.strip():
                raise CommandError(str(error)) from None
            waiting += "\n" + line


def show(values: list[str]) -> None:
    """Print the values of an expression."""
    for value in values:
        print(value, flush=True)
