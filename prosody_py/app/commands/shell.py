"""`prosody-py shell`: talk to the running server, one command or many."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from prosody_py.app.passwords import read_password
from prosody_py.app.places import config_file, running
from prosody_py.app.shell.client import AdminClient
from prosody_py.app.shell.completing import ask_for_password, completions, lacks_password
from prosody_py.app.shell.table import as_json, as_text

_DESCRIPTION = """\
Runs one command in the running server, or with no words reads commands from the terminal (with
completion by Tab and a history) or from a pipe, one a line.

  prosody-py shell                        ask for commands
  prosody-py shell help                   list the commands
  prosody-py shell c2s show               show who is connected
  prosody-py c2s show --json              the same for a program; 'shell' may be left out
  prosody-py shell module reload roster   put the new version of a module in service
  prosody-py shell user create a@b.c      a password that is missing is asked for

Among or behind the words of a command may stand: --help for its help, --json for its answer as
JSON, --password-stdin to read the password that is missing from the standard input.

Only the user that the server runs as, and root, may do this."""
_OWN = ("--help", "-h", "--json", "--password-stdin", "--complete")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD",
                        help="the command to run")
    # Behind the first word they are words; `tell` knows them there.
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument("--password-stdin", action="store_true",
                        help="read the password that is missing from the standard input, one line")
    parser.add_argument("--complete", action="store_true", help=argparse.SUPPRESS)


def connect(args: argparse.Namespace) -> AdminClient:
    """Return a connection to the server of the configuration; raises NotRunning."""
    return AdminClient(running(config_file(args.config))[0])


def tell(args: argparse.Namespace, *words: str) -> int:
    """Run one command and print its answer; raises CommandError.

    The words may have those of `_OWN` among them.
    """
    own = {word for word in words if word in _OWN}
    plain = [word for word in words if word not in _OWN]
    client = connect(args)
    try:
        if "--complete" in own:
            print("\n".join(sorted(completions(client, _commands(client), plain))))
            return 0
        if own & {"--help", "-h"}:
            plain = ["help", *plain[:2]]
        if "--json" in own:
            print(as_json(client.run(_with_password(client, plain, own), _aside)))
            return 0
        text = as_text(client.run(_with_password(client, plain, own)))
    finally:
        client.close()
    if text:
        print(text)
    return 0


def _aside(line: str) -> None:
    """Print what a command says meanwhile where it is not in the way of its answer."""
    print(line, file=sys.stderr)


def _commands(client: AdminClient) -> list[dict[str, Any]]:
    return client.ask({"describe": True})["commands"]


def _with_password(client: AdminClient, words: list[str], own: set[str]) -> list[str]:
    """Return the words with the password that is missing, if that is all and can be had."""
    if "--password-stdin" in own:
        return [*words, read_password()] if lacks_password(words, _commands(client)) else words
    return ask_for_password(words, _commands(client)) if sys.stdin.isatty() else words


def run(args: argparse.Namespace) -> int:
    """Run the command given, or read commands; return the exit code."""
    own = [f"--{name.replace('_', '-')}" for name in ("json", "password_stdin", "complete")
           if getattr(args, name)]
    if args.words or args.complete:
        return tell(args, *own, *args.words)
    client = connect(args)
    if sys.stdin.isatty():
        # Importing readline prints to what is not a terminal, so it waits until now.
        from prosody_py.app.shell.interactive import talk
        talk(client)
        return 0
    from prosody_py.app.shell.batch import run_lines
    return run_lines(client, sys.stdin)
