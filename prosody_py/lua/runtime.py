"""The Lua runtime of a server: one interpreter, and everything that stands at its border.

Strings cross as bytes and are decoded on purpose (prosody_py.lua.values). No Python object is
ever visible to Lua code except as a proxy.

LuaJIT runs with its compiler switched off: compiled traces do not look at the hook that interrupts
an endless loop, so with the compiler such a loop stops the server for good. A loop of thirty
rounds in a handler takes 0.3 us with it and 0.8 us without. The hook itself costs Lua 5.4 a third
of the time of the instructions that a handler runs, and LuaJIT a fifth.
"""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

from prosody_py.api.effort import Account
from prosody_py.lua import guard, native, searcher
from prosody_py.lua.driver import Driver, ScriptError
from prosody_py.lua.environment import Environment
from prosody_py.lua.events import Handlers
from prosody_py.lua.faces import faces
from prosody_py.lua.holders import Holders
from prosody_py.lua.proxies import Proxies
from prosody_py.lua.references import Identities, LuaReference
from prosody_py.lua.stanzas import LuaStanza, Stanzas
from prosody_py.lua.values import Values, decode, encode
from prosody_py.lua.waiting import Waiting
from prosody_py.xmpp.errors import StanzaError, StreamError
from prosody_py.xmpp.stanza import Stanza

KINDS = ("lua54", "luajit21")
_HERE = os.path.dirname(os.path.abspath(__file__))
_BORDER = os.path.join(_HERE, "border")
LIB = os.path.join(_HERE, "lib")
_REQUESTS = frozenset(("call_method", "call_function", "send_later", "wait", "sleep",
                       "fire_event"))  # called by the driver, not by Lua
_LEVELS = {b"debug": logging.DEBUG, b"info": logging.INFO, b"warn": logging.WARNING,
           b"warning": logging.WARNING, b"error": logging.ERROR}


def _refuse(_obj: Any, _name: Any, _setting: bool) -> Any:
    raise AttributeError("Lua has no access to the fields of Python objects")


