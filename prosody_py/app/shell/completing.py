"""What the client knows of the server's commands: to complete them, and to ask for passwords."""

from __future__ import annotations

from typing import Any

from prosody_py.app.passwords import ask_twice
from prosody_py.app.shell.client import AdminClient

_SECRET_WORDS = ("password", "secret", "token")


def find_command(words: list[str], commands: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the description of the command that words begin with."""
    found = [one for one in commands if words[:len(one["words"])] == one["words"]]
    return max(found, key=lambda one: len(one["words"]), default=None)


def password_given(words: list[str], commands: list[dict[str, Any]]) -> bool:
    """Whether a password is among the words."""
    command = find_command(words, commands)
    if command is None:
        return False
    rest = words[len(command["words"]):]
    flags = [word for word in rest if word.startswith("--")]
    if any(secret in flag for flag in flags for secret in _SECRET_WORDS):
        return True
    given = len(rest) - len(flags)
    return any(argument["type"] == "password" for argument in command["args"][:given])


def lacks_password(words: list[str], commands: list[dict[str, Any]]) -> bool:
    """Whether all that is missing is a password."""
    command = find_command(words, commands)
    if command is None:
        return False
    given = len(words) - len(command["words"])
    missing = [one["type"] for one in command["args"][given:] if not one["optional"]]
    return missing == ["password"]


def ask_for_password(words: list[str], commands: list[dict[str, Any]]) -> list[str]:
    """Return the words, with a password that is asked for when it is all that is missing."""
    return [*words, ask_twice()] if lacks_password(words, commands) else words


def completions(client: AdminClient, commands: list[dict[str, Any]],
                before: list[str]) -> set[str]:
    """Return what may follow the words `before`."""
    found = {one["words"][len(before)] for one in commands
             if len(one["words"]) > len(before) and one["words"][:len(before)] == before}
    command = find_command(before, commands) if before else None
    if command is not None:
        words = before[len(command["words"]):]
        index = sum(not word.startswith("--") for word in words)
        if index < len(command["args"]):
            argument = command["args"][index]
            found.update(argument.get("choices")
                         or client.ask({"values": argument["type"]})["values"])
        found.update(command.get("flags", ()))
    return found
