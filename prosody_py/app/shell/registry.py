"""Shell commands: declared once, with words, typed arguments, a help text and a function.

    SECTION = Section("user", "Accounts")

    @SECTION.command("create", "jid:bare_jid", "password:password")
    def create(call, jid, password):
        \"\"\"Make an account.\"\"\"

An argument is written "name:type", with "?" behind it when it may be left out. Types: string,
integer, boolean, jid, bare_jid, host, module, password (never logged, never kept in a history)
and text (the rest of the line). A handler gets a `Call` and the arguments; it returns a text, a
`Table`, or None, and raises ShellError for what the user has to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from prosody_py.app.shell.arguments import SECRET, Argument, ShellError
from prosody_py.config.nearest import nearest
from prosody_py.xmpp import jid as addresses


@dataclass(frozen=True)
class Table:
    """Rows of values under named columns."""

    columns: tuple[str, ...]
    rows: list[tuple]


class Call:
    """One run of a command: the server, who asks, and a way to say something meanwhile.

    `session.print` is `print`, for handlers that say `self.session.print(text)` as in Prosody.
    """

    def __init__(self, server, say: Callable[[dict[str, Any]], None], user: int | None = None):
        self.server = server
        self.user = user
        self.registry: Registry | None = None
        self._say = say
        self.session = SimpleNamespace(
            print=lambda *texts: self.print("\t".join(map(str, texts))))

    def print(self, text: Any) -> None:
        """Show a line at once."""
        self._say({"line": str(text)})


@dataclass
class Command:
    """One command.

    `handlers` maps hosts ("*" for the server) to functions: several hosts may have the same
    command, and then the argument named by `host_selector` says whose it is. With `flags`
    ("--name value" or "--name") the handler gets a dict of them as its last argument.
    """

    words: tuple[str, ...]
    help: str
    arguments: tuple[Argument, ...] = ()
    handlers: dict[str, Callable] = field(default_factory=dict)
    host_selector: str | None = None
    flags: dict[str, set[str]] | None = None

    @property
    def usage(self) -> str:
        """Return the command as one types it."""
        flags = ["[--FLAG VALUE ...]"] if self.flags is not None else []
        return " ".join([*self.words, *map(str, self.arguments), *flags])

    def parse(self, words: list[str]) -> list[Any]:
        """Return the arguments that words mean; raises ShellError."""
        given: dict[str, Any] = {}
        if self.flags is not None:
            words, given = _split_flags(words, self.flags)
        if self.arguments and self.arguments[-1].type == "text":
            last = len(self.arguments) - 1
            words = [*words[:last], *([" ".join(words[last:])] if words[last:] else [])]
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(words) <= len(self.arguments):
            raise ShellError(f"Usage: {self.usage}")
        values = [argument.convert(word)
                  for argument, word in zip(self.arguments, words, strict=False)]
        values += [None] * (len(self.arguments) - len(values))
        return [*values, given] if self.flags is not None else values

    def handler_for(self, values: list[Any]) -> Callable:
        """Return the function for these arguments; raises ShellError."""
        if self.host_selector is None:
            return next(iter(self.handlers.values()))
        names = [argument.name for argument in self.arguments]
        selected = values[names.index(self.host_selector)] if self.host_selector in names else None
        host = addresses.host(str(selected or "")) or "*"
        found = self.handlers.get(host) or self.handlers.get("*")
        if found is None:
            raise ShellError(f"{' '.join(self.words)} is not available on {host}")
        return found

    def shown(self, words: list[str]) -> str:
        """Return the command with its arguments as the log may have it."""
        kinds = [argument.type for argument in self.arguments]
        hidden = [SECRET if index < len(kinds) and kinds[index] == "password" else word
                  for index, word in enumerate(words)]
        return " ".join([*self.words, *hidden])

    def describe(self) -> dict[str, Any]:
        """Return the command for a client that wants to complete and to ask for passwords."""
        return {"words": list(self.words), "help": self.help,
                "args": [{"name": one.name, "type": one.type, "optional": one.optional}
                         for one in self.arguments]}


def _split_flags(words: list[str], flags: dict[str, set[str]]) -> tuple[list[str], dict]:
    """Separate "--name=value", "--name value" and "--name" from the other words."""
    rest: list[str] = []
    given: dict[str, Any] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("--") or word == "--":
            rest.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        takes_value = name in flags.get("value_params", ()) or name in flags.get("array_params", ())
        if not equals:
            value = waiting.pop(0) if takes_value and waiting else True
        if name in flags.get("array_params", ()):
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    return rest, given


class Section:
    """Commands that begin with the same word."""

    def __init__(self, name: str, help: str):
        self.name = name
        self.help = help
        self.commands: list[Command] = []

    def command(self, name: str, *arguments: str) -> Callable[[Callable], Callable]:
        """Declare a function as the command "<section> <name>"; its docstring is the help."""
        def declare(function: Callable) -> Callable:
            text = (function.__doc__ or "").strip().partition("\n")[0]
            words = (self.name, name) if self.name else (name,)
            self.commands.append(Command(words, text, tuple(map(Argument.parse, arguments)),
                                         {"*": function}))
            return function
        return declare


class Registry:
    """All commands that the server knows at one moment."""

    def __init__(self, sections: Iterable[Section]):
        self.commands: dict[tuple[str, ...], Command] = {}
        self.sections: dict[str, str] = {}
        for section in sections:
            self.sections[section.name] = section.help
            for command in section.commands:
                self.commands[command.words] = command

    def add(self, command: Command, section_help: str = "") -> None:
        """Add a command, or a further host's handler of one that is there."""
        known = self.commands.get(command.words)
        if known is not None and known.host_selector:
            known.handlers.update(command.handlers)
        elif known is None:
            self.commands[command.words] = command
        self.sections.setdefault(command.words[0], section_help)

    def find(self, words: list[str]) -> tuple[Command, list[str]]:
        """Return the command that words begin with, and the other words; raises ShellError."""
        for length in (2, 1):
            command = self.commands.get(tuple(words[:length]))
            if command is not None and len(words) >= length:
                return command, words[length:]
        raise ShellError(self._unknown(words))

    def _unknown(self, words: list[str]) -> str:
        if not words:
            return "No command was given; 'help' lists them"
        section = words[0]
        if section in self.sections:
            names = [one[1] for one in self.commands if one[0] == section and len(one) > 1]
            there = f"there is: {', '.join(names)}"
            if len(words) == 1:
                return f"{section} needs one more word; {there}"
            guess = nearest(words[1], names)
            meant = f"did you mean '{section} {guess}'?" if guess else there
            return f"{section} has no command {words[1]!r}; {meant}"
        guess = nearest(section, {one[0] for one in self.commands})
        meant = f"did you mean {guess}?" if guess else "'help' lists the commands"
        return f"There is no command {section!r}; {meant}"

    def describe(self) -> list[dict[str, Any]]:
        """Return all commands as data."""
        return [command.describe() for _words, command in sorted(self.commands.items())]
