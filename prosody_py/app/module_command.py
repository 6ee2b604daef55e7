"""Run the `command` of a module from the command line, as Prosody's `prosodyctl mod_x` does.

The module is loaded as one of the server as a whole, without ports, with every host active but no
other modules than it needs. A running server is not disturbed; what the command stores is seen
by it.
"""

from __future__ import annotations

import logging

from prosody_py.api.errors import LoadError
from prosody_py.app import process
from prosody_py.app.errors import CommandError
from prosody_py.app.startup import assemble
from prosody_py.config.config import GLOBAL, Config
from prosody_py.hosts import users
from prosody_py.loader.python_code import describe_error


def run_command(config: Config, name: str, arguments: list[str]) -> int:
    """Call the module's `command` with the words; return its exit code.

    A number is the code, true or nothing is success, false is failure. Raises CommandError.
    """
    process.become_owner(config)
    process.set_umask(config)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    server = assemble(config)
    server.process_type = "prosodyctl"
    try:
        for host in config.hosts:
            if host.enabled:
                kind = "component" if host.component_module else "local"
                users.watch(server, server.activate(host.name, kind))
        module = server.modules.load(GLOBAL, name)
        if not module.code.has("command"):
            raise CommandError(f"mod_{name} has no command")
        result = module.code.call("command", arguments)
    except LoadError as error:
        raise CommandError(str(error)) from None
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(getattr(error, "lua_traceback", None)
                           or describe_error(error)) from None
    finally:
        server.events.fire_event("server-cleanup")
    if isinstance(result, bool) or result is None:
        return 1 if result is False else 0
    return int(result) if isinstance(result, (int, float)) else 0
