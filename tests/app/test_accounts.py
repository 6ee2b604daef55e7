"""`prosody-py adduser`, `passwd`, `deluser`: with and without a running server."""

import io
import os
from functools import partial

import pytest

from prosody_py.app.main import main
from prosody_py.app.offline import offline_server
from prosody_py.config.load import load
from prosody_py.hosts import users


def story(run, log_in):
    """Make, change and remove an account with a function that runs commands."""
    name = "carol@localhost"
    assert run("adduser", name, "--password-stdin", input="first\n") == (
        0, f"The account {name} was made\n")
    code, output = run("adduser", name, "--password-stdin", input="first\n")
    assert code == 1 and "exists already" in output
    assert run("passwd", name, "--password-stdin", input="second\n") == (
        0, f"The password of {name} was changed\n")
    log_in("carol", "second")
    code, output = run("deluser", name)
    assert code == 1 and "--yes" in output
    assert run("deluser", name, "--yes") == (0, f"The account {name} was removed\n")
    code, output = run("deluser", name, "--yes")
    assert code == 1 and "no account" in output


@pytest.fixture
def command(umask, monkeypatch, capsys):
    """Return a function that runs a command for an installation; gives (exit code, output)."""

    def run(place, *words, input=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(input))
        code = main(["--config", str(place.file), *words])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def test_accounts_are_changed_in_a_running_server(running, command):
    story(partial(command, running), running.client)


def test_accounts_are_changed_in_the_store_of_a_stopped_server(install, command):
    place = install()

    def log_in(username, password):
        with offline_server(load(place.file), "localhost") as server:
            assert users.provider(server, "localhost").test_password(username, password)

    story(partial(command, place), log_in)
    assert os.stat(place.folder / "data" / "prosody.sqlite").st_mode & 0o007 == 0


@pytest.mark.parametrize(("words", "told"), [
    (("adduser", "carol", "--password-stdin"), "is not the address of an account"),
    (("adduser", "carol@example.org", "--password-stdin"), "example.org is not a host"),
    (("adduser", "carol@localhost"), "--password-stdin"),
    (("passwd", "nobody@localhost", "--password-stdin"), "no account nobody"),
])
def test_what_cannot_be_done_is_told_in_a_line(running, command, words, told):
    code, output = command(running, *words, input="secret\n")
    assert code == 1
    assert told in output


def test_removing_an_account_ends_its_sessions(running, command):
    command(running, "adduser", "dave@localhost", "--password-stdin", input="secret\n")
    dave = running.client("dave")
    assert command(running, "deluser", "dave@localhost", "--yes")[0] == 0
    assert dave.closed_with() == "not-authorized"


def test_passwords_do_not_reach_the_log(running):
    done = running.run("adduser", "erin@localhost", "--password-stdin", input="Tr0ub4dor\n")
    assert (done.returncode, done.output) == (0, "The account erin@localhost was made\n")
    assert "user create erin@localhost (secret)" in running.log.read_text()
    assert "Tr0ub4dor" not in running.log.read_text()
