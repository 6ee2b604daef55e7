"""Servers with modules of Debian's packages, unmodified."""

from __future__ import annotations

from functools import partial

import pytest

from prosody_py.lua import guard
from prosody_py.lua.runtime import KINDS


@pytest.fixture
def guarded():
    """Watch that no greenlet is switched below Lua; fails the test when one was."""
    guard.install()
    yield
    guard.check()


@pytest.fixture
def start_with_modules(start_server, debian_module, tmp_path, guarded):
    """Return a function that starts a server whose named modules are Debian's, unmodified.

    They are on all hosts, or on `host` alone, which is then a further one; with `component` the
    first of them is what the component `host` is, and the others are on it.
    """
    def start(*names: str, modules=(), host="localhost", component=False, more_folders=(),
              **options):
        folder = tmp_path / "plugins"
        folder.mkdir()
        for name in names:
            path = debian_module(name)
            (folder / path.name).symlink_to(path)
        if component:
            options["components"] = {host: {"module": names[0],
                                            "modules_enabled": list(names[1:])}}
        elif host != "localhost":
            options["hosts"] = {"localhost": {}, host: {"modules_enabled": list(names)}}
        enabled = [*names, *modules] if host == "localhost" else modules
        running = start_server(enabled, plugin_paths=[str(folder), *more_folders],
                               **options)
        for name in names:
            module = running.server.modules.get_module(host, name)
            assert module is not None, f"mod_{name} was not loaded"
            assert module.code.language == "lua" and module.path.startswith(str(folder))
        return running

    return start


@pytest.fixture(params=KINDS)
def start_debian(request, start_with_modules):
    """As `start_with_modules`, on each of the two Lua runtimes."""
    return partial(start_with_modules, lua_runtime=request.param)


@pytest.fixture(params=["bundled", *KINDS])
def start_each(request):
    """As `start_debian`, and once more with the modules of the same names that come with us.

    What the Debian modules need besides is given as `needs`.
    """
    if request.param == "bundled":
        start_server = request.getfixturevalue("start_server")
        return lambda *names, needs=(), **options: start_server([*names], **options)
    start = request.getfixturevalue("start_with_modules")
    return lambda *names, needs=(), **options: start(*needs, *names, lua_runtime=request.param,
                                                     **options)


@pytest.fixture(params=KINDS)
def start_hosts(request, start_server, debian_module, tmp_path, guarded):
    """Return a function that starts a server on each runtime, with some modules Debian's.

    `start(*names, **options)`: the named modules are Debian's, wherever `modules_enabled`, `hosts`
    and `components` of the options load them.
    """
    def start(*names, modules=(), **options):
        folder = tmp_path / "plugins"
        folder.mkdir()
        for name in names:
            path = debian_module(name)
            (folder / path.name).symlink_to(path)
        running = start_server(modules, plugin_paths=[str(folder)], lua_runtime=request.param,
                               **options)
        loaded = {}
        for host in (*running.server.hosts, "*"):
            loaded.update(running.server.modules.get_modules(host))
        for name in names:
            assert name in loaded, f"mod_{name} was not loaded"
            assert loaded[name].path.startswith(str(folder))
        return running

    return start
