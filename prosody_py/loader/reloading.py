"""Reload modules: a fresh instance takes the place of the one in service, or nothing changes.

A shared module (`add_host`) is reloaded as one: the global part and all its host instances. Those
that depend on a reloaded module are reloaded after it, once each, in the order of their
dependencies.
"""

from __future__ import annotations

import logging
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.api.module import Module
from prosody_py.loader.python_code import describe_error
from prosody_py.loader.shared_tables import keep_tables

log = logging.getLogger("modules")
GLOBAL = "*"


class Reloading:
    """`reload`, mixed into prosody_py.loader.lifecycle.Modules."""

    def reload(self, host: str, name: str) -> Module:
        """Put a fresh instance in the place of a loaded one; raises LoadError.

        On an error the old instance is in service as before, with everything it had.
        """
        old = self.get_module(host, name)
        if old is None:
            raise LoadError(f"mod_{name} is not loaded on {host}", "module-not-loaded")
        if old.parent is not None:
            old = old.parent
        module = self._reload_one(old)
        for dependant in self.needing(module):
            if self.is_loaded(dependant.host, dependant.name):
                try:
                    self._reload_one(dependant.parent or dependant)
                except LoadError as error:
                    log.error("mod_%s needs mod_%s and could not be reloaded after it; the old "
                              "one stays in service: %s", dependant.name, name, error)
        return self.get_module(host, name) or module

    def _save(self, old: Module) -> Any:
        """Return what an instance has for the one that replaces it; raises LoadError."""
        try:
            if old.parent is not None:
                return old.code.call_for(old, "save_host")
            return old.code.call("save")
        except Exception as error:
            if not self.server.config.get(old.host, "force_module_reload"):
                raise LoadError(f"mod_{old.name} could not save its state: "
                                f"{describe_error(error)}", "save-state-failed") from error
        return None

    def _reload_one(self, old: Module) -> Module:
        saved = self._save(old)
        instances = self._instances(old) if old.host == GLOBAL else []
        saved_on = {instance.host: self._save(instance) for instance in instances}
        # A Lua module may count on the old instance's `unload` running before its own code.
        unload_first = old.code.language == "lua" and old.code.has("unload")
        if unload_first:
            self._call_unload(old)
        fresh: list[Module] = []
        module = None
        try:
            module = self._prepare(old.host, old.name, old, saved)
            for instance in instances:
                fresh.append(self._prepare_on_host(module, instance.host, instance,
                                                   saved_on[instance.host]))
        except LoadError:
            for instance in [*fresh, *([module] if module else ())]:
                self._discard(instance)
            if unload_first:
                self._revive(old, saved)
            raise
        # From here on nothing fails and nothing waits: old ones out, new ones in.
        old.reloading = True
        keep_tables(old, module)
        for instance in fresh:
            keep_tables(self.get_module(instance.host, instance.name), instance)
        for instance in [*instances, old]:
            self._retire(instance, announce=False,
                         call_unload=not (unload_first and instance is old))
        for instance in [module, *fresh]:
            self._commit(instance, announce=False)
        for instance in [module, *fresh]:
            self._announce("module-reloaded", instance)
        log.info("Reloaded mod_%s on %s", module.name, module.host)
        return module

    def _revive(self, old: Module, saved: Any) -> None:
        """Load an instance again whose `unload` was called for a reload that failed."""
        old.reloading, old.saved_state = True, saved
        try:
            old.code.call("load")
            self._restore(old, saved)
        except Exception as error:
            log.error("mod_%s on %s stays in service, but its load failed after the reload "
                      "that failed: %s", old.name, old.host, describe_error(error))
        old.reloading, old.saved_state = False, None

    @staticmethod
    def _restore(module: Module, saved: Any) -> None:
        if module.code.has("restore"):
            module.code.call("restore", {} if saved is None else saved)

    def needing(self, module: Module) -> list[Module]:
        """Return what depends on `module`, those that need others of them last."""
        found: list[Module] = []

        def visit(name: str, host: str) -> None:
            hosts = [host] if host != GLOBAL else [GLOBAL, *self.server.hosts]
            for where in hosts:
                for other in list(self.get_modules(where).values()):
                    if name in other.dependencies and other not in found:
                        visit(other.name, other.host)
                        found.insert(0, other)

        visit(module.name, module.host)
        return [other for other in found if other is not module]
