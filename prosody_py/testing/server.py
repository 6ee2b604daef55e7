"""A whole server in this process, on free loopback ports, with its data in a folder of a test."""

from __future__ import annotations

import os
from typing import Any

import yaml

from prosody_py.api.commands import Call, Registry, running
from prosody_py.app import logs, run
from prosody_py.config.load import load
from prosody_py.hosts import users
from prosody_py.testing.client import Client

DEFAULTS: dict[str, Any] = {
    "interfaces": ["127.0.0.1"],
    "c2s_ports": [0],
    "c2s_require_encryption": False,
    "storage": "memory",
    "default_iteration_count": 4096,
    "password_hashes": ["SHA-1"],
    "log": {"level": "debug"},
    "modules_enabled": ["saslauth", "tls", "roster", "ping", "disco"],
    "hosts": {"localhost": {}},
}


class TestServer:
    """A running server; `server` is its Server object.

    Keyword arguments are options of the configuration, on top of DEFAULTS; `modules` are further
    modules to enable.
    """

    __test__ = False  # not a test case, whatever pytest thinks of its name

    def __init__(self, folder: str, modules: list[str] | None = None, **options: Any):
        self.folder = str(folder)
        self.file = os.path.join(self.folder, "prosody.cfg.yaml")
        self.options = {**DEFAULTS, **options}
        self.options["modules_enabled"] = [*self.options["modules_enabled"], *(modules or [])]
        self.write_config()
        self.server = run.start(self.file)
        self.clients: list[Client] = []

    def write_config(self, **options: Any) -> None:
        """Write the configuration file, with further changes."""
        self.options.update(options)
        with open(self.file, "w", encoding="utf-8") as file:
            yaml.safe_dump(self.options, file, allow_unicode=True)

    def address(self, service: str = "c2s") -> tuple[str, int]:
        """Return where a service listens."""
        for port in self.server.ports.open.values():
            if port.service == service:
                return port.interface, port.port
        raise LookupError(f"{service} has no port")

    def user(self, username: str, password: str = "secret", host: str = "localhost") -> str:
        """Make an account unless it exists; return its address."""
        if not users.user_exists(self.server, username, host):
            users.create_user(self.server, username, password, host)
        return f"{username}@{host}"

    def connect(self, host: str = "localhost", service: str = "c2s") -> Client:
        """Return a fresh connection."""
        client = Client(self.address(service), host)
        self.clients.append(client)
        return client

    def client(self, username: str, resource: str | None = None, host: str = "localhost",
               **login: Any) -> Client:
        """Return a client that is logged in, with an account made for it if need be."""
        self.user(username, host=host)
        return self.connect(host).login(username, resource=resource, **login)

    def command(self, *words: str) -> dict[str, Any]:
        """Run a command as the administration shell does and return its answer.

        That is {"text": ...} or {"columns": ..., "rows": ...}; raises CommandError.
        """
        command, rest = Registry.of(self.server).find(list(words))
        call = Call(self.server, lambda message: None, os.getuid())
        call.registry = Registry.of(self.server)
        return running.run(command, command.parse(rest), call)

    def reload_config(self) -> None:
        """Read the configuration file anew."""
        self.server.config = load(self.file)

    def stop(self) -> None:
        """End the server and its clients."""
        for client in self.clients:
            client.sock.close()
        run.stop(self.server, "end of the test")
        logs.take_down()
