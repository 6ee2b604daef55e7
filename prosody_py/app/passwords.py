"""Passwords for the command line: asked for without an echo, or read from a pipe."""

from __future__ import annotations

import argparse
import getpass
import sys

from prosody_py.app.errors import CommandError

_LONGEST = 4096


def add_password_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--password-stdin`."""
    parser.add_argument("--password-stdin", action="store_true",
                        help="read the password from the standard input, one line")


def new_password(args: argparse.Namespace) -> str:
    """Return the password to set; raises CommandError."""
    if not args.password_stdin:
        return ask_twice()
    return read_password()


def read_password() -> str:
    """Return the password that the standard input has in its next line; raises CommandError."""
    password = sys.stdin.readline(_LONGEST).rstrip("\r\n")
    if not password:
        raise CommandError("There is no password on the standard input")
    return password


def ask_twice() -> str:
    """Ask for a password on the terminal, twice; raises CommandError when the two differ."""
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to ask for the password; pipe it in and give "
                           "--password-stdin")
    password = getpass.getpass("Password: ")
    if not password:
        raise CommandError("A password cannot be empty")
    if getpass.getpass("Again: ") != password:
        raise CommandError("The two passwords differ")
    return password
