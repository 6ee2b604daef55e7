"""mod_invites_register: becoming a contact with an invitation (XEP-0379)."""

from __future__ import annotations

import pytest

from prosody_py.hosts.roster import load_roster
from prosody_py.testing.invitations import PARS, invites, valid
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("invites", "invites_register", "register_ibr", "register_limits")

OLDER = "Debian's is older than the functions and errors that Prosody has now"


def ask(client, to, token):
    client.iq("get", "<query xmlns='jabber:iq:roster'/>")
    client.send(f"<presence to='{to}' type='subscribe'>"
                f"<preauth xmlns='{PARS}' token='{token}'/></presence>")
    return client.flush()


@pytest.mark.ours_alone(OLDER)
def test_a_request_with_a_token_is_approved_and_returned(running):
    romeo = running.client("romeo", "r").available()
    juliet = running.client("juliet", "j").available()
    invite = invites(running).create_contact("romeo")
    got = kinds(ask(juliet, "romeo@localhost", invite.token))
    for wanted in ("subscribed", "subscribe"):
        assert ("romeo@localhost", wanted) in got
    assert ("romeo@localhost/r", None) in got
    assert ("juliet@localhost", "subscribe") not in kinds(romeo.flush())
    juliet.send("<presence to='romeo@localhost' type='subscribed'/>").flush()
    assert (juliet.jid, None) in kinds(romeo.flush())
    for one, other in (("romeo", "juliet"), ("juliet", "romeo")):
        assert load_roster(running.server, one, "localhost")[
            f"{other}@localhost"].subscription == "both"
    assert not valid(running, invite.token)


@pytest.mark.ours_alone(OLDER)
@pytest.mark.parametrize("token", ["wrong", "others", "account", "reset"])
def test_a_request_with_a_token_that_is_not_valid_is_like_any_other(running, token):
    romeo, juliet = (running.client(name).available() for name in ("romeo", "juliet"))
    running.user("nurse")
    others, account = invites(running).create_contact("nurse"), invites(running).create_account()
    reset = invites(running).create_account_reset("romeo")
    token = {"wrong": token, "others": others.token, "account": account.token,
             "reset": reset.token}[token]
    assert [type for _, type in kinds(ask(juliet, "romeo@localhost", token))] == []
    assert ("juliet@localhost", "subscribe") in kinds(romeo.flush())
    assert all(valid(running, invite.token) for invite in (others, account, reset))


@pytest.mark.ours_alone(OLDER)
def test_a_token_approves_one_request(running):
    running.client("romeo")
    juliet, iago = (running.client(name).available() for name in ("juliet", "iago"))
    invite = invites(running).create_contact("romeo")
    assert ("romeo@localhost", "subscribed") in kinds(ask(juliet, "romeo@localhost", invite.token))
    assert kinds(ask(iago, "romeo@localhost", invite.token)) == []
