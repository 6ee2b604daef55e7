"""A module that has no file: its environment, and running code in it.

The server has its configured hosts with their accounts and stores, and no ports. The module is in
service: what it hooks is called, and its timers run as long as there is something to run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.api.module import Module
from prosody_py.app import process
from prosody_py.app.errors import CommandError
from prosody_py.app.startup import assemble, auth_module
from prosody_py.config.config import GLOBAL, Config
from prosody_py.hosts import users
from prosody_py.loader.python_code import describe_error
from prosody_py.lua import runtime_of
from prosody_py.lua.values import decode, encode

_TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prompt.lua")
_ENDS = ("near <eof>", "near '<eof>'")


class Incomplete(Exception):
    """The code breaks off where more has to follow."""


class Place:
    """Runs Lua code for one module; made by `open_place`."""

    def __init__(self, server, module: Module):
        self.runtime = runtime = runtime_of(server)
        _api, self._environment = runtime.new_module(module)
        module.exports = runtime.to_python(self._environment)
        module.loaded = True
        module.registrations.attach()
        with open(_TOOLS, "rb") as file:
            tools = runtime.compile(file.read(), "=prompt", runtime.lua.globals())
        self._run, self._names = runtime.driver.call(tools, self._environment)

    def run(self, source: bytes, path: str) -> None:
        """Run a whole file; raises CommandError with Lua's traceback."""
        try:
            chunk = self._compile(source, path)
        except Incomplete as error:
            raise CommandError(str(error)) from None
        self._call(chunk, False)

    def evaluate(self, text: str) -> list[str]:
        """Run a piece of code; return the values of an expression, readable, one a text.

        Raises Incomplete, and CommandError.
        """
        source = text.removeprefix("=").encode("utf-8", "surrogateescape")
        try:
            self._compile(b"return " + source)
        except Incomplete:
            try:
                chunk, is_expression = self._compile(source), False
            except CommandError as error:
                raise Incomplete(str(error)) from None
        except CommandError:
            chunk, is_expression = self._compile(source), False
        else:
            # Not "return f()": a tail call would leave no line for errors.
            chunk, is_expression = self._compile(b"return (...)(" + source + b"\n)"), True
        found = self._call(chunk, is_expression)
        return [decode(one) for one in (found if isinstance(found, tuple) else (found,))
                if one is not None]

    def names(self, text: str) -> list[str]:
        """Return how a name that has been begun, such as "module:ho", may go on."""
        found = self.runtime.driver.call(self._names, encode(text))
        return sorted(decode(found).split())

    def _compile(self, source: bytes, path: str = "stdin") -> Any:
        try:
            return self.runtime.compile(source, path, self._environment)
        except SyntaxError as error:
            if str(error).endswith(_ENDS):
                raise Incomplete(str(error)) from None
            raise CommandError(str(error)) from None

    def _call(self, chunk: Any, is_expression: bool) -> Any:
        try:
            return self.runtime.driver.call(self._run, chunk, is_expression)
        except Exception as error:
            raise CommandError(_told(error)) from None


def _told(error: Exception) -> str:
    """Return an error with the part of its traceback that is not about us."""
    text, trace = str(error), getattr(error, "lua_traceback", None) or describe_error(error)
    lines = (trace if trace.startswith(text) else f"{text}\n{trace}").splitlines()
    ours = ("border/", "prompt:", "(...tail calls...)", "[C]: in function 'xpcall'")
    kept = [line for line in lines if not any(part in line for part in ours)]
    if kept and kept[-1].strip() == "stack traceback:":
        kept.pop()
    return "\n".join(kept)


@contextmanager
def open_place(config: Config, name: str, host: str | None = None,
               path: str = "") -> Iterator[Place]:
    """Give a place for code of a module of `host`, or of the server; raises CommandError."""
    if host is not None and config.host(host) is None:
        raise CommandError(f"{host} is not a host of {config.file}")
    process.become_owner(config)
    process.set_umask(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    server = assemble(config)
    try:
        _activate_hosts(server)
        server.mark_started()
        yield Place(server, Module(server, name, host or GLOBAL, path))
    finally:
        server.events.fire_event("server-cleanup")


def _activate_hosts(server) -> None:
    """Activate all hosts with their accounts; no other modules are loaded."""
    log = logging.getLogger("lua")
    for host in server.config.hosts:
        if not host.enabled:
            continue
        if host.component_module is not None:
            server.activate(host.name, "component")
            continue
        users.watch(server, server.activate(host.name))
        try:
            server.modules.load(host.name, auth_module(server, host.name))
        except LoadError as error:
            log.warning("The accounts of %s are not there: %s", host.name, error)
