"""docs/from-prosody.md, step by step: its commands do what it says, in their order."""

import re
from pathlib import Path

import pytest

from prosody_py.app.main import COMMANDS
from prosody_py.testing.client import Client

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "from-prosody.md").read_text(encoding="utf-8")
MARKED = re.findall(r"^<!-- (\w+)(?: (\S+))? -->\n```\w+\n(.*?)^```$", PAGE,
                    re.DOTALL | re.MULTILINE)
FILES = {name: text for mark, name, text in MARKED if mark == "file"}
STORY = [(mark, text) for mark, _name, text in MARKED if mark != "file"]


def test_every_block_is_marked():
    assert len(MARKED) == PAGE.count("\n```") // 2
    assert {mark for mark, _text in STORY} == {"run", "server", "fails"}


def test_every_command_that_is_named_exists():
    for command in re.findall(r"prosody-py (\w+)", PAGE):
        assert command in COMMANDS


def greeting(port):
    client = Client(("127.0.0.1", port)).login("alice", tls=True).available()
    try:
        return client.message().get_child_text("body")
    finally:
        client.close()


@pytest.fixture
def story(shell):
    """Goes through the page; `told` has what each block printed, in their order."""
    shell.write(FILES)
    shell.told, shell.greetings, port = [], [], None
    for mark, text in STORY:
        if mark == "server":
            port = shell.serve(text)
            continue
        done = shell.run(text)
        assert (done.returncode != 0) == (mark == "fails"), done.stdout
        shell.told.append(done.stdout)
        if port is not None:
            shell.greetings.append(greeting(port))
    return shell


def test_the_page_goes_as_told(story):
    scan, check, listed, reload, broken, _repaired, config, events, lua, tests = story.told
    assert "mod_greeter: runs here" in scan
    assert 'greeter_text (string, default "Hello")' in scan
    assert "no problems found" in check
    assert "greeter" in listed
    first, second, third = story.greetings[:3]
    assert (first, second, third) == ("Welcome, visit 1", "Welcome for the 2th time",
                                      "Welcome for the 3th time")
    last = len(FILES["my-modules/mod_greeter.lua"].splitlines()) + 1
    assert "reloaded" in reload.lower() and f"mod_greeter.lua:{last}:" in broken
    assert "mod_greeter" in events and "highest priority" in events
    count, xml = lua.splitlines()
    assert int(count) >= 6 and xml == "<message to='a@b'><body>1 &lt; 2</body></message>"
    assert "1 passed" in tests
    assert "alice@localhost is here for the" in story.log.read_text(), config
