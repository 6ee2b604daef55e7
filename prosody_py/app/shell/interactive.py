"""The shell on a terminal: a line at a time, with completion, history, hidden passwords."""

from __future__ import annotations

import os
import readline
import shlex
from typing import Any

from prosody_py.app.errors import CommandError
from prosody_py.app.shell.client import AdminClient
from prosody_py.app.shell.completing import ask_for_password, completions, password_given
from prosody_py.app.shell.table import as_text

PROMPT = "prosody-py> "
_HISTORY_LENGTH = 1000
_ENDS = ("exit", "quit", "bye")


def history_file() -> str:
    """Return where the history of this user is kept."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "prosody-py", "history")


def talk(client: AdminClient) -> None:
    """Read commands until the end of the input; raises CommandError when the server goes."""
    commands = client.ask({"describe": True})["commands"]
    _set_up_readline(client, commands)
    print("Commands of the running server; 'help' lists them, Ctrl-D leaves.")
    try:
        while True:
            try:
                line = input(PROMPT)
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                print()
                continue
            if line.strip() in _ENDS:
                return
            _run_line(client, commands, line)
    finally:
        _write_history()


def _run_line(client: AdminClient, commands: list[dict[str, Any]], line: str) -> None:
    try:
        words = shlex.split(line)
    except ValueError as error:
        print(f"{error}: quotes come in pairs")
        return
    if not words:
        return
    if password_given(words, commands):
        readline.remove_history_item(readline.get_current_history_length() - 1)
    try:
        words = ask_for_password(words, commands)
        text = as_text(client.run(words))
    except CommandError as error:
        if not client_alive(client):
            raise
        text = f"Error: {error}"
    except KeyboardInterrupt:
        client.renew()  # the server stops what streams when nobody listens any more
        text = "Not waited for"
    if text:
        print(text)


def client_alive(client: AdminClient) -> bool:
    """Whether the server still answers on this connection."""
    try:
        client.ask({"values": "none"})
    except CommandError:
        return False
    return True


def _set_up_readline(client: AdminClient, commands: list[dict[str, Any]]) -> None:
    candidates: list[str] = []

    def complete(text: str, state: int) -> str | None:
        nonlocal candidates
        if state == 0:
            before = readline.get_line_buffer()[:readline.get_begidx()].split()
            try:
                known = completions(client, commands, before)
            except CommandError:
                known = []
            candidates = sorted(word + " " for word in known if word.startswith(text))
        return candidates[state] if state < len(candidates) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" \t")
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(_HISTORY_LENGTH)
    try:
        readline.read_history_file(history_file())
    except OSError:
        pass  # there is none yet


def _write_history() -> None:
    path = history_file()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        readline.write_history_file(path)
        os.chmod(path, 0o600)
    except OSError as error:
        print(f"The history could not be kept in {path}: {error.strerror}")
