"""Start-up, step by step: from a configuration to a server that serves.

    server = assemble(config)      # the objects, nothing open yet
    activate_hosts(server)         # hosts and their modules
    server.ports.start(); server.mark_started()
"""

from __future__ import annotations

import logging
import os
from functools import partial

from prosody_py import lua
from prosody_py.app.secret import ServerSecret
from prosody_py.app.tls import TlsService
from prosody_py.config.config import Config
from prosody_py.config.hosts import modules_for
from prosody_py.hosts import users
from prosody_py.hosts.server import Server
from prosody_py.loader.errors import LoadError
from prosody_py.loader.lifecycle import Modules
from prosody_py.net.ports import Ports
from prosody_py.router.deliver import post_stanza
from prosody_py.router.inbound import process_stanza
from prosody_py.router.unanswered import handler_failed
from prosody_py.storage.open import Storage

log = logging.getLogger("startup")


class StartupError(Exception):
    """The server cannot start; the text says why and what to do."""


def assemble(config: Config) -> Server:
    """Return a server with all its parts; no host is active and no port open."""
    server = Server(config, paths_of(config), handler_failed)
    server.secret = ServerSecret(os.path.join(server.paths["data"], "secret"))
    server.process_stanza = partial(process_stanza, server)
    server.post_stanza = partial(post_stanza, server)
    server.tls = TlsService(server)
    Storage(server)
    Ports(server)
    folders = config.get("*", "plugin_paths") or []
    folders = [folders] if isinstance(folders, str) else folders
    Modules(server, [os.path.join(config.directory, folder) for folder in folders])
    lua.install(server)
    return server


def paths_of(config: Config) -> dict[str, str]:
    """Return the server's folders, and make the data folder; raises StartupError."""
    data = os.path.join(config.directory, config.get("*", "data_path") or "data")
    try:
        os.makedirs(data, mode=0o750, exist_ok=True)
    except OSError as error:
        raise StartupError(f"Cannot make the data folder {data}: {error.strerror}. Set data_path "
                           "to a folder that the server may write to.") from None
    if not os.access(data, os.W_OK):
        raise StartupError(f"The data folder {data} cannot be written to by this user.")
    return {"config": config.directory, "data": data}


def activate_hosts(server: Server) -> None:
    """Activate every enabled host of the configuration."""
    for host in server.config.hosts:
        if host.enabled:
            activate_host(server, host.name, host.component_module)


def activate_host(server: Server, name: str, component_module: str | None = None) -> None:
    """Activate one host and load its modules; what cannot be loaded is logged."""
    host = server.activate(name, "component" if component_module else "local")
    host.send = partial(server.post_stanza, host)
    if not component_module:
        users.watch(server, host)
        provider = server.config.get(name, "authentication") or users.DEFAULT_PROVIDER
        load_module(server, name, "auth_" + provider)
    for module in modules_for(server.config, name):
        load_module(server, name, module)


def load_module(server: Server, host: str, name: str) -> bool:
    """Load a module unless it is; False (and a line in the log) when that is impossible."""
    if server.modules.is_loaded(host, name):
        return True
    try:
        server.modules.load(host, name)
    except LoadError as error:
        if error.code == "global-module-already-loaded":
            return True
        log.error("%s", error)
        return False
    return True
