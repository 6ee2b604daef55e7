"""The shell on a terminal: a line at a time, with completion, history, hidden passwords."""

from __future__ import annotations

import os
import readline
import shlex
from typing import Any

from prosody_py.app.errors import CommandError
from prosody_py.app.passwords import ask_twice
from prosody_py.app.shell.client import AdminClient
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
        text = "Not done"
    if text:
        print(text)


def client_alive(client: AdminClient) -> bool:
    """Whether the server still answers on this connection."""
    try:
        client.ask({"values": "none"})
    except CommandError:
        return False
    return True


def find_command(words: list[str], commands: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the description of the command that words begin with."""
    found = [one for one in commands if words[:len(one["words"])] == one["words"]]
    return max(found, key=lambda one: len(one["words"]), default=None)


def password_given(words: list[str], commands: list[dict[str, Any]]) -> bool:
    """Whether a password is among the words."""
    command = find_command(words, commands)
    if command is None:
        return False
    given = len(words) - len(command["words"])
    return any(argument["type"] == "password" for argument in command["args"][:given])


def ask_for_password(words: list[str], commands: list[dict[str, Any]]) -> list[str]:
    """Return the words, with a password that is asked for when it is all that is missing."""
    command = find_command(words, commands)
    if command is not None:
        given = len(words) - len(command["words"])
        missing = [one["type"] for one in command["args"][given:] if not one["optional"]]
        if missing == ["password"]:
            return [*words, ask_twice()]
    return words


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


def completions(client: AdminClient, commands: list[dict[str, Any]],
                before: list[str]) -> set[str]:
    """Return what may follow the words `before`."""
    found = {one["words"][len(before)] for one in commands
             if len(one["words"]) > len(before) and one["words"][:len(before)] == before}
    command = find_command(before, commands) if before else None
    if command is not None:
        index = len(before) - len(command["words"])
        if index < len(command["args"]):
            found.update(client.ask({"values": command["args"][index]["type"]})["values"])
    return found


def _write_history() -> None:
    path = history_file()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        readline.write_history_file(path)
        os.chmod(path, 0o600)
    except OSError as error:
        print(f"The history could not be kept in {path}: {error.strerror}")
