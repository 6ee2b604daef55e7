"""Unmodified Prosody modules for tests: Debian's packages, fetched and unpacked, not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import pytest

from prosody_py.lua import guard
from prosody_py.lua.runtime import KINDS

PACKAGES = ("prosody", "prosody-modules")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prosody-py-tests"


def fetch(target: Path) -> str | None:
    """Unpack the packages into `target`; return why that is impossible, None when it is done."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return "this is not a Debian machine"
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        # apt drops its rights to a user that may not write into a private folder.
        os.chmod(folder, 0o755)
        done = subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, timeout=300,
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


@pytest.fixture
def guarded():
    """Watch that no greenlet is switched below Lua; fails the test when one was."""
    guard.install()
    yield
    guard.check()


@pytest.fixture
def start_with_modules(start_server, debian_module, tmp_path, guarded):
    """Return a function that starts a server whose named modules are Debian's, unmodified.

    They are on all hosts, or on `host` alone, which is then a further one.
    """
    def start(*names: str, modules=(), host="localhost", more_folders=(), **options):
        folder = tmp_path / "plugins"
        folder.mkdir()
        for name in names:
            path = debian_module(name)
            (folder / path.name).symlink_to(path)
        if host != "localhost":
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
