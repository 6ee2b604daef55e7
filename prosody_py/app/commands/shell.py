"""`prosody-py shell`: talk to the running server, one command or many."""

from __future__ import annotations

import argparse
import sys

from prosody_py.app.places import config_file, running
from prosody_py.app.shell.client import AdminClient
from prosody_py.app.shell.table import as_text

_DESCRIPTION = """\
Runs one command in the running server, or with no words reads commands from the terminal (with
completion by Tab and a history) or from a pipe, one a line.

  prosody-py shell                        ask for commands
  prosody-py shell help                   list the commands
  prosody-py shell c2s show               show who is connected
  prosody-py shell module reload roster   put the new version of a module in service

Only the user that the server runs as, and root, may do this."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="WORD",
                        help="the command to run")


def connect(args: argparse.Namespace) -> AdminClient:
    """Return a connection to the server of the configuration; raises NotRunning."""
    return AdminClient(running(config_file(args.config))[0])


def tell(args: argparse.Namespace, *words: str) -> int:
    """Run one command and print its answer; raises CommandError."""
    client = connect(args)
    try:
        text = as_text(client.run(list(words)))
    finally:
        client.close()
    if text:
        print(text)
    return 0


def run(args: argparse.Namespace) -> int:
    """Run the command given, or read commands; return the exit code."""
    if args.words:
        return tell(args, *args.words)
    client = connect(args)
    if sys.stdin.isatty():
        # Importing readline prints to what is not a terminal, so it waits until now.
        from prosody_py.app.shell.interactive import talk
        talk(client)
        return 0
    from prosody_py.app.shell.batch import run_lines
    return run_lines(client, sys.stdin)
