"""Change accounts from the command line: in the running server, else directly in the stores."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress

from prosody_py.app.errors import CommandError
from prosody_py.app.places import config_file, running
from prosody_py.app.shell.client import AdminClient, NotRunning
from prosody_py.app.shell.table import as_text
from prosody_py.config.load import load
from prosody_py.config.problems import ConfigError
from prosody_py.xmpp import jid as addresses


def account(args: argparse.Namespace) -> tuple[str, str]:
    """Return (user name, host) of the address given; raises CommandError."""
    node, host, resource = addresses.prepped_split(args.jid)
    if node is None or host is None or resource is not None:
        raise CommandError(f"{args.jid!r} is not the address of an account; write it like "
                           "alice@example.com")
    file = config_file(args.config)
    with suppress(ConfigError):  # told when the change is tried, unless the server does it
        if load(file).host(host) is None:
            raise CommandError(f"{host} is not a host of {file}")
    return node, host


def change(args: argparse.Namespace, words: list[str], directly: Callable) -> str:
    """Do a change and return what to say; raises CommandError.

    `words` is the command of a running server. Without one, `directly(config)` does it.
    """
    file = config_file(args.config)
    try:
        client = AdminClient(running(file)[0])
    except NotRunning:
        return directly(load(file))
    try:
        return as_text(client.run(words))
    finally:
        client.close()
