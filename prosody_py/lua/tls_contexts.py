"""TLS contexts in Lua: what `ssl.newcontext` and core.certmanager make."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

from prosody_py.lua.proxies import Face


class LuaTlsContext:
    """A context with the options that it was made from, such as `mode`."""

    def __init__(self, context: SSL.Context, options: dict[str, Any]):
        self.context, self.options = context, options
        self.extras: dict[str, Any] = {}


def make(border, raw: Any) -> LuaTlsContext:
    """Return a context for a Lua table of LuaSec's options; raises ValueError."""
    options = border.copy_to_python(raw)
    if not isinstance(options, dict):
        raise ValueError("a table of options is needed")
    return LuaTlsContext(border.server.network.context(options), options)


def context_of(border, raw: Any) -> SSL.Context | None:
    """Return the context in what a Lua function was given: an object, options, or nothing."""
    value = border.to_python(raw)
    if value is None:
        return None
    held = value if isinstance(value, LuaTlsContext) else make(border, raw)
    return held.context


class ContextFace(Face):
    """A TLS context."""

    sealed = True
    fields = {"mode": lambda border, held: held.options.get("mode")}
