"""`prosody-py shell` as a person uses it: on a terminal, with completion, history, passwords."""

import os
import pty
import select
import stat
import subprocess

import pytest

from prosody_py.app.shell.registry import Command
from prosody_py.app.shell.table import as_text


class Terminal:
    """The shell on a pseudo-terminal."""

    def __init__(self, place, *words):
        self.master, slave = pty.openpty()
        command = place.command("shell", *words, XDG_STATE_HOME=str(place.folder / "state"),
                                TERM="dumb")
        self.process = subprocess.Popen(**command, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        os.close(slave)
        self.seen = ""

    def read_until(self, text):
        """Read until the terminal shows a text; forget what was shown up to it."""
        while text not in self.seen:
            assert select.select([self.master], [], [], 20)[0], f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.master, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal(running):
    one = Terminal(running)
    one.read_until("prosody-py> ")
    yield one
    one.close()


def test_commands_are_completed_and_passwords_asked_for_and_kept_secret(terminal, running):
    terminal.type("host li\t\n")
    assert "localhost" in terminal.read_until("prosody-py> ")
    terminal.type("user list lo\t\n")
    assert "alice@localhost" in terminal.read_until("prosody-py> ")
    terminal.type("user create 'unbalanced\n")
    terminal.read_until("quotes come in pairs")
    terminal.type("user create gina@localhost\n")
    terminal.read_until("Password: ")
    terminal.type("hidden1\n")
    terminal.read_until("Again: ")
    terminal.type("hidden1\n")
    assert "hidden1" not in terminal.read_until("The account gina@localhost was made")
    terminal.type("user password gina@localhost hidden2\n")
    terminal.read_until("was changed")
    terminal.type("nonsense\n")
    terminal.read_until("Error: There is no command 'nonsense'")
    terminal.type("exit\n")
    assert terminal.process.wait(20) == 0
    history = running.folder / "state" / "prosody-py" / "history"
    assert "host list" in history.read_text() and "hidden" not in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_what_a_peer_has_chosen_cannot_steer_the_terminal():
    answer = {"columns": ["a", "b"], "rows": [["x\x1b[2J", 1], ["y", None]]}
    assert as_text(answer) == "A      B\nx?[2J  1\ny"


def test_flags_may_stand_anywhere_and_repeat():
    command = Command(("x", "y"), "", flags={"value_params": {"role"}, "array_params": {"group"}})
    assert command.parse(["--group", "a", "--role=r", "--group", "b", "--quiet"]) == [
        {"group": ["a", "b"], "role": "r", "quiet": True}]
