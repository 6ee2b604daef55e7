"""Lua: the runtime, its driver, and the border between the two languages."""

from __future__ import annotations

from prosody_py.config.options import Options, enum, period, size
from prosody_py.lua.runtime import Runtime


class LuaOptions(Options):
    """The options of the runtime, from the global section."""

    lua_runtime = enum("lua54", "luajit21", doc="Which Lua runs Lua modules.")
    lua_time_limit = period("5 seconds", min="0.01 seconds",
                            doc="CPU time that one call into Lua may take without a pause.")
    lua_memory_limit = size(None, min="1 MB", doc="Memory of all Lua modules.")


def install(server) -> None:
    """Let the server end its Lua runtime when it stops; the runtime is made when it is needed."""
    server.events.add_handler("server-cleanup", lambda _event: close(server), -100)


def runtime_of(server) -> Runtime:
    """Return the server's runtime, made the first time; raises ConfigError."""
    if server.lua is None:
        options = LuaOptions.read(server.config, "*")
        server.lua = Runtime(server, options.lua_runtime, time_limit=options.lua_time_limit,
                             memory_limit=options.lua_memory_limit or 0)
    return server.lua


def close(server) -> None:
    """End the runtime's timers and let go of it."""
    if server.lua is not None:
        server.lua.close()
        server.lua = None
