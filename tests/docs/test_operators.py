"""What docs/operators.md shows works, and the messages it explains are there."""

import ast
import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

from prosody_py.api.commands.registry import Registry
from prosody_py.app.commands.check import of_options_and_modules
from prosody_py.app.main import for_the_server, parser
from prosody_py.app.shell.sections import SECTIONS
from prosody_py.config.load import load
from prosody_py.testing.server import TestServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?:^<!-- ([\w ]+) -->\n)?^```(\w+)\n(.*?)^```$", PAGE,
                    re.DOTALL | re.MULTILINE)
CONFIGURATIONS = [text for _mark, language, text in BLOCKS if language == "yaml"]
SHELL = [text for _mark, language, text in BLOCKS if language == "sh"]
MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE.partition("## When something is wrong")[2],
                      re.MULTILINE)
COMMANDS = sorted({
    *re.findall(r"^(?:runuser -u prosody-py -- )?(prosody-py .+)$", "".join(SHELL), re.MULTILINE),
    *re.findall(r"`(prosody-py [^`]*)`", PAGE)} - set(MESSAGES))


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_has_no_mistake(text, tmp_path):
    file = tmp_path / "prosody.cfg.yaml"
    file.write_text(text.replace("/var/log", str(tmp_path)), encoding="utf-8")
    (tmp_path / "prosody-py").mkdir()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "one.yaml").write_text("hosts: {example.net: {}}")
    assert of_options_and_modules(load(file)) == []


@pytest.mark.parametrize("text", SHELL)
def test_a_shell_block_is_bash(text):
    subprocess.run(["bash", "-n"], input=text, text=True, check=True, timeout=20)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(command):
    typed = shlex.split(command)[1:]
    if (index := for_the_server(typed)) is not None:
        typed.insert(index, "shell")
    args = parser().parse_args(typed)
    words = [word for word in getattr(args, "words", None) or () if not word.startswith("--")]
    if words and words == getattr(args, "words", None):
        found, rest = Registry(SECTIONS).find(words)
        found.parse(rest)


def test_a_backup_of_a_running_server_can_be_put_back(tmp_path):
    options = {"storage": "sqlite", "data_path": "data"}
    steps = {mark: text for mark, _language, text in BLOCKS if mark}
    running = TestServer(tmp_path, **options)
    running.user("alice", "first")
    shell(steps["run"], tmp_path)
    running.user("bob")
    running.stop()
    shell(steps["run stopped"], tmp_path)
    running = TestServer(tmp_path, **options)
    users = running.server.hosts["localhost"].users
    known = sorted(users.users())
    client = running.connect().login("alice", "first")
    jid = client.bare_jid
    running.stop()
    assert known == ["alice"] and jid == "alice@localhost"


def shell(text, folder):
    subprocess.run(["bash", "-ec", text], cwd=folder, check=True, timeout=30,
                   env={**os.environ, "PYTHONPATH": str(ROOT)})


@cache
def texts():
    """Return all texts of the source; `…` stands for what is filled in."""
    found = set()
    for path in [*(ROOT / "prosody_py").rglob("*.py"), *(ROOT / "modules").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(re.sub(r"%[srd]", "…", node.value))
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(part.value if isinstance(part, ast.Constant) else "…"
                                  for part in node.values))
    return found


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_server(message):
    assert any(text.startswith(message) for text in texts())


def test_the_defaults_told_are_those_of_the_options():
    options = (ROOT / "docs" / "manual" / "options.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .*\(manual/options\.md#(\w+)\)[^|]*\| ([^|]+) \|$", PAGE,
                      re.MULTILINE)
    assert len(rows) > 8
    for name, told in rows:
        entry = options.partition(f"### `{name}`")[2].partition("\n#")[0]
        if told == "none":
            assert "default `" not in entry.partition("\n- ")[0], name
        else:
            assert f"default `{told}`" in entry or f'default `"{told}"`' in entry, name
