"""Network services that are written in Lua: a table that a module offers as "net-provider"."""

from __future__ import annotations

from typing import Any

from prosody_py.lua.listeners import LuaListener
from prosody_py.lua.references import LuaCallable, LuaData

# Prosody's limit: its modules write whole files at once.
_MAX_SEND_BUFFER = 32 * 1024 * 1024


class LuaService:
    """The service that a Lua module offers; read like the dict of a Python module.

    `ssl_config` is split into `alpn`, a list of protocols or a function that gives one, and
    `ssl_options`, which are those of an `ssl` mapping.
    """

    def __init__(self, item: LuaData):
        self.item = item
        listener = item.get("listener")
        if not isinstance(listener, LuaData):
            raise ValueError("a net provider needs a table 'listener'")
        self._listener = LuaListener(item.border, listener, item.get("default_mode"))

    def lua_face(self, _border) -> Any:
        """Return the table that the module has made."""
        return self.item.raw

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field, `default` when there is none."""
        if key == "listener":
            return self._listener
        if key == "alpn":
            return self._protocols()
        if key == "ssl_options":
            return self._ssl_options()
        value = self.item.get(key)
        if value is None and key == "max_send_buffer":
            return _MAX_SEND_BUFFER
        if isinstance(value, LuaData):
            value = value.copy()
        return default if value is None else value

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def _ssl_config(self) -> Any:
        found = self.item.get("ssl_config")
        return found if isinstance(found, LuaData) else None

    def _protocols(self) -> list[str]:
        config = self._ssl_config()
        chosen = None if config is None else config.get("alpn")
        border = self.item.border
        if isinstance(chosen, LuaCallable):
            # It is asked for in the middle of an accept, where nothing may wait.
            chosen = border.to_python(border.driver.plain_call(chosen.raw))
        if isinstance(chosen, LuaData):
            chosen = chosen.copy()
        chosen = [chosen] if isinstance(chosen, str) else chosen
        return [name for name in chosen if isinstance(name, str)] if chosen else []

    def _ssl_options(self) -> dict[str, Any]:
        config = self._ssl_config()
        if config is None:
            return {}
        return {key: value for key, value in config.copy().items()
                if key != "alpn" and not isinstance(value, LuaCallable)}
