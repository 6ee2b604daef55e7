"""mod_invites: the commands of the shell."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event
from prosody_py.testing.invitations import invites

pytestmark = pytest.mark.twins("invites", "invites_register", "register_ibr", "register_limits")


@pytest.fixture
def shell(start):
    """Return a function that runs a shell command and gives its text; `shell.running`."""
    running = start()
    running.server.modules.load("localhost", "admin_shell")

    def run(*words):
        answer = running.server.events.fire_event("admin-request", Event(
            question={"words": list(words)}, user=0, process=1, say=lambda line: None))
        return str(answer.get("text", answer.get("error", answer)))

    run.running = running
    return run


@pytest.mark.ours_alone("Debian's is older and has no commands for the shell")
def test_the_shell_makes_invitations_and_takes_them_back(shell):
    shell.running.user("romeo")
    uri = shell("invite", "create_account", "localhost", "--role", "prosody:admin")
    token = uri.rpartition("=")[2]
    invite = invites(shell.running).get(token)
    assert uri == invite.uri and invite.additional_data["roles"] == ["prosody:admin"]
    uri = shell("invite", "create_account", "juliet@localhost", "--expires-after", "2 days")
    assert uri.startswith("xmpp:juliet@localhost?register;preauth=")
    assert "romeo@localhost exists" in shell("invite", "create_account", "romeo@localhost")
    assert "xmpp:romeo@localhost?register" in shell("invite", "create_reset", "romeo@localhost")
    assert not shell("invite", "create_contact", "romeo@localhost").endswith("ibr=y")
    assert shell("invite", "create_contact", "--allow-registration",
                 "romeo@localhost").endswith(";ibr=y")
    assert "no account" in shell("invite", "create_contact", "nobody@localhost")
    assert shell("invite", "list", "localhost").count("until") == 1
    assert all(invite.token in shell("invite", "list", "localhost") for invite in (
        shell.running.server.modules.get_module("localhost", "invites").invites))
    assert "register" in shell("invite", "show", "localhost", token)
    assert shell("invite", "delete", "localhost", token) == "The invitation is gone"
    assert "There is no such invitation" in shell("invite", "delete", "localhost", token)
    assert "period" in shell("invite", "create_account", "localhost", "--expires-after", "soon")
