"""A server without ports, for commands that work on the stores while no server runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prosody_py.api.errors import LoadError
from prosody_py.app import process
from prosody_py.app.errors import CommandError, StartupError
from prosody_py.app.startup import activate_host, assemble, auth_module
from prosody_py.config.config import Config
from prosody_py.hosts import users
from prosody_py.hosts.server import Server
from prosody_py.hosts.users import AccountError
from prosody_py.storage.interface import StorageError


@contextmanager
def offline_server(config: Config, host: str, everything: bool = False) -> Iterator[Server]:
    """Give a server with one host and its accounts; with `everything`, with all its modules.

    Raises CommandError, also for what goes wrong with accounts and stores meanwhile.
    """
    record = config.host(host)
    if record is None or record.component_module is not None:
        known = ", ".join(one.name for one in config.hosts if one.component_module is None)
        raise CommandError(f"{host} is not a host with accounts in {config.file}; there is: "
                           f"{known or 'none'}")
    process.become_owner(config)
    process.set_umask(config)
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    try:
        server = assemble(config)
        try:
            if everything:
                activate_host(server, host)
            else:
                users.watch(server, server.activate(host))
                server.modules.load(host, auth_module(server, host))
            yield server
        finally:
            server.events.fire_event("server-cleanup")
    except (AccountError, LoadError, StorageError, StartupError) as error:
        raise CommandError(str(error)) from None
