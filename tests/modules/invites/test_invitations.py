"""mod_invites: making, keeping, using and taking back invitations."""

from __future__ import annotations

import time

import pytest

from prosody_py.hosts import users
from prosody_py.testing.invitations import (
    invites,
    look_up,
    opened,
    register,
    registered,
    show,
    valid,
)
from prosody_py.xmpp.errors import StanzaError

pytestmark = pytest.mark.twins("invites", "invites_register", "register_ibr", "register_limits")

OLDER = "Debian's is older than the functions and errors that Prosody has now"
WEEK = 7 * 86400


def test_an_invitation_to_make_an_account(running):
    invite = invites(running).create_account()
    assert (invite.type, invite.jid, invite.allow_registration) == ("register", "localhost", True)
    assert invite.uri == f"xmpp:localhost?register;preauth={invite.token}"
    assert len(invite.token) >= 22  # 128 bits
    assert abs(invite.expires - time.time() - WEEK) < 60
    assert abs(invite.created_at - time.time()) < 60
    found = look_up(running, invite.token)
    assert (found.token, found.uri, found.type) == (invite.token, invite.uri, "register")


def test_an_invitation_to_make_a_certain_account(running):
    invite = invites(running).create_account("juliet", {"roles": ["prosody:admin"]}, 60)
    assert invite.jid == "juliet@localhost"
    assert invite.uri == f"xmpp:juliet@localhost?register;preauth={invite.token}"
    assert abs(invite.expires - time.time() - 60) < 30


@pytest.mark.ours_alone(OLDER)
@pytest.mark.parametrize(("allowed", "end"), [(False, ""), (True, ";ibr=y")])
def test_an_invitation_to_become_a_contact(running, allowed, end):
    running.user("romeo")
    invite = invites(running).create_contact("romeo", allowed, {"source": "test"})
    found = look_up(running, invite.token)
    assert (found.type, found.jid, found.inviter) == ("roster", "romeo@localhost", "romeo")
    assert invite.uri == f"xmpp:romeo@localhost?roster;preauth={invite.token}{end}"
    assert valid(running, invite.token, "romeo")
    assert not valid(running, invite.token, "juliet")


@pytest.mark.ours_alone("Debian's is older: one can be used once")
def test_an_invitation_for_a_group_can_be_used_again_and_again(running):
    invite = invites(running).create_group(["friends"])
    assert invite.reusable and invite.additional_data["groups"] == ["friends"]
    for name in ("juliet", "nurse"):
        assert registered(running, invite, name).attr["type"] == "result"
    assert valid(running, invite.token)


def test_the_store_has_prosodys_form(running):
    invite = invites(running).create_account("juliet", {"source": "x"})
    stored = running.server.storage.open("localhost", "invite_token", "map").get(
        None, invite.token)
    assert stored == {
        "type": "register", "jid": "juliet@localhost", "token": invite.token, "uri": invite.uri,
        "allow_registration": True, "additional_data": {"source": "x"},
        "created_at": invite.created_at, "expires": invite.expires}


def test_unknown_and_expired_tokens_are_good_for_nothing(running):
    for token in ("nothing", "", None):
        assert not valid(running, token)
    invite = invites(running).create_account(None, None, 60)
    running.server.storage.open("localhost", "invite_token", "map").set(
        None, "old", {"type": "register", "jid": "localhost", "allow_registration": True,
                      "token": "old", "uri": "xmpp:localhost", "created_at": 1, "expires": 2})
    assert not valid(running, "old") and valid(running, invite.token)


@pytest.mark.ours_alone("Debian's keeps nothing in memory")
def test_what_has_expired_is_removed(running):
    store = running.server.storage.open("localhost", "invite_token")
    store.set(None, {"old": {"type": "register", "jid": "localhost", "expires": 2}})
    running.server.modules.reload("localhost", "invites")
    module = running.server.modules.get_module("localhost", "invites")
    assert module.invites.remove_expired() == 1 and not store.get(None)


@pytest.mark.ours_alone(OLDER)
def test_an_invitation_is_used_once(running):
    invite = invites(running).create_account()
    look_up(running, invite.token).use()
    assert not valid(running, invite.token)
    assert not running.server.storage.open("localhost", "invite_token", "map").get(
        None, invite.token)


def test_an_invitation_can_be_taken_back(running):
    invite = invites(running).create_account("juliet")
    assert invites(running).get_account_invite_info(invite.token).jid == "juliet@localhost"
    invites(running).delete_account_invite(invite.token)
    assert not valid(running, invite.token)


@pytest.mark.ours_alone("Debian's is older and has no such function")
def test_what_is_open_can_be_listed(running):
    running.user("romeo")
    one, two = invites(running).create_account(), invites(running).create_account("juliet")
    contact = invites(running).create_contact("romeo")
    pending = dict(invites(running).pending_account_invites())
    assert pending == {one.token: one, two.token: two}
    assert invites(running).get_account_invite_info(contact.token) == (None, "not found")


def test_others_hear_of_an_invitation_and_add_to_it(running):
    heard = []

    def made(event):
        heard.append(event.token)
        event.landing_page = f"https://localhost/{event.token}"

    running.server.hosts["localhost"].events.add_handler("invite-created", made)
    invite = invites(running).create_account()
    assert heard == [invite.token] and invite.landing_page == f"https://localhost/{invite.token}"


@pytest.mark.ours_alone("Debian's has no limits")
@pytest.mark.parametrize(("limit", "made"), [("invites_per_user", 2), ("invites_max", 3)])
def test_there_is_an_end_to_invitations(start, limit, made):
    running = start(**{limit: made})
    running.user("romeo")
    for _ in range(made):
        invites(running).create_contact("romeo")
    with pytest.raises(StanzaError, match="resource-constraint"):
        invites(running).create_contact("romeo")
    if limit == "invites_per_user":
        invites(running).create_account()


@pytest.mark.ours_alone("Debian's looks whether the account exists")
def test_what_an_account_has_asked_for_goes_with_it(running):
    running.user("romeo")
    tokens = [invites(running).create_contact("romeo").token,
              invites(running).create_account_reset("romeo").token,
              invites(running).create_account(None, {"source": "romeo@localhost/x"}).token]
    users.delete_user(running.server, "romeo", "localhost")
    assert not any(valid(running, token) for token in tokens)
    assert not running.server.storage.open("localhost", "invite_token").get(None)


def test_invitations_outlive_a_reload(running):
    invite = invites(running).create_account()
    client = opened(running)
    assert show(client, invite.token).attr["type"] == "result"
    running.server.modules.reload("localhost", "invites")
    assert valid(running, invite.token)
    assert register(client).attr["type"] == "result"
    assert not valid(running, invite.token)
