"""Run one file as a module that is never put in service."""

from __future__ import annotations

import logging
import os

from prosody_py.api.errors import LoadError
from prosody_py.api.module import Module
from prosody_py.app.errors import CommandError
from prosody_py.app.startup import assemble
from prosody_py.config.config import GLOBAL, Config
from prosody_py.loader.find import Source
from prosody_py.loader.python_code import describe_error

LANGUAGE = "lua"


def run_file(config: Config, path: str, host: str | None = None) -> None:
    """Run a Lua file as a module of `host`, or of the server; raises CommandError."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    server = assemble(config)
    try:
        if LANGUAGE not in server.modules.languages:
            raise CommandError("This installation cannot run Lua")
        if host is not None:
            if config.host(host) is None:
                raise CommandError(f"{host} is not a host of {config.file}")
            server.activate(host)
        name = os.path.splitext(os.path.basename(path))[0].removeprefix("mod_")
        module = Module(server, name, host or GLOBAL, os.path.abspath(path))
        try:
            module.code = server.modules.languages[LANGUAGE](Source(name, module.path, LANGUAGE))
            module.code.run(module)
        except LoadError as error:
            raise CommandError(str(error)) from None
        except Exception as error:
            told = getattr(error, "lua_traceback", None) or describe_error(error)
            raise CommandError(told) from None
    finally:
        server.events.fire_event("server-cleanup")
