"""mod_invites_register: making an account with an invitation (XEP-0445)."""

from __future__ import annotations

import time

import pytest

from prosody_py.api.roles import user_role
from prosody_py.hosts.roster import load_roster
from prosody_py.testing.client import wait_until
from prosody_py.testing.invitations import (
    PARS,
    REGISTER,
    exists,
    invites,
    opened,
    register,
    registered,
    show,
    valid,
)
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("invites", "invites_register", "register_ibr", "register_limits")

OLDER = "Debian's is older than the functions and errors that Prosody has now"
TOKEN = "urn:xmpp:ibr-token:0"
DAY = 86400


def test_the_feature_is_offered_where_one_can_register(running, start):
    client = opened(running)
    assert client.features.get_child("register", TOKEN) is not None
    assert show(running.client("romeo"), "x").get_error()[1] == "service-unavailable"


@pytest.mark.ours_alone(OLDER)
def test_who_has_a_token_can_register_once(running):
    invite = invites(running).create_account()
    assert registered(running, invite).attr["type"] == "result"
    assert running.connect().login("juliet").jid
    answer = show(opened(running), invite.token)
    assert answer.get_error()[1] == "item-not-found"


@pytest.mark.ours_alone("Debian's has another module for web pages")
def test_who_is_invited_need_not_go_to_a_web_page(start):
    running = start(registration_url="https://example.com/join")
    assert register(opened(running)).get_error()[1] == "not-allowed"
    assert registered(running, invites(running).create_account()).attr["type"] == "result"


@pytest.mark.ours_alone("Debian's has other conditions")
@pytest.mark.parametrize(("payload", "condition"), [
    (f"<preauth xmlns='{PARS}' token='wrong'/>", "item-not-found"),
    (f"<preauth xmlns='{PARS}'/>", "bad-request")])
def test_wrong_tokens_are_refused(running, payload, condition):
    answer = opened(running).iq("set", payload, "localhost")
    assert answer.get_error()[:2] == (
        "cancel" if condition == "item-not-found" else "modify", condition)


@pytest.mark.ours_alone("Debian's has no limit")
def test_nobody_tries_tokens_on_and_on(running):
    client = opened(running)
    for _ in range(5):
        assert show(client, "wrong").get_error()[1] == "item-not-found"
    client.send(f"<iq type='set' id='1' to='localhost'><preauth xmlns='{PARS}' token='x'/></iq>")
    assert client.closed_with() == "policy-violation"


@pytest.mark.ours_alone("Debian's does not say it")
@pytest.mark.parametrize("fields", [[], ["email"]])
def test_the_name_that_an_invitation_is_for_is_told(start, fields):
    running = start(additional_registration_fields=fields)
    client = opened(running)
    show(client, invites(running).create_account("juliet").token)
    query = client.iq("get", f"<query xmlns='{REGISTER}'/>").tags[0]
    assert query.get_child_text("username") == "juliet"
    if fields:
        field = query.get_child("x", "jabber:x:data").get_child_with_attr(
            "field", None, "var", "username")
        assert field.get_child_text("value") == "juliet"


def test_who_has_no_token_cannot_register(running):
    assert register(opened(running)).attr["type"] == "error"
    assert not exists(running)


def test_a_token_is_not_needed_where_everybody_may_register(start):
    running = start(registration_invite_only=False)
    assert register(opened(running)).attr["type"] == "result"


@pytest.mark.ours_alone(OLDER)
def test_an_invitation_for_an_account_makes_no_other(running):
    invite = invites(running).create_account("juliet")
    assert registered(running, invite, "iago").attr["type"] == "error"
    assert not exists(running, "iago") and valid(running, invite.token)
    assert registered(running, invite).attr["type"] == "result"


@pytest.mark.ours_alone("Debian's keeps no names")
@pytest.mark.parametrize("invited", [True, False])
def test_a_name_is_kept_for_who_was_invited(start, invited):
    running = start(registration_invite_only=False)
    invites(running).create_account("juliet")
    if invited:
        answer = registered(running, invites(running).create_account())
    else:
        answer = register(opened(running))
    assert answer.get_error()[1] == "conflict" and not exists(running)


