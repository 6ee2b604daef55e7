"""One command: its words, typed arguments, permission and function; and one run of it.

    SECTION = Section("user", "Accounts")

    @SECTION.command("create", "jid:bare_jid", "password:password")
    def create(call, jid, password):
        \"\"\"Make an account.\"\"\"

A handler gets a `Call` and the arguments; it returns a text, a `Table`, or None, and raises
CommandError for what the user has to know. See `arguments` for the types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from prosody_py.api.commands.arguments import NAMES_A_HOST, SECRET, Argument, CommandError
from prosody_py.config.values import is_secret_name
from prosody_py.xmpp import jid as addresses

ADMIN = "prosody:admin"
EVERYWHERE = "*"
_WITH_VALUE = ("array_params", "value_params")  # flags that have a value, and those that repeat


@dataclass(frozen=True)
class Table:
    """Rows of values under named columns; "what" and "value" make it a list of facts."""

    columns: tuple[str, ...]
    rows: list[tuple]

    @property
    def is_facts(self) -> bool:
        """Whether each row is a name and its value."""
        return tuple(self.columns) == ("what", "value")


class Call:
    """One run of a command: the server, who asks, and a way to say something meanwhile.

    `user` is the number of the user of this machine who asks over the admin socket, `jid` the
    address of who asks over XMPP, by the session `origin`, and `host` the one that was asked.
    `session.print` is `print`, for handlers that say `self.session.print(text)` as in Prosody.
    """

    def __init__(self, server, say: Callable[[dict[str, Any]], Any], user: int | None = None,
                 jid: str | None = None, host: str | None = None, origin: Any = None):
        self.server = server
        self.user, self.jid, self.host, self.origin = user, jid, host, origin
        self.registry: Any = None
        self._say = say
        self.session = SimpleNamespace(
            print=lambda *texts: self.print("\t".join(map(str, texts))))

    @property
    def who(self) -> str:
        """Who asks, for the log."""
        return self.jid or f"User {self.user}"

    def print(self, text: Any) -> bool:
        """Show a line at once; False when nobody is there any more to read it."""
        return self._say({"line": str(text)}) is not False

    def is_read(self) -> bool:
        """Whether somebody is still there to read what is printed."""
        alive = getattr(self._say, "alive", None)
        return alive is None or alive()


@dataclass
class Command:
    """One command.

    `handlers` maps hosts ("*" for the server) to functions: several hosts may have the same
    command, and then the argument named by `host_selector` says whose it is. With `flags`
    ("--name value" or "--name") the handler gets a dict of them as its last argument. `role` may
    use it on the host that it is about, and who was granted `permission` there; with `everywhere`
    it is always about the whole server. What `streams` goes on until its reader leaves.
    """

    words: tuple[str, ...]
    help: str
    arguments: tuple[Argument, ...] = ()
    handlers: dict[str, Callable] = field(default_factory=dict)
    host_selector: str | None = None
    flags: dict[str, set[str]] | None = None
    permission: str = ""
    role: str = ADMIN
    everywhere: bool = False
    streams: bool = False

    def __post_init__(self) -> None:
        self.permission = self.permission or ":".join(self.words)
        if self.host_selector is None:
            self.host_selector = next((argument.name for argument in self.arguments
                                       if argument.type in NAMES_A_HOST), None)

    @property
    def usage(self) -> str:
        """Return the command as one types it."""
        flags = [f"[--{name} VALUE]" if kind in _WITH_VALUE else f"[--{name}]"
                 for kind, names in sorted((self.flags or {}).items()) for name in sorted(names)]
        return " ".join([*self.words, *map(str, self.arguments), *flags])

    def parse(self, words: list[str]) -> list[Any]:
        """Return the arguments that words mean; raises CommandError."""
        given: dict[str, Any] = {}
        if self.flags is not None:
            words, given = _split_flags(words, self.flags)
        if self.arguments and self.arguments[-1].type == "text":
            last = len(self.arguments) - 1
            words = [*words[:last], *([" ".join(words[last:])] if words[last:] else [])]
        needed = sum(not argument.optional for argument in self.arguments)
        if not needed <= len(words) <= len(self.arguments):
            raise CommandError(f"Usage: {self.usage}")
        values = [argument.convert(word)
                  for argument, word in zip(self.arguments, words, strict=False)]
        values += [None] * (len(self.arguments) - len(values))
        return [*values, given] if self.flags is not None else values

    def host_of(self, values: list[Any]) -> str | None:
        """Return the host that the arguments name, None for none."""
        names = [argument.name for argument in self.arguments]
        if self.host_selector not in names:
            return None
        return addresses.host(str(values[names.index(self.host_selector)] or "")) or None

    def scope(self, values: list[Any], at: str | None = None) -> str:
        """Return the host that a run is about, "*" for the server; `at` is the host asked."""
        if self.everywhere:
            return EVERYWHERE
        found = self.host_of(values)
        if found is None and EVERYWHERE not in self.handlers:
            return at if at in self.handlers else next(iter(self.handlers))
        return found or EVERYWHERE

    def is_like(self, other: Command) -> bool:
        """Whether another command is the same, but for its hosts."""
        return replace(self, handlers={}, help="") == replace(other, handlers={}, help="")

    def handler_for(self, values: list[Any], at: str | None = None) -> Callable:
        """Return the function for these arguments; raises CommandError."""
        named = self.host_of(values)
        host = named or at or EVERYWHERE
        found = self.handlers.get(host) or self.handlers.get(EVERYWHERE)
        if found is None and named is None:
            found = next(iter(self.handlers.values()))
        if found is None:
            raise CommandError(f"{' '.join(self.words)} is not available on {host}; it is on "
                               + ", ".join(self.handlers), "item-not-found")
        return found

    def shown(self, words: list[str]) -> str:
        """Return the command with its arguments as the log may have it."""
        kinds = [argument.type for argument in self.arguments]
        words, given = (words, {}) if self.flags is None else _split_flags(words, self.flags)
        shown = [SECRET if index < len(kinds) and kinds[index] == "password" else word
                 for index, word in enumerate(words)]
        shown += [f"--{name}={SECRET if is_secret_name(name) else value}"
                  for name, value in given.items()]
        return " ".join([*self.words, *shown])

    def shown_values(self, values: list[Any]) -> str:
        """Return the command with its arguments, as `parse` gives them, for the log."""
        shown = [SECRET if argument.type == "password" else str(value)
                 for argument, value in zip(self.arguments, values, strict=False)
                 if value is not None]
        if self.flags is not None:
            shown += [f"--{name}={SECRET if is_secret_name(name) else value}"
                      for name, value in values[-1].items()]
        return " ".join([*self.words, *shown])

    def describe(self) -> dict[str, Any]:
        """Return the command for a client that wants to complete and to ask for passwords."""
        return {"words": list(self.words), "help": self.help,
                "args": [{"name": one.name, "type": one.type, "optional": one.optional,
                          **({"choices": list(one.choices)} if one.choices else {})}
                         for one in self.arguments],
                **({"flags": sorted(f"--{name}" for names in self.flags.values()
                                    for name in names)} if self.flags else {})}


def _split_flags(words: list[str], flags: Mapping[str, set[str]]) -> tuple[list[str], dict]:
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
        takes_value = any(name in flags.get(kind, ()) for kind in _WITH_VALUE)
        if not equals:
            value = waiting.pop(0) if takes_value and waiting else True
        if name in flags.get("array_params", ()):
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    return rest, given


def first_line(function: Callable) -> str:
    """Return the first line of a function's docstring, which is a command's help."""
    return (function.__doc__ or "").strip().partition("\n")[0]


class Section:
    """Commands that begin with the same word."""

    def __init__(self, name: str, help: str):
        self.name = name
        self.help = help
        self.commands: list[Command] = []

    def command(self, name: str, *arguments: str, **more: Any) -> Callable[[Callable], Callable]:
        """Declare a function as the command "<section> <name>"; its docstring is the help.

        `more` are fields of Command.
        """
        def declare(function: Callable) -> Callable:
            words = (self.name, name) if self.name else (name,)
            self.commands.append(Command(words, first_line(function),
                                         tuple(map(Argument.parse, arguments)),
                                         {EVERYWHERE: function}, **more))
            return function
        return declare
