"""`prosody-py shell` as a person uses it: on a terminal, with completion, history, passwords."""

import signal
import stat

import pytest

from prosody_py.api.commands import Command
from prosody_py.app.shell.table import as_text


@pytest.fixture
def terminal(running, open_terminal):
    one = open_terminal(running, "shell")
    one.read_until("prosody-py> ")
    return one


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


def test_who_has_seen_enough_types_control_c(terminal, running):
    terminal.type("watch log info nothing-like-it 600\n")
    terminal.read_until("Looking on for 600 seconds")
    terminal.process.send_signal(signal.SIGINT)
    terminal.read_until("Not waited for")
    terminal.read_until("prosody-py> ")
    terminal.type("host list\n")
    assert "localhost" in terminal.read_until("prosody-py> ")
    terminal.type("watch log info version 600\n")
    terminal.read_until("Looking on for 600 seconds")
    other = running.run("server", "version")
    assert other.returncode == 0
    terminal.read_until("User ")
    terminal.process.send_signal(signal.SIGINT)
    terminal.read_until("prosody-py> ")
