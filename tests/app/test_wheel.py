"""The server as it is installed from a wheel, far from the checkout."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
import zipfile
from pathlib import Path

import pytest
import yaml

from prosody_py.loader.find import available
from prosody_py.testing.client import Client

ROOT = Path(__file__).parents[2]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "prosody_py", "modules", "plugins_lua")
JUNK = shutil.ignore_patterns("__pycache__", ".*")
LUA_MODULE = """
    local st = require "util.stanza";
    local base64 = require "util.encodings".base64;

    module:hook("iq-get/host/urn:test:wheel:query", function (event)
        event.origin.send(st.reply(event.stanza):text_tag("answer", base64.encode("wheel"),
            { xmlns = "urn:test:wheel" }));
        return true;
    end);
"""
pytestmark = pytest.mark.slow


def environment():
    """Return an environment in which nothing leads to the checkout."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "PROSODY_PY"))}


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True,
                          timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(*words, cwd):
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *words, cwd=cwd)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the sources; return its path."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "source" / name, ignore=JUNK)
        else:
            (folder / "source").mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "out"),
        str(folder / "source"), cwd=folder)
    [built] = (folder / "out").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def place(wheel, tmp_path_factory):
    """Install the wheel into a fresh environment that borrows only our dependencies."""
    place = tmp_path_factory.mktemp("place")
    run(sys.executable, "-m", "venv", "--without-pip", str(place / "venv"), cwd=place)
    python = str(place / "venv/bin/python")
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place)
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    # A .pth file adds the folder behind our own, and does not read the .pth files in it, such as
    # that of an editable installation.
    Path(own.strip(), "dependencies.pth").write_text("\n".join(borrowed) + "\n")
    pip("--python", python, "install", "--no-deps", "--no-index", str(wheel), cwd=place)
    return place


def in_python(place, code):
    return run(str(place / "venv/bin/python"), "-c", textwrap.dedent(code), cwd=place).strip()


def test_the_wheel_has_every_module_and_library_of_the_checkout(wheel):
    def files(pattern):
        return [path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)
                if path.is_file() and "__pycache__" not in path.parts
                and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]

    inside = set(zipfile.ZipFile(wheel).namelist())
    beside = [f"prosody_py/bundled/{name}" for pattern in ("modules/**/*", "plugins_lua/**/*")
              for name in files(pattern)]
    assert len(beside) > 30 and len(files("prosody_py/lua/**/*.lua")) > 80
    wanted = {*beside, *files("prosody_py/**/*.lua"), *files("prosody_py/**/*.py"),
                  *files("prosody_py/**/*.yaml")}
    assert wanted - inside == set()
    unwanted = {name for name in inside - wanted if ".dist-info/" not in name}
    assert unwanted == set()


def test_the_package_that_runs_is_the_installed_one(place):
    path = in_python(place, "import prosody_py; print(prosody_py.__file__)")
    assert Path(path).is_relative_to(place / "venv")


def test_all_bundled_modules_are_found_inside_the_package(place):
    found = json.loads(in_python(place, """
        import json
        from prosody_py.loader.find import available, bundled_folders
        print(json.dumps({name: source.path
                          for name, source in available(bundled_folders()).items()}))
    """))
    assert set(found) == set(available([str(ROOT / "modules"), str(ROOT / "plugins_lua")]))
    assert all(Path(path).is_relative_to(place / "venv") for path in found.values())


@pytest.fixture
def configured(place, tmp_path):
    """Return the command and the folder of a minimal configuration, with a Lua module."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/mod_from_lua.lua").write_text(textwrap.dedent(LUA_MODULE))
    (tmp_path / "prosody.cfg.yaml").write_text(yaml.safe_dump({
        "run_as_root": True, "interfaces": ["127.0.0.1"], "c2s_ports": [0],
        "c2s_require_encryption": False, "plugin_paths": ["plugins"],
        "modules_enabled": ["saslauth", "from_lua"], "hosts": {"localhost": {}}}))
    return [str(place / "venv/bin/prosody-py"), "--config", "prosody.cfg.yaml"], tmp_path


def test_check_and_run_work_with_modules_of_both_languages(configured):
    command, folder = configured
    run(*command, "check", cwd=folder)
    subprocess.run([*command, "adduser", "juliet@localhost", "--password-stdin"], check=True,
                   input=b"secret\n", cwd=folder, env=environment(), timeout=60)
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([*command, "run"], cwd=folder, env=environment(),
                                  stdout=log, stderr=log)
    try:
        client = Client(("127.0.0.1", port_of(server, folder / "log"))).login("juliet")
        answer = client.iq("get", "<query xmlns='urn:test:wheel'/>", to="localhost")
        assert answer.tags[0].get_text() == "d2hlZWw="
        client.close()
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
    finally:
        server.kill()
        server.wait()
    assert " error " not in (folder / "log").read_text()


def port_of(server, log):
    """Return the port of a server that is starting."""
    for _ in range(3000):
        if found := re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", log.read_text()):
            return int(found[1])
        if server.poll() is not None:
            break
        time.sleep(0.01)
    pytest.fail(log.read_text())