@pytest.mark.ours_alone("Debian's lets both through")
def test_a_token_makes_one_account_also_when_two_show_it(running):
    invite = invites(running).create_account()
    one, two = opened(running), opened(running)
    for client in (one, two):
        assert show(client, invite.token).attr["type"] == "result"
    assert register(one, "juliet").attr["type"] == "result"
    assert register(two, "iago").get_error()[1] == "not-allowed"
    assert not exists(running, "iago")


@pytest.mark.ours_alone("Debian's lets both through")
def test_a_token_belongs_to_who_is_registering_until_the_stream_ends(running):
    running.user("romeo")
    invite = invites(running).create_account()
    one, two = opened(running), opened(running)
    for client in (one, two):
        show(client, invite.token)
    assert register(one, "romeo").get_error()[1] == "conflict"
    assert register(two, "juliet").get_error()[1] == "not-allowed"
    one.close()
    wait_until(lambda: invite.redeemed_by.conn is None or invite.redeemed_by.destroyed)
    assert register(two, "juliet").attr["type"] == "result"


@pytest.mark.ours_alone("it is about the inside")
def test_time_is_looked_at_when_the_token_is_shown(running):
    invite = invites(running).create_account()
    client = opened(running)
    assert show(client, invite.token).attr["type"] == "result"
    invite.expires = time.time() - 1
    assert register(client).attr["type"] == "result"


def test_an_invitation_to_become_a_contact_may_make_no_account(running):
    running.user("romeo")
    invite = invites(running).create_contact("romeo")
    client = opened(running)
    show(client, invite.token)
    assert register(client).attr["type"] == "error"
    assert not exists(running)


def test_inviter_and_invited_become_contacts(running):
    romeo = running.client("romeo")
    romeo.iq("get", "<query xmlns='jabber:iq:roster'/>")
    romeo.available()
    invite = invites(running).create_contact("romeo", True)
    assert registered(running, invite).attr["type"] == "result"
    push = romeo.receive_until(lambda element: element.name == "iq"
                               and element.attr["type"] == "set")
    while push.tags[0].tags[0].attr["subscription"] != "both":
        push = romeo.receive_until(lambda element: element.name == "iq")
    assert push.tags[0].tags[0].attr["jid"] == "juliet@localhost"
    juliet = running.connect().login("juliet").available()
    assert (romeo.jid, None) in kinds(juliet.flush())
    assert (juliet.jid, None) in kinds(romeo.flush())
    assert load_roster(running.server, "juliet", "localhost")[
        "romeo@localhost"].subscription == "both"
    assert not valid(running, invite.token)


@pytest.mark.ours_alone(OLDER)
def test_a_role_comes_with_the_invitation(running):
    invite = invites(running).create_account(None, {"roles": ["prosody:admin"]})
    assert registered(running, invite).attr["type"] == "result"
    assert user_role(running.server, "juliet", "localhost") == "prosody:admin"


@pytest.mark.ours_alone(OLDER)
def test_a_new_password_for_an_account(running):
    running.user("juliet", "forgotten")
    invite = invites(running).create_account_reset("juliet")
    assert abs(invite.expires - time.time() - DAY) < 60
    client = opened(running)
    show(client, invite.token)
    assert register(client, "iago").attr["type"] == "error"
    assert register(client, "juliet", "remembered").attr["type"] == "result"
    assert running.connect().login("juliet", "remembered").jid
    assert not valid(running, invite.token)


@pytest.mark.ours_alone("Debian's counts them")
def test_those_who_are_invited_are_not_too_many(start):
    running = start(registration_allowlist=[])
    for name in ("juliet", "nurse", "paris"):
        invite = invites(running).create_account()
        assert registered(running, invite, name).attr["type"] == "result"
    running = start(registration_allowlist=[], registration_invite_only=False)
    assert register(opened(running), "juliet").attr["type"] == "result"
    assert register(opened(running), "nurse").get_error()[1] == "policy-violation"
    running = start(registration_blocklist=["127.0.0.1"])
    assert registered(running, invites(running).create_account()).attr["type"] == "error"
