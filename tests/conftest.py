"""Fixtures for all tests: servers, and Debian's unmodified Prosody modules to run in them.

A test (or a file, by `pytestmark`) marked `twins("roster", "presence")` runs three times: with our
modules of these names, and with those of Debian on each of the two Lua runtimes. It starts its
servers with `start_server` or `launch`. `needs` of the mark are further modules of Debian that
those need. Where the two rightly differ, a test has the mark `ours_alone` with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from prosody_py.lua import guard
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.server import TestServer

# How long it takes to make examples is no matter of theirs: the machine may be busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

PARITY = Path(__file__).parent / "parity"
PACKAGES = ("prosody", "prosody-modules")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prosody-py-tests"


# -- servers -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_switch_under_lua():
    """Fail every test in which a greenlet is switched below a Lua frame."""
    guard.install()
    yield
    try:
        guard.check()
    finally:
        guard.uninstall()


@pytest.fixture
def start_server(tmp_path, launch):
    """Return a function that starts a server with options; all are stopped at the end."""
    servers = []

    def start_one(modules=None, **options):
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        server = launch(folder, modules, **options)
        servers.append(server)
        return server

    yield start_one
    for server in servers:
        server.stop()


# -- modules that exist twice --------------------------------------------------------------


def pytest_generate_tests(metafunc):
    """Let a test marked `twins` run with our modules and with Debian's."""
    mark = metafunc.definition.get_closest_marker("twins")
    if mark is not None and "launch" in metafunc.fixturenames:
        needs = mark.kwargs.get("needs", ())
        twins = [None, *((kind, mark.args, needs) for kind in KINDS)]
        metafunc.parametrize("launch", twins, ids=["ours", *KINDS], indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)  # before those are left out that `-m` does not want
def pytest_collection_modifyitems(items):
    """Leave out what is marked `ours_alone` where it would run with Debian's modules.

    Whatever runs Debian's modules is not of the quick part, nor is the second Lua runtime.
    """
    def with_debian(item):
        return hasattr(item, "callspec") and item.callspec.params.get("launch") is not None

    items[:] = [item for item in items if item.get_closest_marker("ours_alone") is None
                or not with_debian(item)]
    for item in items:
        second = hasattr(item, "callspec") and "luajit21" in item.callspec.params.values()
        if second or with_debian(item) or PARITY in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def launch(request, tmp_path_factory) -> Callable[..., TestServer]:
    """Return what starts a server, TestServer or the same with modules of Debian's."""
    if getattr(request, "param", None) is None:
        return TestServer
    kind, names, needs = request.param
    find, folder = request.getfixturevalue("debian_module"), tmp_path_factory.mktemp("debian")
    for name in (*names, *needs):
        (folder / find(name).name).symlink_to(find(name))

    def start_with_debian(where, modules=None, plugin_paths=(), **options):
        options.setdefault("lua_runtime", kind)
        running = TestServer(where, [*needs, *(modules or ())],
                             plugin_paths=[str(folder), *plugin_paths], **options)
        for name in names:
            check_language(running, name)
        return running

    return start_with_debian


def check_language(running: TestServer, name: str) -> None:
    """Fail unless the module is Debian's wherever it is loaded."""
    modules = running.server.modules
    for host in ("*", *running.server.hosts):
        if modules.is_loaded(host, name) and (
                modules.get_module(host, name).code.language != "lua"):
            running.stop()
            pytest.fail(f"mod_{name} on {host} is not that of Debian")


# -- Debian's packages, fetched and unpacked, not installed --------------------------------


def fetch(target: Path, packages=PACKAGES) -> str | None:
    """Unpack packages into `target`; return why that is impossible, None when it is done."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return "this is not a Debian machine"
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        # apt drops its rights to a user that may not write into a private folder.
        os.chmod(folder, 0o755)
        done = subprocess.run(["apt-get", "download", *packages], cwd=folder, timeout=300,
                              capture_output=True, text=True)
        if done.returncode:
            return "the packages cannot be fetched: " + done.stderr.strip().splitlines()[-1]
        unpacked = Path(folder) / "unpacked"
        unpacked.mkdir()
        for package in Path(folder).glob("*.deb"):
            name = package.name.partition("_")[0]
            subprocess.run(["dpkg-deb", "-x", package, unpacked / name], check=True, timeout=120)
        unpacked.rename(target)
    return None


@pytest.fixture(scope="session")
def debian():
    """Return the folder of the unpacked packages; skips where they cannot be had."""
    target = CACHE / "packages"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        reason = fetch(target)
        if reason:
            pytest.skip(reason)
    return target


@pytest.fixture(scope="session")
def debian_module(debian):
    """Return a function that gives the file or folder of a module, by its name without mod_."""
    folders = [debian / package / "usr/lib/prosody/modules" for package in PACKAGES]

    def find(name: str) -> Path:
        for folder in folders:
            for path in (folder / f"mod_{name}.lua", folder / f"mod_{name}", folder / name):
                if path.exists():
                    return path
        raise LookupError(f"neither package has mod_{name}")

    return find
