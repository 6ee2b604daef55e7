"""Reload the configuration: compare, then change what has to change, while clients stay.

A file that cannot be read, that has values which the server cannot work with, or names modules
that there are not, changes nothing.
Otherwise each step is taken for itself: what cannot be done is reported with its reason, the rest
is done. Modules are reloaded when an option that they declare or read has another value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gevent import get_hub

from prosody_py.api.errors import LoadError
from prosody_py.app import logs, places
from prosody_py.app.checks import module_files
from prosody_py.app.checks.mistakes import mistakes
from prosody_py.app.checks.modules import ALWAYS, look
from prosody_py.app.errors import StartupError
from prosody_py.app.startup import activate_host, auth_module, try_load
from prosody_py.config.check import check
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.hosts import modules_for
from prosody_py.config.load import load
from prosody_py.config.plan import Plan, diff
from prosody_py.config.problems import ConfigError
from prosody_py.events.bus import Event
from prosody_py.loader.find import bundled_folders

log = logging.getLogger("config")
_AT_START = ("data_path", "lua_runtime", "pidfile", "run_as_root", "umask")
_STORES = {"storage", "default_storage"}


@dataclass
class Report:
    """What a reload has done: the plan, remarks, and (what, why) of each step that failed."""

    plan: Plan
    remarks: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([str(self.plan), *self.remarks,
                          *(f"failed: {what}: {why}" for what, why in self.failed)])


def reload_config(server) -> Report:
    """Read the server's configuration file anew and apply it.

    Raises ConfigError when the file cannot be used (then nothing has changed), StartupError when
    another reload is under way.
    """
    if server.extras.get("reloading"):
        raise StartupError("A reload of the configuration is under way already")
    server.extras["reloading"] = True
    try:
        # A large file takes a while to parse; clients need not wait for it.
        config, remarks = get_hub().threadpool.apply(_read, (server.config.file,))
        if isinstance(config, ConfigError):
            raise config
        report = _Reload(server, config).run()
        report.remarks += remarks
    except ConfigError as error:
        for problem in error.problems:
            log.error("%s", problem)
        raise
    finally:
        server.extras["reloading"] = False
    for line in str(report).splitlines():
        log.info("Reload: %s", line)
    return report


def _read(file: str) -> tuple[Config | ConfigError, list[str]]:
    """Return the configuration in a file and remarks on it, or what is wrong with it.

    An error that is raised in a thread would be logged with a traceback, as if it were a fault.
    """
    try:
        config = load(file)
        known = look(config)
        wrong = [*mistakes(config, known), *known.missing]
    except ConfigError as error:
        return error, []
    if wrong:
        return ConfigError(wrong), []
    return config, [str(problem) for problem in check(config, known.schema)]


def deactivate_host(server, name: str, reason: str | None = None) -> list[str]:
    """Take a host out of service: its clients are told, its modules unloaded.

    Returns a text for each module that could not be unloaded.
    """
    host = server.hosts[name]
    for user in list(host.sessions.values()):
        for session in list(user.sessions.values()):
            session.close("host-gone", reason)
    failed = []
    for module in reversed(list(host.modules)):
        if module in host.modules:
            try:
                server.modules.unload(name, module)
            except LoadError as error:
                failed.append(str(error))
    server.deactivate(name, reason)
    return failed


class _Reload:
    """The steps from the configuration in force to another one."""

    def __init__(self, server, config: Config):
        self.server, self.config = server, config
        self.plan = diff(server.config, config)
        self.report = Report(self.plan)
        self.changes = self.plan.changes
        again = [name for name, change in self.changes.items()
                 if name != GLOBAL and "authentication" in change.affected]
        for name in again:
            self.report.remarks.append(f"{name}: its accounts come from elsewhere now, so its "
                                       "clients have to log in again")
        self.hosts_removed = [*self.plan.hosts_removed, *again]
        self.hosts_added = [*self.plan.hosts_added, *again]

    def run(self) -> Report:
        """Take all steps; return what came of them."""
        server = self.server
        server.events.fire_event("reloading-config")
        before = self._affected_modules()
        unwanted = {name for host in self.hosts_removed
                    for name in getattr(server.hosts.get(host), "modules", ())}
        unwanted |= {name for change in self.changes.values() for name in change.modules_removed}
        server.config = self.config
        server.modules.folders = [*places.plugin_folders(self.config), *bundled_folders()]
        self._step("log", lambda: logs.set_up(self.config, self.config.directory))
        server.events.fire_event("reopen-log-files")
        for name in self.hosts_removed:
            if name in server.hosts:
                self._step(f"host {name}", self._deactivate, name)
        self._step("certificates", server.tls.reload)
        for name in self.hosts_added:
            self._step(f"host {name}", self._activate, name)
        self._unload()
        self._reload_modules(before)
        self._load_missing()
        self._unload_global(unwanted)
        self._step("ports", self._ports)
        for name in _AT_START:
            if GLOBAL in self.changes and name in self.changes[GLOBAL].affected:
                self.report.remarks.append(f"{name}: takes effect when the server starts again")
        server.events.fire_event(
            "config-reloaded", Event(filename=self.config.file, config=self.config))
        return self.report

    def _step(self, what: str, step: Callable[..., Any], *args: Any) -> None:
        try:
            step(*args)
        except (LoadError, StartupError, ValueError, OSError) as error:
            self._failed(what, str(error))
        except Exception as error:
            log.error("Error in the reload of %s", what, exc_info=error)
            self._failed(what, f"{type(error).__name__}: {error}")

    def _failed(self, what: str, why: str) -> None:
        log.error("Reload of %s: %s", what, why)
        self.report.failed.append((what, why))

    # -- hosts -----------------------------------------------------------------------------

    def _deactivate(self, name: str) -> None:
        for problem in deactivate_host(self.server, name, "The host is not served any more"):
            self._failed(name, problem)

    def _activate(self, name: str) -> None:
        record = self.config.host(name)
        for problem in activate_host(self.server, name, record.component_module):
            self._failed(name, problem)

    # -- modules ---------------------------------------------------------------------------

    def _affected_modules(self) -> list:
        """Return the loaded modules that read an option whose value changes."""
        found: list = []
        for host, change in self.changes.items():
            for module in list(self.server.modules.get_modules(host).values()):
                module = module.parent or module
                if module not in found and self._reads(module, change.affected):
                    found.append(module)
        return found

    def _reads(self, module, changed: frozenset[str]) -> bool:
        if module.host != GLOBAL and changed & _STORES:
            return True  # the stores that it has open are the old ones
        if not changed:
            return False
        try:
            file = module_files.read(self.server.modules.find(module.name))
        except LoadError as error:
            self._failed(f"mod_{module.name}", str(error))
            return False
        return bool(file.names & changed)

    def _unload(self) -> None:
        for host, change in self.changes.items():
            for name in change.modules_removed:
                if host not in self.server.hosts or not self.server.modules.is_loaded(host, name):
                    continue
                needed_by = self._needed_by(name, host)
                if needed_by:
                    self.report.remarks.append(f"{name} stays loaded on {host}: {needed_by} "
                                               "needs it")
                else:
                    self._step(f"mod_{name} on {host}", self.server.modules.unload, host, name)

    def _needed_by(self, name: str, host: str) -> str | None:
        hosts = [host] if host != GLOBAL else [GLOBAL, *self.server.hosts]
        return next((str(module) for where in hosts
                     for module in self.server.modules.get_modules(where).values()
                     if name in module.dependencies), None)

    def _reload_modules(self, before: list) -> None:
        modules = self.server.modules
        for module in before:
            # One that needs another was reloaded with it.
            if modules.get_module(module.host, module.name) is module:
                self._step(str(module), modules.reload, module.host, module.name)

    def _load_missing(self) -> None:
        """Load what is wanted and not there: what is new, and what could not be loaded before."""
        for host in self.config.hosts:
            if host.name not in self.server.hosts or host.name in self.hosts_added:
                continue
            wanted = modules_for(self.config, host.name)
            if host.component_module is None:
                wanted.insert(0, auth_module(self.server, host.name))
            for name in wanted:
                problem = try_load(self.server, host.name, name)
                if problem is not None:
                    self.report.failed.append((host.name, problem))

    def _unload_global(self, names: set[str]) -> None:
        """Unload the server's part of modules that no host wants any more."""
        wanted = {name for host in self.server.hosts for name in modules_for(self.config, host)}
        for name in sorted(names - wanted - set(ALWAYS)):
            used = any(self.server.modules.is_loaded(host, name) for host in self.server.hosts)
            if (self.server.modules.is_loaded(GLOBAL, name) and not used
                    and not name.startswith("storage_") and not self._needed_by(name, GLOBAL)):
                self._step(f"mod_{name}", self.server.modules.unload, GLOBAL, name)

    # -- ports -----------------------------------------------------------------------------

    def _ports(self) -> None:
        ports = self.server.ports
        ports.update()
        for address, service in ports.wanted().items():
            if address not in ports.open:
                self._failed(service, f"port {address[1]} on {address[0]} cannot be opened; the "
                             "log says why")
