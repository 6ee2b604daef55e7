"""The object that a module knows as `module`, in both languages.

Data and owner: one `Module` per loaded instance, that is per module and host; a global module
has the host "*", and a shared one (with `add_host`) further instances, one per host, whose
`parent` is the global one. The loader makes it, runs the module's code with it, and attaches its
registrations when that has succeeded.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from prosody_py.api.effort import Effort
from prosody_py.api.hooking import Hooking
from prosody_py.api.http import HttpUrls
from prosody_py.api.items import Items
from prosody_py.api.option_getters import OptionGetters
from prosody_py.api.outgoing import Outgoing
from prosody_py.api.registrations import Registrations
from prosody_py.api.reporting import Reporting
from prosody_py.api.sharing import Sharing
from prosody_py.api.timing import Timing, Undoing
from prosody_py.api.traffic import Traffic
from prosody_py.events.bus import Event

_STATUS = {"core": 1, "info": 2, "warn": 3, "error": 4}  # by weight
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING,
           "warning": logging.WARNING, "error": logging.ERROR}


class Module(Hooking, Items, OptionGetters, Timing, Undoing, Sharing, Traffic, Outgoing,
             HttpUrls, Reporting):
    """One loaded instance of a module.

    `name`, `host` ("*" for a global one) and `path` say what and where; `options` holds the
    checked options of a Python module; `exports` is what `depends` gives to others; `reloading`
    is true while a new instance loads in place of an old one.
    """

    def __init__(self, server, name: str, host: str, path: str = "", parent=None):
        self.server = server
        self.name = name
        self.host = host
        self.path = path
        self.parent: Module | None = parent
        self.host_object = server.hosts.get(host)
        self.registrations = Registrations()
        self.items: dict[str, list[Any]] = {}
        self.pending_iqs: dict[tuple[str, str], Any] = {}
        self.dependencies: dict[str, Any] = {}
        self.options: Any = None
        self.code: Any = None            # the loader's handle on the module's code
        self.exports: Any = None
        self.loaded = False
        self.reloading = False
        self.saved_state: Any = None
        self.effort = Effort(self)
        self.status_type = "info"
        self.status_message = ""
        self.status_time: float | None = None
        self._log = logging.getLogger("mod_" + name)

    @property
    def owner(self) -> Module:
        """This module; a context of it answers the same."""
        return self

    @property
    def reverse_dependencies(self) -> dict[str, Module]:
        """The modules that depend on this one, by name."""
        hosts = [self.host] if self.host != "*" else ["*", *self.server.hosts]
        return {other.name: other for host in hosts
                for other in self.server.modules.get_modules(host).values()
                if other.dependencies.get(self.name) is self}

    @property
    def is_global(self) -> bool:
        """Whether this instance is the server's and not a host's."""
        return self.host == "*"

    @property
    def events(self):
        """The events that `hook` and `fire_event` mean."""
        return self.host_object.events if self.host_object is not None else self.server.events

    def host_modules(self) -> dict[str, Module]:
        """Return the modules that are loaded where this one is."""
        return self.server.modules.get_modules(self.host)

    def set_global(self) -> None:
        """Make this module the server's instead of a host's; only while it loads."""
        if self.loaded:
            raise RuntimeError("set_global is for a module that is being loaded")
        self.host = "*"
        self.host_object = None

    def get_name(self) -> str:
        """Return the module's name, without "mod_"."""
        return self.name

    def get_host(self) -> str:
        """Return the name of the module's host."""
        return self.host

    def get_host_type(self) -> str | None:
        """Return "local", "component", or "global"; None for a host that is not ours."""
        if self.host == "*":
            return "global"
        return self.host_object.type if self.host_object is not None else None

    # -- log and status --------------------------------------------------------------------

    def log(self, level: str, message: str, *args: Any, **more: Any) -> None:
        """Write a line to the log: level debug, info, warn or error, then a %-format."""
        self._log.log(_LEVELS.get(level, logging.INFO), message, *args, stacklevel=2, **more)

    def set_status(self, type: str, message: str = "", override: bool | None = None) -> None:
        """Say how the module does: type "info", "warn", "error" or "core".

        An "error" stays until another one, or until `override`. With `override` False nothing
        replaces what is worse. Fires `module-status/updated`.
        """
        if type not in _STATUS:
            self.log("error", "set_status: %r is no type of status, taken as info", type)
            type = "info"
        worse = _STATUS[type] < _STATUS[self.status_type]
        if worse and (override is False or self.status_type == "error" and not override):
            return
        self.status_type, self.status_message, self.status_time = type, message, time.time()
        self.fire_event("module-status/updated", Event(name=self.name))

    def get_status(self) -> tuple[str, str]:
        """Return what was said last with `set_status`."""
        return self.status_type, self.status_message

    def log_status(self, level: str, message: str, *args: Any) -> None:
        """Log a line and make it the status."""
        self.log(level, message, *args)
        self.set_status(level, message % args if args else message)

    @property
    def errors(self) -> int:
        """How many of its calls have failed since it was loaded."""
        return self.effort.errors

    @property
    def last_error(self) -> str | None:
        """In what the last error was, such as the name of an event."""
        return self.effort.last_error

    def count_error(self, where: str) -> None:
        """Note that one of the module's functions has failed, for `module list`."""
        self.effort.errors += 1
        self.effort.last_error = where
        modules = self.server.modules
        if modules is not None:
            modules.error_in(self)

    def __repr__(self) -> str:
        return f"mod_{self.name} on {self.host}"
