"""What the README shows works as it is shown."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from prosody_py.app.main import parser
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.server import TestServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = sorted({
    *re.findall(r"\.venv/bin/(prosody-py [^\n&|]+)", README),
    *(" ".join(code.split()) for code in re.findall(r"`(prosody-py [^`]+)`", README))})


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


@pytest.mark.parametrize("text", blocks("sh"))
def test_a_shell_block_is_bash(text):
    subprocess.run(["bash", "-n"], input=text, text=True, check=True, timeout=20)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(command):
    parser().parse_args(shlex.split(command)[1:])


def test_the_tests_are_started_by_one_marked_block_with_an_extra_that_is_there():
    [block] = re.findall(r"<!-- tests -->\n```sh\n(.*?)\n```", README, re.DOTALL)
    [extra] = re.findall(r"\.\[(\w+)\]", block)
    assert f'"{extra}": [' in (ROOT / "setup.py").read_text(encoding="utf-8")
    assert block.startswith("python3 -m venv .venv && ")
    assert block.split(" && ")[-1].split()[0] == ".venv/bin/pytest"


def test_links_lead_to_files():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_the_test_of_a_new_module_passes(tmp_path):
    for language in ("--python", "--lua"):
        command = next(found for found in COMMANDS if "module new" in found and language in found)
        folder = tmp_path / language.strip("-")
        folder.mkdir()
        subprocess.run([sys.executable, "-m", "prosody_py", *shlex.split(command)[1:]], cwd=folder,
                       check=True, timeout=60, env=ENVIRONMENT)
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                               "-p", "prosody_py.testing.plugin", "--rootdir", str(folder),
                               str(folder)], cwd=folder, timeout=120,
                              env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("language", "extension", "runtime"), [
    ("python", "py", KINDS[0]), *(("lua", "lua", kind) for kind in KINDS)])
@pytest.mark.parametrize("options", [{}, {"greeting": "Moin"}])
def test_the_module_greets_who_comes_online(tmp_path, language, extension, runtime, options):
    [text] = blocks(language)
    (tmp_path / f"mod_hello.{extension}").write_text(text, encoding="utf-8")
    running = TestServer(tmp_path, ["hello"], plugin_paths=[str(tmp_path)],
                         lua_runtime=runtime, **options)
    try:
        alice = running.client("alice", "balcony")
        alice.send("<presence/>")
        greeting = alice.message(5)
        assert greeting.attr["from"] == "localhost" and greeting.attr["to"] == alice.jid
        assert greeting.get_child_text("body") == options.get("greeting", "Hello!")
        # A new version that fails to load changes nothing.
        (tmp_path / f"mod_hello.{extension}").write_text("this is no module at all")
        with pytest.raises(Exception, match="mod_hello"):
            running.server.modules.reload("localhost", "hello")
        bob = running.client("bob")
        bob.send("<presence/>")
        assert bob.message(5).get_child_text("body") == options.get("greeting", "Hello!")
    finally:
        running.stop()
