"""The command `prosody-py`: finds the subcommand and runs it.

Each command is a file in `prosody_py/app/commands/` with `add_arguments(parser)` and
`run(args) -> exit code`. Only the file of the command that is used is imported, so that a command
costs what it needs and no more. Exit codes: 0 done, 1 failed, 2 wrong usage or problems found.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from prosody_py import __version__
from prosody_py.app.errors import CommandError, CommandFailed, StartupError
from prosody_py.config.problems import ConfigError

COMMANDS = {
    "run": "start the server and stay in the foreground",
    "check": "look for mistakes in the configuration; changes nothing",
    "adduser": "make an account",
    "passwd": "change the password of an account",
    "deluser": "remove an account and everything stored for it",
    "status": "say whether the server runs, and how it does",
    "reload": "make the running server read its configuration anew",
    "shell": "talk to the running server",
    "module": "list, load, unload or reload modules; read or write one",
    "events": "say which events there are, and what one of them means",
    "lua": "run Lua as if it were a module: a file, a line, or what is typed",
    "manual": "write the manual that is made from the code",
    "completion": "print a script that completes prosody-py in a shell",
}
_EPILOG = """\
A word that is not listed here begins a command of the running server: 'prosody-py help' lists
them, and 'prosody-py user create alice@example.com' is short for 'prosody-py shell user ...'.

first steps:
  prosody-py check                      is the configuration in order?
  prosody-py adduser alice@example.com  make an account
  prosody-py run                        serve until Ctrl-C

The configuration is the file given with --config, else $PROSODY_PY_CONFIG, else
./prosody.cfg.yaml, else /etc/prosody-py/prosody.cfg.yaml. 'prosody-py COMMAND --help' says more
about a command."""


class CommandParser(argparse.ArgumentParser):
    """The parser of one command; learns the arguments when they are needed."""

    def __init__(self, *args, command: str = "", **more):
        super().__init__(*args, formatter_class=argparse.RawDescriptionHelpFormatter, **more)
        self.command = command

    def complete(self) -> None:
        """Import the command's file and add its arguments."""
        if self.command:
            file = importlib.import_module("prosody_py.app.commands." + self.command)
            self.command = ""
            self.set_defaults(run=file.run)
            file.add_arguments(self)

    def parse_known_args(self, args=None, namespace=None):
        self.complete()
        return super().parse_known_args(args, namespace)


def parser() -> CommandParser:
    """Return the parser of the whole command line."""
    result = CommandParser(prog="prosody-py", epilog=_EPILOG, description="An XMPP server whose "
                           "modules are written in Python or in Lua, with Prosody's module API.")
    result.add_argument("--config", metavar="FILE", help="the configuration file")
    result.add_argument("--version", action="version", version=f"prosody-py {__version__}")
    commands = result.add_subparsers(title="commands", metavar="COMMAND", required=True,
                                     parser_class=CommandParser)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".",
                            command=name)
    return result


# Commands of the running server whose first word is one of ours.
_THE_SERVERS = {"module": ("info", "available"), "events": ("list", "explain")}


def for_the_server(words: Sequence[str]) -> int | None:
    """Return where a command begins that is none of ours, so that the running server is asked."""
    index = 0
    while index < len(words) and words[index].startswith("-"):
        index += 2 if words[index] == "--config" else 1
    if index >= len(words) or words[index] in COMMANDS and not any(
            word in _THE_SERVERS.get(words[index], ()) for word in words[index + 1:index + 2]):
        return None
    return index


def _not_asked(word: str, error: Exception) -> int:
    """Tell that a command which only the server may know could not be brought to it."""
    from prosody_py.app.shell.sections import SECTIONS
    from prosody_py.config.nearest import nearest
    if word in (*_THE_SERVERS, "help", *(section.name for section in SECTIONS)):
        print(f"prosody-py: '{word}' is for the running server: {error}", file=sys.stderr)
        return 1
    guess = nearest(word, COMMANDS)
    text = (f"did you mean {guess}?" if guess else
            f"the running server may have it, and cannot be asked: {error}")
    print(f"prosody-py: There is no command '{word}' here; {text}\n"
          "'prosody-py --help' lists the commands.", file=sys.stderr)
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    foreign = for_the_server(words)
    if foreign is not None:
        words.insert(foreign, "shell")
    args = parser().parse_args(words)
    try:
        return args.run(args)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        print("The configuration cannot be used. Nothing was done.", file=sys.stderr)
    except (CommandError, StartupError) as error:
        if foreign is not None and not isinstance(error, CommandFailed):
            return _not_asked(words[foreign + 1], error)
        print(f"prosody-py: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output is gone (`prosody-py status | head`); closing must not fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
