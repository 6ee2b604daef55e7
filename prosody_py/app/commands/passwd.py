"""`prosody-py passwd`: change the password of an account."""

from __future__ import annotations

import argparse

from prosody_py.app.accounts import account, change
from prosody_py.app.passwords import add_password_argument, new_password

_DESCRIPTION = """\
Changes the password of an account. The new one is asked for, twice. Works with and without a
running server."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("jid", metavar="JID", help="the address, such as alice@example.com")
    add_password_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Change the password; return the exit code."""
    username, host = account(args)
    password = new_password(args)

    def directly(config):
        from prosody_py.app.offline import offline_server
        from prosody_py.hosts import users
        with offline_server(config, host) as server:
            users.set_password(server, username, password, host)
        return f"The password of {username}@{host} was changed"

    print(change(args, ["user", "password", f"{username}@{host}", password], directly))
    return 0
