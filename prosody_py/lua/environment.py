"""The environments of Lua modules and what all of them share: `prosody`, the module API.

The other half is border/environment.lua and border/module.lua.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from prosody_py.lua import api, guard
from prosody_py.lua.server_requests import PLAIN, REQUESTS
from prosody_py.lua.values import decode, encode
from prosody_py.storage.interface import REMOVE

_SERVER_FIELDS = ("hosts", "events", "full_sessions", "bare_sessions", "paths", "start_time")
_SERVER_STATE = {
    b"process_type": lambda server: server.process_type,
    b"config_file": lambda server: server.config.file,
    b"config": lambda server: server.config,
    b"shutdown_reason": lambda server: server.shutdown_reason,
    b"shutdown_code": lambda server: server.shutdown_code,
}


class Environment:
    """Makes environments for the modules of one runtime; mixed into it."""

    def build_environment(self) -> None:
        """Set up the globals; the border is complete when this is called."""
        server, parts = self.server, self.parts
        fields = self.lua.table()
        for name in _SERVER_FIELDS:
            fields[encode(name)] = self.to_lua(getattr(server, name))
        shared = {name: self._asking(function, server) for name, function in REQUESTS.items()}
        plain = {name: self._plain(function, server) for name, function in PLAIN.items()}
        self.run_file("server.lua", self.parts, self.table(plain), self.lua.table_from(
            {encode(name): function for name, function in shared.items()}))
        core = self.lua.table_from({encode(name): call for name, call in shared.items()})
        core[b"log"] = guard.watched(self.waiting.log)
        core[b"server_state"] = guard.watched(self._server_state)
        self._globals = self.run_file("environment.lua", parts, core, fields,
                                      encode(server.version), b"posix")
        self._mark_started = self._globals[b"mark_started"]
        if server.started:
            self.driver.call(self._mark_started)
        else:
            server.events.add_handler("server-started", self._server_started, 1000)
        module_py = {"log_enabled": self._module_log_enabled, "module_log": self._module_log,
                     "has_handlers": self._has_handlers,
                     "fire_event": self._asking(api.fire_event)}
        self._modules = self.run_file(
            "module.lua", parts, self.table(module_py),
            self.table({name: self._plain(function) for name, function in api.PLAIN.items()}),
            self.lua.table_from({encode(name): self._asking(function)
                                 for name, function in api.ASKING.items()}),
            self._globals)
        self.run_file("measures.lua", self._modules)
        self._new_module = self._modules[b"new"]
        self._weak_table = self._modules[b"weak_table"]
        self._compile = self._globals[b"compile"]
        self.remove_mark = REMOVE
        self.features = frozenset(decode(self._globals[b"features"]).split())

    def _server_started(self, _event: Any) -> None:
        self.driver.call(self._mark_started)

    def _server_state(self, name: Any) -> Any:
        state = _SERVER_STATE.get(name)
        return None if state is None else self.to_lua(state(self.server))

    def _plain(self, function: Callable[..., Any], *first: Any) -> Callable[..., Any]:
        def call(*raw: Any) -> Any:
            self.epoch += 1
            try:
                result = function(self, *first, *raw)
            except Exception as error:
                return False, self.error_to_lua(error)
            return (True, *result) if type(result) is tuple else (True, result)
        return call

    def _asking(self, function: Callable[..., Any], *first: Any) -> Callable[..., Any]:
        return lambda *raw: function(self, *first, *raw)

    @staticmethod
    def _logger(module: Any) -> logging.Logger:
        return module.owner._log

    def _module_log_enabled(self, module: Any, raw_level: Any) -> bool:
        return self._logger(module).isEnabledFor(self.log_level(raw_level))

    def _module_log(self, module: Any, raw_level: Any, text: bytes) -> None:
        self._logger(module).log(self.log_level(raw_level), "%s", decode(text))

    @staticmethod
    def _has_handlers(module: Any, name: Any) -> bool:
        events = module.events
        return events.wrapped or type(name) is not bytes or decode(name) in events.index

    # -- module instances ------------------------------------------------------------------

    def compile(self, source: bytes, path: str, environment: Any) -> Any:
        """Return a Lua function for the code; raises SyntaxError with file and line in its text."""
        result = self._compile(source, encode("@" + path), environment)
        if type(result) is tuple:
            raise SyntaxError(decode(result[1]))
        return result

    def new_module(self, module: Any, parent: Any = None) -> tuple[Any, Any]:
        """Return the API table and the environment of a new instance; `parent` is an API table."""
        return self._new_module(id(module), module, encode(module.name), encode(module.host),
                                encode(module.path), parent)

    def weak_table(self) -> Any:
        """Return a new Lua table that holds neither its keys nor its values."""
        return self.to_python(self._weak_table())

    def raw_function(self, table: Any, name: str) -> Any:
        """Return a function that a module has assigned, None for what is only inherited."""
        value = self.raw_get(table, encode(name))
        return value if isinstance(value, self.function_type) else None

    def store_to_lua(self, store: Any) -> Any:
        """Return a store as a table with methods."""
        return self._new_store(store, *map(encode, store.methods))
