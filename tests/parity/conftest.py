"""Servers with modules of Debian's packages, unmodified."""

from __future__ import annotations

import base64
from functools import partial

import gevent
import pytest
from gevent import socket

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


class Dovecot:
    """Speaks Dovecot's authentication protocol 1.1 on a UNIX socket and knows some passwords.

    Mechanism PLAIN; `logins` is the names that were let in.
    """

    def __init__(self, path: str, passwords: dict[str, str]):
        self.path, self.passwords, self.logins = path, passwords, []
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(path)
        self.listening.listen()
        self.accepting = gevent.spawn(self.accept)
        self.serving: list[gevent.Greenlet] = []

    def accept(self) -> None:
        """Serve all who connect."""
        while True:
            self.serving.append(gevent.spawn(self.serve, self.listening.accept()[0]))

    def serve(self, sock) -> None:
        """Answer one client."""
        sock.sendall(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nDONE\n")
        with sock, sock.makefile("rb") as lines:
            for line in lines:
                command, *fields = line.decode().rstrip("\n").split("\t")
                if command == "AUTH":
                    sock.sendall(self.verdict(fields[0], fields[-1]).encode())

    def verdict(self, number: str, response: str) -> str:
        """Return the line that answers an attempt; `response` is "resp=" and base64."""
        _, name, password = base64.b64decode(response.partition("=")[2]).decode().split("\0")
        if self.passwords.get(name) != password:
            return f"FAIL\t{number}\tuser={name}\treason=wrong\n"
        self.logins.append(name)
        return f"OK\t{number}\tuser={name}\n"

    def close(self) -> None:
        """End it."""
        gevent.killall([self.accepting, *self.serving])
        self.listening.close()


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory):
    """Return an authentication server that lets in juliet with the password "secret"."""
    server = Dovecot(str(tmp_path_factory.mktemp("dovecot") / "auth"), {"juliet": "secret"})
    yield server
    server.close()


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
