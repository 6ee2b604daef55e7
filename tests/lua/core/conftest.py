"""A server, and Lua code that runs in it as the code of a module does, on both Lua versions."""

from __future__ import annotations

import pytest

from prosody_py.lua import guard, runtime_of
from prosody_py.lua.runtime import KINDS


class Running:
    """A test server with its Lua runtime."""

    def __init__(self, server):
        self.server = server
        self.runtime = runtime_of(server.server)

    def lua(self, code, *args):
        """Run Lua code with arguments; return what it returns, tables as dicts and lists."""
        runtime = self.runtime
        globals_ = runtime.lua.globals()
        function = runtime.compile(code.encode(), "test", globals_)
        result = runtime.driver.call(function, *map(runtime.to_lua, args))
        if type(result) is tuple:
            return tuple(map(runtime.copy_to_python, result))
        return runtime.copy_to_python(result)


@pytest.fixture(params=KINDS)
def start_lua(request, start_server):
    """Return a function that starts a server and gives a Running."""
    guard.install()
    yield lambda *args, **options: Running(
        start_server(*args, lua_runtime=request.param, **options))
    guard.check()


@pytest.fixture
def running(start_lua):
    """A server with no more than it needs."""
    return start_lua(admins=["root@localhost"])
