"""Change accounts from the command line: in the running server, else directly in the stores."""

from __future__ import annotations

import argparse
import logging
import os
import pwd
from collections.abc import Callable

from prosody_py.app.errors import CommandError
from prosody_py.app.places import config_file, data_folder, running
from prosody_py.app.shell.client import AdminClient, NotRunning
from prosody_py.app.shell.table import as_text
from prosody_py.config.config import Config
from prosody_py.config.load import load
from prosody_py.xmpp import jid as addresses


def account(args: argparse.Namespace) -> tuple[str, str]:
    """Return (user name, host) of the address given; raises CommandError."""
    node, host, resource = addresses.prepped_split(args.jid)
    if node is None or host is None or resource is not None:
        raise CommandError(f"{args.jid!r} is not the address of an account; write it like "
                           "alice@example.com")
    return node, host


def change(args: argparse.Namespace, words: list[str], directly: Callable) -> str:
    """Do a change and return what to say; raises CommandError.

    `words` is the command of a running server. Without one, `directly(config)` does it.
    """
    file = config_file(args.config)
    try:
        client = AdminClient(running(file)[0])
    except NotRunning:
        config = load(file)
        become_owner(config)
        return directly(config)
    try:
        return as_text(client.run(words))
    finally:
        client.close()


def become_owner(config: Config) -> None:
    """When root, go on as the owner of the data folder, so that no file there is root's."""
    folder = data_folder(config)
    if os.geteuid() != 0 or not os.path.isdir(folder):
        return
    stat = os.stat(folder)
    if stat.st_uid == 0:
        return
    logging.getLogger("prosody-py").debug("Continuing as user %d", stat.st_uid)
    try:
        name = pwd.getpwuid(stat.st_uid).pw_name
        os.initgroups(name, stat.st_gid)
    except KeyError:
        os.setgroups([])
    os.setgid(stat.st_gid)
    os.setuid(stat.st_uid)
