"""The arguments of commands: their types, and what a word means as one of them.

An argument is written "name:type", with "?" behind it when it may be left out. Types: string,
integer, boolean, jid, bare_jid, host, module, role, password (never logged, never kept in a
history), text (the rest of the line), and "one|two|three" for one of these words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prosody_py.xmpp import jid as addresses

SECRET = "(secret)"
"""What stands for a password wherever an argument is shown."""

TYPES = ("string", "integer", "boolean", "jid", "bare_jid", "host", "module", "role", "password",
         "text")

NAMES_A_HOST = ("host", "bare_jid", "jid")
"""The types whose values belong to a host."""


class CommandError(Exception):
    """A command cannot be done; the text says why.

    `condition` is the stanza error that fits (RFC 6120 section 8.3.3), None when the fault is in
    what the command was to do and not in who has asked for what.
    """

    def __init__(self, text: str, condition: str | None = None):
        super().__init__(text)
        self.condition = condition


@dataclass(frozen=True)
class Argument:
    """One argument of a command; `choices` are the only words for it, if there are some."""

    name: str
    type: str = "string"
    optional: bool = False
    choices: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Argument:
        """Return the argument that "name:type" or "name:type?" declares; raises ValueError."""
        name, _, kind = text.removesuffix("?").partition(":")
        if "|" in kind:
            return cls(name, "choice", text.endswith("?"), tuple(kind.split("|")))
        if kind and kind not in TYPES:
            raise ValueError(f"{text}: there is no type {kind}; there are {', '.join(TYPES)}, and "
                             "one|two for one of some words")
        return cls(name, kind or "string", text.endswith("?"))

    def convert(self, word: str) -> Any:
        """Return what a word means; raises CommandError."""
        if self.choices and word not in self.choices:
            raise CommandError(f"{self.name}: {word!r} is not one of {', '.join(self.choices)}")
        converter = _CONVERTERS.get(self.type)
        return converter(self.name, word) if converter else word

    def __str__(self) -> str:
        return f"[{self.name.upper()}]" if self.optional else self.name.upper()


def _integer(name: str, word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise CommandError(f"{name}: {word!r} is not a whole number") from None


def _boolean(name: str, word: str) -> bool:
    if word.lower() in ("true", "yes", "on", "1"):
        return True
    if word.lower() in ("false", "no", "off", "0"):
        return False
    raise CommandError(f"{name}: expected yes or no, got {word!r}")


def _jid(name: str, word: str) -> str:
    node, host, resource = addresses.prepped_split(word)
    if host is None:
        raise CommandError(f"{name}: {word!r} is not an XMPP address")
    return addresses.join(node, host, resource)


def _bare_jid(name: str, word: str) -> str:
    result = _jid(name, word)
    if "@" not in result or "/" in result:
        raise CommandError(f"{name}: expected an address such as alice@example.com, got {word!r}")
    return result


def _host(name: str, word: str) -> str:
    node, host, resource = addresses.prepped_split(word)
    if host is None or node is not None or resource is not None:
        raise CommandError(f"{name}: {word!r} is not a host name")
    return host


def _module(_name: str, word: str) -> str:
    return word.removeprefix("mod_")


_CONVERTERS: dict[str, Callable[[str, str], Any]] = {
    "integer": _integer, "number": _integer, "boolean": _boolean, "jid": _jid,
    "bare_jid": _bare_jid, "host": _host, "module": _module,
}
