"""The server: hosts, sessions by address, the global events. What modules know as `prosody`."""

from __future__ import annotations

import time
from typing import Any

from prosody_py import __version__
from prosody_py.events.bus import Event, Events
from prosody_py.hosts.host import Host, UserSessions


class Server:
    """One running server; handed to whoever needs it, never a module-level variable.

    `hosts` maps names to `Host`, `full_sessions` full JIDs to sessions, `bare_sessions` bare JIDs
    to `UserSessions`. `post_stanza` and `process_stanza` are the router's entry points, set when
    the server is put together.
    """

    def __init__(self, config, paths: dict[str, str] | None = None, failed=None):
        self.config = config
        self.paths = paths or {}
        self.failed = failed
        self.events = Events(failed) if failed else Events()
        self.hosts: dict[str, Host] = {}
        self.full_sessions: dict[str, Any] = {}
        self.bare_sessions: dict[str, UserSessions] = {}
        self.start_time = int(time.time())
        self.version = __version__
        self.started = False       # the server-started event has been fired
        self.stopping = False
        self.not_its_workers = frozenset()  # greenlets that do nothing for this server
        self.measuring = False     # the time of Python modules, see app.measuring
        self.process_type = "prosody"  # "prosodyctl" when only a module's command is run
        self.shutdown_reason: str | None = None
        self.shutdown_code: int | None = None
        self.process_stanza = None
        self.post_stanza = None
        self.activate_host = None  # function(name, component_module), with modules and all
        self.modules = None        # loader.lifecycle.Modules
        self.command_sections = ()  # the commands of the core, see api.commands
        self.storage = None        # storage.open.Storage
        self.lua = None            # lua.runtime.Runtime, once a Lua module is loaded
        self.dns = self.http_client = self.mail = None  # see net.outgoing.OutgoingServices
        self.extras: dict[str, Any] = {}

    def activate(self, name: str, kind: str = "local") -> Host:
        """Add a host; its modules are loaded by those who handle `host-activated`."""
        host = self.hosts[name] = Host(name, kind, self.failed)
        self.events.fire_event("host-activated", name)
        return host

    def deactivate(self, name: str, reason: str | None = None) -> None:
        """Take a host out of service: its sessions are closed, then it is forgotten."""
        host = self.hosts[name]
        self.events.fire_event("host-deactivating",
                               Event(host=name, host_session=host, reason=reason))
        for user in list(host.sessions.values()):
            for session in list(user.sessions.values()):
                session.close("host-gone")
        del self.hosts[name]
        self.events.fire_event("host-deactivated", name)

    def mark_started(self) -> None:
        """Say that everything that is going to be loaded is loaded."""
        self.started = True
        self.events.fire_event("server-started")