class Runtime(Values, Handlers, Environment):
    """One interpreter with its border.

    `kind` is "lua54" or "luajit21"; `time_limit` the CPU seconds that Lua code may run without
    a pause; `memory_limit` the bytes that it may hold in all, 0 for no limit. `epoch` counts the
    times Lua has run or may have changed something. `account.effort` is that of the module
    whose code runs: the functions that it hands over to Python are on its account.
    """

    carried_errors = (StanzaError, StreamError)

    def __init__(self, server, kind: str = "lua54", *, time_limit: float = 5.0,
                 memory_limit: int = 0):
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a Lua runtime; there are {', '.join(KINDS)}")
        lupa = importlib.import_module("lupa." + kind)
        self.server, self.kind, self.memory_limit = server, kind, memory_limit
        self.log = logging.getLogger("lua")
        self.lua_error = lupa.LuaError
        self.lua = lua = lupa.LuaRuntime(
            encoding=None, unpack_returned_tuples=True, register_eval=False,
            register_builtins=False, attribute_filter=_refuse,
            max_memory=0 if memory_limit else None)
        self.table_type = type(lua.table())
        self.function_type = type(lua.eval(b"function() end"))
        self._raw_type = self.table_type.__mro__[1]
        self.epoch = 0
        self.account = Account()
        self.identities = Identities()
        self.open_events: dict[int, Any] = {}
        self.holders = Holders()
        self.waiting = Waiting(self)
        self.proxies = Proxies(self, faces())
        self._put_together(time_limit)

    # -- construction ----------------------------------------------------------------------

    def run_file(self, name: bytes | str, *args: Any) -> Any:
        """Run a file of the folder border/ with arguments; return what it returns."""
        name = name.decode() if isinstance(name, bytes) else name
        with open(os.path.join(_BORDER, name), "rb") as file:
            source = file.read()
        return self._load(source, encode("=border/" + name))(*args)

    def table(self, functions: dict[str, Any]) -> Any:
        """Return a Lua table of Python functions for the border's own Lua code."""
        table = self.lua.table()
        for name, value in functions.items():
            table[encode(name)] = value if name in _REQUESTS else guard.watched(value)
        return table

    def _put_together(self, time_limit: float) -> None:
        lua = self.lua
        lua.execute(b"python = nil; package.loaded.python = nil; if jit then jit.off() end")
        self._memory = lua.execute(b"local collectgarbage = collectgarbage; "
                                   b"return function() return collectgarbage('count') end")
        self._load = lua.execute(b"local load = loadstring or load; return function(source, name) "
                                 b"return assert(load(source, name)) end")
        native.install(lua)
        searcher.install(lua, LIB)
        config = lua.table()
        config[b"time_limit"] = float(time_limit)
        scheduler = self.run_file("scheduler.lua", config)
        self.driver = Driver(self, scheduler)
        event_functions = {"set_field": self.set_event_field, "field": self.event_field,
                           "fields": self.event_fields, "changed": self.stanza_changed}
        # The parts of the border load each other's files through Lua, not through a request.
        self.parts = parts = self.run_file(
            "border.lua", self._file_runner(), scheduler, self.table(self.proxies.functions()),
            self.table(event_functions), self.table(self.waiting.functions()))
        self.proxies.connect(parts[b"proxy"])
        events = parts[b"events"]
        self.enter_stanza = self.driver.guarded(events[b"enter_stanza"])
        self.take_table, self.leave_event = events[b"take"], events[b"leave"]
        self.enter_event = self.driver.guarded(events[b"enter_event"])
        self.forget_event = events[b"forget"]
        self.stanzas = Stanzas(self, parts[b"stanza"])
        data = parts[b"data"]
        # All is looked up now: an index into a lupa table goes wrong below a Lua frame.
        self._data = {decode(name): data[name] for name in data}
        self._identify, self._home = self._data["identify"], self._data["home"]
        self.data_get, self.data_set = self._data["get"], self._data["set"]
        self.data_size, self.data_keys = self._data["size"], self._data["keys"]
        self.raw_get = self._data["raw_get"]
        self._error_object, self._describe = parts[b"error_object"], parts[b"describe"]
        self._tostring = parts[b"tostring"]
        self.build_environment()
        self._new_store = parts[b"new_store"]

    def _file_runner(self) -> Any:
        sources = self.lua.table()
        for name in os.listdir(_BORDER):
            with open(os.path.join(_BORDER, name), "rb") as file:
                sources[name.encode()] = file.read()
        return self.lua.eval(
            b"function(sources, load) return function(name, ...) "
            b"return load(sources[name], '=border/' .. name)(...) end end")(sources, self._load)

    # -- values ----------------------------------------------------------------------------

    def _object_to_lua(self, value: Any, kind: type) -> Any:
        if kind is LuaStanza:
            return value.lua.table
        if isinstance(value, LuaReference):
            return value.raw
        if isinstance(value, Stanza):
            return self.stanzas.to_lua(value)
        face = getattr(value, "lua_face", None)
        if face is None and isinstance(value, str):
            return encode(str(value))
        if isinstance(value, int):
            return int(value)
        if isinstance(value, (tuple, frozenset, set)):
            return self.copy_to_lua(value)
        if isinstance(value, self._raw_type):
            return value
        return face(self) if face is not None else self.proxies.to_lua(value)

    def is_lua_value(self, raw: Any) -> bool:
        """Whether a raw value keeps something alive in Lua."""
        return isinstance(raw, self._raw_type)

    def describe_function(self, raw: Any) -> str:
        """Return file and line of a Lua function."""
        return decode(self._describe(raw))

    def memory(self) -> int:
        """Return the bytes that all of Lua holds, garbage included."""
        return int(self._memory() * 1024)

    # -- errors ----------------------------------------------------------------------------

    def error_to_lua(self, error: Exception) -> Any:
        """Return the Lua error value for an exception."""
        if isinstance(error, ScriptError):
            return error.raw
        if isinstance(error, StanzaError):
            text = None if error.text is None else encode(error.text)
            error.__traceback__ = None  # its frames may hold lupa objects, see Values
            return self._error_object(error, encode(error.type), encode(error.condition), text)
        if isinstance(error, (LookupError, TypeError, AttributeError, AssertionError)):
            self.log.debug("Python error on its way to Lua", exc_info=error)
            return encode(f"{type(error).__name__}: {error}")
        return encode(str(error) or type(error).__name__)

    def describe_error(self, value: Any) -> str:
        """Return the text of a Lua error value."""
        if isinstance(value, str):
            return value
        if isinstance(value, LuaReference):
            return self._text_of(value.raw)
        if value is None:
            return "error without a value: error(nil)"
        return f"(error value is {value!r})"

    def _text_of(self, raw: Any) -> str:
        """Return what `tostring` gives, which may be code of a module: an entry of its own."""
        try:
            text = self.driver.call(self._tostring, raw)
        except Exception:
            text = None
        if type(text) is not bytes:
            return "(error value is a table whose __tostring fails)"
        return decode(text)

    # -- logging ---------------------------------------------------------------------------

    @staticmethod
    def log_level(raw: Any) -> int:
        """Return the number of one of Prosody's levels."""
        return _LEVELS.get(raw, logging.INFO)

    def logger_of(self, obj: Any) -> Any:
        """Return the logger of a session or another object with a `log`."""
        logger = getattr(obj, "log", None)
        return logger if hasattr(logger, "isEnabledFor") else self.log

    def module_of_exports(self, namespace: Any) -> Any:
        """Return the module whose exports these are."""
        if self.server.modules is None:
            return None
        for host in ("*", *self.server.hosts):
            for module in self.server.modules.get_modules(host).values():
                if module.exports is namespace:
                    return module
        return None

    @staticmethod
    def lua_face(_border) -> None:
        """Say that the border itself is not there for Lua."""
        return None

    def close(self) -> None:
        """End all timers; the interpreter goes when nobody holds it."""
        self.waiting.close()
