"""Start-up, step by step: from a configuration to a server that serves.

    server = assemble(config)      # the objects, nothing open yet
    activate_hosts(server)         # hosts and their modules
    server.ports.start(); server.mark_started()
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import prosody_py
from prosody_py import lua
from prosody_py.api.errors import LoadError
from prosody_py.app import measuring, places
from prosody_py.app.errors import StartupError
from prosody_py.app.secret import ServerSecret
from prosody_py.app.tls import TlsService
from prosody_py.config.config import Config
from prosody_py.config.hosts import modules_for
from prosody_py.hosts import users
from prosody_py.hosts.server import Server
from prosody_py.loader.find import bundled_folders
from prosody_py.loader.lifecycle import Modules
from prosody_py.net.http.server import HttpServer
from prosody_py.net.network import Network
from prosody_py.net.outgoing import OutgoingServices
from prosody_py.net.ports import Ports
from prosody_py.router.deliver import post_stanza
from prosody_py.router.inbound import process_stanza
from prosody_py.router.unanswered import handler_failed
from prosody_py.storage.open import Storage

log = logging.getLogger("startup")


def assemble(config: Config) -> Server:
    """Return a server with all its parts; no host is active and no port open."""
    server = Server(config, paths_of(config), handler_failed)
    with _explained("The server's secret"):
        server.secret = ServerSecret(os.path.join(server.paths["data"], "secret"))
    server.process_stanza = partial(process_stanza, server)
    server.post_stanza = partial(post_stanza, server)
    server.activate_host = partial(activate_host, server)
    with _explained("TLS"):
        server.tls = TlsService(server)
    Storage(server)
    Ports(server)
    Network(server)
    OutgoingServices(server)
    HttpServer(server)
    Modules(server, places.plugin_folders(config))
    lua.install(server)
    measuring.install(server)
    return server


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn what is wrong with files and options into a StartupError."""
    try:
        yield
    except OSError as error:
        raise StartupError(f"{what}: {error.filename}: {error.strerror}.") from None
    except ValueError as error:
        raise StartupError(f"{what}: {error}") from None


def paths_of(config: Config) -> dict[str, str]:
    """Return the server's folders, and make the data folder; raises StartupError."""
    data = places.data_folder(config)
    try:
        os.makedirs(data, mode=0o750, exist_ok=True)
    except OSError as error:
        raise StartupError(f"Cannot make the data folder {data}: {error.strerror}. Set data_path "
                           "to a folder that the server may write to.") from None
    if not os.access(data, os.W_OK):
        raise StartupError(f"The data folder {data} cannot be written to by this user.")
    return {"config": config.directory, "data": data,
            "certs": places.certificates_folder(config),
            "plugins": ";".join([*places.plugin_folders(config), *bundled_folders()]),
            "source": os.path.dirname(os.path.abspath(prosody_py.__file__))}


def activate_hosts(server: Server) -> None:
    """Activate every enabled host of the configuration."""
    for host in server.config.hosts:
        if host.enabled:
            activate_host(server, host.name, host.component_module)


def activate_host(server: Server, name: str,
                  component_module: str | None = None) -> list[str]:
    """Activate one host and load its modules.

    What cannot be loaded is logged, and returned as one text each.
    """
    host = server.activate(name, "component" if component_module else "local")
    host.send = partial(server.post_stanza, host)
    modules = modules_for(server.config, name)
    if not component_module:
        users.watch(server, host)
        modules.insert(0, auth_module(server, name))
    return [problem for module in modules if (problem := try_load(server, name, module))]


def auth_module(server: Server, host: str) -> str:
    """Return the name of the module that has the accounts of a host."""
    return "auth_" + (server.config.get(host, "authentication") or users.DEFAULT_PROVIDER)


def load_module(server: Server, host: str, name: str) -> bool:
    """Load a module unless it is; False (and a line in the log) when that is impossible."""
    return try_load(server, host, name) is None


def try_load(server: Server, host: str, name: str) -> str | None:
    """Load a module unless it is; return (and log) why that is impossible."""
    if server.modules.is_loaded(host, name):
        return None
    try:
        server.modules.load(host, name)
    except LoadError as error:
        if error.code == "global-module-already-loaded":
            return None
        log.error("%s", error)
        return str(error)
    return None
