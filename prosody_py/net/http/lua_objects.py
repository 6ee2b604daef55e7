"""What Lua modules give for HTTP: promises, error objects, files and sinks."""

from __future__ import annotations

from typing import Any

from prosody_py.api.http import StatusError
from prosody_py.lua.references import LuaData, LuaReference

LIBRARY = b"net.http.results"


def belongs(value: Any) -> bool:
    """Whether a value is a table or function of Lua's."""
    return isinstance(value, LuaReference)


def _call(server, name: bytes, *args: Any) -> Any:
    """Call a function of the library; `args` as Lua has them."""
    border = server.server.lua
    return border.driver.call(border.lua.globals()[b"require"](LIBRARY)[name], *args)


def kind(server, value: LuaReference) -> tuple[str, Any]:
    """Return ("promise", None), ("error", StatusError) or ("table", None)."""
    if not isinstance(value, LuaData):
        return "table", None
    border = server.server.lua
    found = _call(server, b"kind", value.raw)
    if type(found) is not tuple:
        return found.decode(), None
    _name, code, text = found
    return "error", StatusError(int(code), border.to_python(text), cause=value)


def settle(server, promise: LuaData) -> tuple[bool, Any]:
    """Wait for a promise; return whether it was rejected, and its value or the reason."""
    rejected, value = _call(server, b"settle", promise.raw)
    return bool(rejected), server.server.lua.to_python(value)


def is_foreign(server, value: Any) -> bool:
    """Whether only Lua can use a value, such as a file that it has opened."""
    border = server.server.lua
    return border is not None and (belongs(value) or border.is_lua_value(value))


def write(server, sink: Any, data: bytes) -> None:
    """Write to an object that has `write`, in either language."""
    if is_foreign(server, sink):
        _call(server, b"write", server.server.lua.to_lua(sink), data)
    else:
        sink.write(data)


class LuaFile:
    """An object of Lua's with `read`, and maybe `close`, as a file of Python's."""

    def __init__(self, server, raw: Any):
        self._server, self._raw = server, raw

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, b"" at the end; raises ScriptError."""
        data = _call(self._server, b"read", self._raw, size)
        data = data[0] if type(data) is tuple else data
        return data if type(data) is bytes else b""

    def close(self) -> None:
        """Close it, if it can be closed."""
        _call(self._server, b"close", self._raw)
