"""Load, reload and unload modules: each a transaction.

Data and owner: `Modules` owns the registry (host -> name -> Module, "*" for global ones) and the
shared tables. An instance is made and its code run with all registrations only noted; when that
has succeeded they are attached in one step. A failure at any point throws the new instance away:
an old one, if there is, has never left service. So a module is either fully there or not at all.

Semantics of success are Prosody's: `load`, `unload`, `save`/`restore`, `ready`, `add_host`,
`module-loaded`, `module-reloaded`, `module-unloaded`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from prosody_py.api.effort import report
from prosody_py.api.errors import LoadError
from prosody_py.api.module import Module
from prosody_py.events.bus import Event
from prosody_py.loader.find import Source, bundled_folders, find
from prosody_py.loader.lua_code import LuaCode
from prosody_py.loader.nothing_code import NothingCode
from prosody_py.loader.python_code import PythonCode, describe_error
from prosody_py.loader.reloading import Reloading
from prosody_py.loader.shared_tables import SharedTables
from prosody_py.loader.switch_off import SwitchOff

log = logging.getLogger("modules")
GLOBAL = "*"


class Modules(Reloading, SharedTables):
    """The modules of one server."""

    def __init__(self, server, folders: list[str] | None = None):
        self.server = server
        self.folders = [*(folders or []), *bundled_folders()]
        self.languages: dict[str, Callable[[Source], Any]] = {
            "python": PythonCode, "lua": partial(LuaCode, server), "none": NothingCode}
        self._modules: dict[str, dict[str, Module]] = {GLOBAL: {}}
        self._shared: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._loading: list[tuple[str, str]] = []
        self.switched_off = SwitchOff(self)
        self.error_in = self.switched_off.error_in
        server.modules = self

    # -- questions -------------------------------------------------------------------------

    def get_modules(self, host: str) -> dict[str, Module]:
        """Return the modules loaded on `host` ("*" for global ones) by name."""
        if host == GLOBAL:
            return self._modules[GLOBAL]
        found = self.server.hosts.get(host)
        return found.modules if found is not None else {}

    def get_module(self, host: str, name: str) -> Module | None:
        """Return a loaded module, also a global one that the host uses."""
        return self.get_modules(host).get(name)

    def is_loaded(self, host: str, name: str) -> bool:
        """Whether `name` is loaded on `host`."""
        return name in self.get_modules(host)

    def find(self, name: str) -> Source:
        """Return the file of a module; raises LoadError naming the folders searched."""
        source = find(name, self.folders)
        if source is None:
            raise LoadError(f"There is no module mod_{name} in {', '.join(self.folders)}",
                            "module-not-found")
        return source

    # -- load ------------------------------------------------------------------------------

    def load(self, host: str, name: str) -> Module:
        """Load `name` on `host`; raises LoadError, and then nothing has changed."""
        if host != GLOBAL and host not in self.server.hosts:
            raise LoadError(f"{host} is not a host of this server", "unknown-host")
        if self.is_loaded(host, name):
            raise LoadError(f"mod_{name} is loaded on {host} already", "module-already-loaded")
        shared = self._modules[GLOBAL].get(name)
        if shared is not None:
            if not shared.code.has("add_host"):
                raise LoadError(f"mod_{name} is a global module and is loaded already",
                                "global-module-already-loaded")
            return self._load_on_host(shared, host)
        if (host, name) in self._loading:
            raise LoadError(f"mod_{name} depends on itself, by way of "
                            + ", ".join("mod_" + other for _host, other in self._loading))
        module = self._prepare(host, name)
        self._commit(module)
        if module.host != host and host != GLOBAL and module.code.has("add_host"):
            self._load_on_host(module, host)
        return module

    def _prepare(self, host: str, name: str, old: Module | None = None,
                 saved: Any = None) -> Module:
        """Make an instance and run its code; nothing of it is in service yet."""
        source = self.find(name)
        if source.remark:
            log.info("%s", source.remark)
        module = Module(self.server, name, host, source.path)
        module.reloading, module.saved_state = old is not None, saved
        self._loading.append((host, name))
        try:
            module.code = self.languages[source.language](source)
            module.code.run(module)
            module.code.call("load")
            if old is not None:
                module.reloading, module.saved_state = False, None
                self._restore(module, saved)
        except LoadError:
            self._discard(module)
            raise
        except Exception as error:
            self._discard(module)
            log.debug("mod_%s", name, exc_info=error)
            raise LoadError(f"mod_{name} could not be loaded on {host}: "
                            f"{describe_error(error)}") from error
        finally:
            self._loading.remove((host, name))
        module.reloading, module.saved_state = False, None
        return module

    def _discard(self, module: Module) -> None:
        """Forget an instance that did not come into service."""
        module.loaded = False
        module.registrations.close()
        self._let_go(module)

    @staticmethod
    def _let_go(module: Module) -> None:
        """Let the code and the environment of an instance go."""
        if module.parent is not None:
            module.exports = None  # its environment, if it is in Lua, knows the instance
            if hasattr(module.code, "forget"):
                module.code.forget(module)
        elif hasattr(module.code, "discard"):
            module.code.discard()

    def _commit(self, module: Module, announce: bool = True) -> None:
        """Put an instance in service."""
        module.loaded = True
        self.get_modules(module.host)[module.name] = module
        self.switched_off.loaded(module.host, module.name)
        try:
            module.registrations.attach()
        except Exception as error:
            self._retire(module, announce=False, call_unload=False)
            log.debug("mod_%s", module.name, exc_info=error)
            raise LoadError(f"mod_{module.name} could not be loaded on {module.host}: "
                            f"{describe_error(error)}") from error
        module.effort.begin()
        log.debug("Loaded mod_%s on %s", module.name, module.host)
        if announce:
            self._announce("module-loaded", module)
        if module.code.has("ready") and module.parent is None:
            module.on_ready(lambda: module.code.call("ready"))

    def _announce(self, event: str, module: Module) -> None:
        module.events.fire_event(event, Event(module=module.name, host=module.host))

    def _prepare_on_host(self, shared: Module, host: str, old: Module | None = None,
                         saved: Any = None) -> Module:
        """Make the host's instance of a shared module; nothing of it is in service yet."""
        module = Module(self.server, shared.name, host, shared.path, shared)
        module.code, module.exports = shared.code, shared.exports
        module.options = shared.options
        try:
            if shared.code.call_for(module, "add_host") is False:
                raise LoadError(f"mod_{shared.name} refuses {host}")
            if old is not None:
                shared.code.call_for(module, "restore_host", {} if saved is None else saved)
        except LoadError:
            self._discard(module)
            raise
        except Exception as error:
            self._discard(module)
            raise LoadError(f"mod_{shared.name} could not be loaded on {host}: "
                            f"{describe_error(error)}") from error
        return module

    def _load_on_host(self, shared: Module, host: str) -> Module:
        module = self._prepare_on_host(shared, host)
        self._commit(module)
        return module

    # -- unload ----------------------------------------------------------------------------

    def unload(self, host: str, name: str) -> None:
        """Unload `name` from `host` and, before it, what depends on it; raises LoadError."""
        module = self.get_module(host, name)
        if module is None:
            raise LoadError(f"mod_{name} is not loaded on {host}", "module-not-loaded")
        for dependant in reversed(self.needing(module)):
            if self.is_loaded(dependant.host, dependant.name):
                self._unload_one(dependant)
        self._unload_one(module)

    def _unload_one(self, module: Module) -> None:
        if module.host == GLOBAL:
            for instance in self._instances(module):
                self._retire(instance)
        self._retire(module)

    @staticmethod
    def _call_unload(module: Module) -> None:
        try:
            if module.parent is None:
                module.code.call("unload")
            else:
                module.code.call_for(module, "unload_host")
        except Exception as error:
            where = getattr(error, "lua_traceback", None)
            log.error("Error in unload of mod_%s on %s: %s", module.name, module.host,
                      describe_error(error), exc_info=None if where else error)
            if where:
                log.debug("%s", where)

    def _retire(self, module: Module, announce: bool = True, call_unload: bool = True) -> None:
        """Take an instance out of service for good."""
        if call_unload:
            self._call_unload(module)
        module.loaded = False
        report(module)
        module.registrations.detach()
        module.registrations.close()
        module.__dict__.pop("shared_tables", None)
        modules = self.get_modules(module.host)
        if modules.get(module.name) is module:
            del modules[module.name]
        self._let_go(module)
        if announce:
            self._announce("module-unloaded", module)

    def _instances(self, module: Module) -> list[Module]:
        """Return the host instances of a shared module."""
        return [host.modules[module.name] for host in self.server.hosts.values()
                if host.modules.get(module.name) is not None
                and host.modules[module.name].parent is module]

    # -- dependencies and items --------------------------------------------------------------

    def depends(self, module: Module, name: str, soft: bool = False) -> Any:
        """Serve `module.depends` (prosody_py.api.sharing)."""
        host = module.host
        disabled = self.server.config.get(host, "modules_disabled") or ()
        if name in disabled:
            if soft:
                return None
            raise LoadError(f"mod_{module.name} needs mod_{name}, which is disabled on {host}")
        needed = self.get_module(host, name)
        if needed is None:
            shared = self._modules[GLOBAL].get(name)
            if shared is not None and (host == GLOBAL or not shared.code.has("add_host")):
                needed = shared
            else:
                try:
                    needed = self.load(host, name)
                except LoadError as error:
                    raise LoadError(f"mod_{module.name} needs mod_{name}: {error}") from error
        module.owner.dependencies[name] = needed
        return needed.exports

    def get_items(self, key: str, host: str) -> list[Any]:
        """Return the items of `key` that modules on `host` offer."""
        return [item for module in self.get_modules(host).values()
                for item in module.items.get(key, ())]
