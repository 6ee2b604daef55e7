"""Lua on a terminal: a line at a time, with history and completion, while timers go on."""

from __future__ import annotations

import os
import re
import readline
import sys
import termios
import tty

from gevent import get_hub

from prosody_py.app.errors import CommandError
from prosody_py.app.lua_prompt.place import Place
from prosody_py.app.lua_prompt.reading import read_piece, show
from prosody_py.app.scan.truth import libraries
from prosody_py.app.shell.interactive import history_file
from prosody_py.events import catalogue

PROMPT, MORE = "> ", ">> "
_HISTORY_LENGTH = 1000
_DELIMITERS = " \t\n\"'(){}[]=<>,;+*#~%^&|"  # names of events have - and / in them
_NAME = re.compile(r"[\w.:]*$")
_LIBRARY = re.compile(r"""\brequire\s*\(?\s*["']([\w.]*)$""")
_EVENT = re.compile(r"""\b(?:hook\w*|fire_event|add_handler)\s*\(?\s*["']([\w./-]*)$""")
_READ = 1


def talk(place: Place) -> None:
    """Read and run code until the end of the input."""
    _set_up(place)
    print(f"Lua ({place.runtime.kind}) with 'module', 'prosody' and the libraries; Ctrl-D leaves.")
    try:
        while True:
            try:
                show(read_piece(_read, place.evaluate))
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                print()
            except CommandError as error:
                print(error)
    finally:
        _write_history()


def _read(is_first: bool) -> str:
    """Read a line; until somebody types, other things go on."""
    prompt = PROMPT if is_first else MORE
    _wait_for_a_key(prompt)
    print("\r", end="")
    return input(prompt)


def _wait_for_a_key(prompt: str) -> None:
    """Show the prompt and let the loop run until there is input.

    What is typed meanwhile is not shown twice, and Ctrl-D stays what it is.
    """
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    watcher = get_hub().loop.io(fd, _READ)
    try:
        tty.setcbreak(fd, termios.TCSANOW)
        print(prompt, end="", flush=True)
        get_hub().wait(watcher)
    finally:
        watcher.close()
        termios.tcsetattr(fd, termios.TCSANOW, before)


def _set_up(place: Place) -> None:
    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        nonlocal found
        if state == 0:
            found = candidates(place, readline.get_line_buffer()[:readline.get_endidx()], text)
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(_DELIMITERS)
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(_HISTORY_LENGTH)
    try:
        readline.read_history_file(_history())
    except OSError:
        pass  # there is none yet


def candidates(place: Place, line: str, text: str) -> list[str]:
    """Return what the end of a line may become: libraries, events, or names in sight.

    `text` is the word that is completed.
    """
    for pattern, known in ((_LIBRARY, libraries), (_EVENT, _events)):
        if found := pattern.search(line):
            begun = found[1]
            return [name[len(begun) - len(text):] for name in known() if name.startswith(begun)]
    name = _NAME.search(text)
    return [text[:name.start()] + known for known in place.names(name[0])]


def _events() -> list[str]:
    return [one.name for one in catalogue.CATALOGUE if "*" not in one.name]


def _history() -> str:
    return os.path.join(os.path.dirname(history_file()), "lua_history")


def _write_history() -> None:
    path = _history()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        readline.write_history_file(path)
        os.chmod(path, 0o600)
    except OSError as error:
        print(f"The history could not be kept in {path}: {error.strerror}")
