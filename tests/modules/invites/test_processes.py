"""mod_invites: invitations on the disk, where other processes make them too."""

from __future__ import annotations

import subprocess
import sys

import gevent
import pytest

from prosody_py.testing.invitations import invites, look_up

pytestmark = pytest.mark.twins("invites", "invites_register", "register_ibr", "register_limits")


@pytest.fixture
def on_disk(start):
    return start(storage="sqlite", run_as_root=True)


@pytest.mark.ours_alone("Debian's looks at a token twice")
def test_a_token_is_used_once_also_by_two_at_the_same_time(on_disk):
    for _ in range(5):
        invite = invites(on_disk).create_account()
        with gevent.Timeout(20):
            used = [greenlet.get() for greenlet in [
                gevent.spawn(invites(on_disk).use, invite.token) for _ in range(4)]]
        assert sorted(used) == [False, False, False, True]


@pytest.mark.ours_alone("Debian's has a command of its own")
@pytest.mark.slow
@pytest.mark.parametrize(("words", "kind"), [
    (["localhost", "--role", "prosody:admin"], "xmpp:localhost?register"),
    (["localhost", "--reset", "romeo"], "xmpp:romeo@localhost?register")])
def test_the_command_line_makes_invitations_beside_the_server(on_disk, words, kind):
    on_disk.user("romeo")
    done = subprocess.run(
        [sys.executable, "-m", "prosody_py", "--config", on_disk.file, "module", "command",
         "invites", "generate", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    uri = done.stdout.strip()
    assert uri.startswith(kind)
    on_disk.user("somebody")  # what another process has stored is seen with the next access
    found = look_up(on_disk, uri.rpartition("=")[2])
    assert found.uri == uri
    if "--role" in words:
        assert found.additional_data["roles"] == ["prosody:admin"]


@pytest.mark.ours_alone("Debian's has a command of its own")
def test_the_command_line_says_what_is_wrong(on_disk, capsys):
    module = on_disk.server.modules.get_module("localhost", "invites")
    command = module.exports.command
    for words in ([], ["generate"], ["generate", "nowhere.example"],
                  ["generate", "localhost", "--expires-after", "soon"]):
        assert command(module, words) == 2
    assert "is not a period" in capsys.readouterr().out
