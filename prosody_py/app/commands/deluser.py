"""`prosody-py deluser`: remove an account and everything stored for it."""

from __future__ import annotations

import argparse
import sys

from prosody_py.app.accounts import account, change
from prosody_py.app.errors import CommandError

_DESCRIPTION = """\
Removes an account and what modules keep for it: contacts, messages and the like. There is no way
back, so the address has to be typed again, unless --yes is given. Works with and without a
running server."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("jid", metavar="JID", help="the address, such as alice@example.com")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def run(args: argparse.Namespace) -> int:
    """Remove the account; return the exit code."""
    username, host = account(args)
    jid = f"{username}@{host}"
    if not args.yes:
        _confirm(jid)

    def directly(config):
        from prosody_py.app.offline import offline_server
        from prosody_py.hosts import users
        with offline_server(config, host, everything=True) as server:
            users.delete_user(server, username, host)
        return f"The account {jid} was removed"

    print(change(args, ["user", "delete", jid], directly))
    return 0


def _confirm(jid: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to confirm; give --yes to remove the account anyway")
    if input(f"Type {jid} to remove it and everything stored for it: ").strip() != jid:
        raise CommandError("Nothing was removed")
