"""mod_invites_adhoc: XEP-0401."""

from __future__ import annotations

import time

import pytest

from prosody_py.xmpp.datetime import parse_datetime

COMMANDS, DATA = "http://jabber.org/protocol/commands", "jabber:x:data"
INVITE, CREATE = "urn:xmpp:invite#invite", "urn:xmpp:invite#create-account"


@pytest.fixture
def start(start_server):
    return lambda **options: start_server(
        ["invites_adhoc", "invites_register", "register_ibr"],
        **{"allow_registration": True, "admins": ["root@localhost"], **options})


def run(client, node, fields=None, sessionid=None, action="execute"):
    form = "" if fields is None else f"<x xmlns='{DATA}' type='submit'>" + "".join(
        f"<field var='{name}'><value>{value}</value></field>"
        for name, value in fields.items()) + "</x>"
    session = f" sessionid='{sessionid}'" if sessionid else ""
    return client.iq("set", f"<command xmlns='{COMMANDS}' node='{node}' action='{action}'{session}>"
                     f"{form}</command>", "localhost")


def values(answer):
    command = answer.tags[0]
    assert command.attr["status"] == "completed", str(answer)
    form = command.get_child("x", DATA)
    assert form.attr["type"] == "result"
    return {field.attr["var"]: field.get_child_text("value") for field in form.childtags("field")}


def create(client, **fields):
    asked = run(client, CREATE).tags[0]
    assert asked.attr["status"] == "executing"
    names = [field.attr["var"] for field in asked.get_child("x", DATA).childtags("field")]
    assert names == ["username", "roster-subscription"]
    return run(client, CREATE, fields, asked.attr["sessionid"], "complete")


def test_the_commands_are_discovered(start):
    items = start().client("romeo").iq("get", "<query node='http://jabber.org/protocol/commands' "
                                       "xmlns='http://jabber.org/protocol/disco#items'/>",
                                       "localhost").tags[0].tags
    assert {INVITE: "Invite user", CREATE: "Create account"}.items() <= {
        item.attr["node"]: item.attr["name"] for item in items}.items()


@pytest.mark.parametrize(("options", "end"), [
    ({}, ""), ({"allow_user_invites": True}, ";ibr=y"),
    ({"allow_user_invite_roles": ["prosody:user"]}, ";ibr=y"),
    ({"allow_user_invites": True, "deny_user_invite_roles": ["prosody:user"]}, "")])
def test_a_user_gets_an_invitation_at_once(start, options, end):
    running = start(**options)
    found = values(run(running.client("romeo"), INVITE))
    token = found["uri"].partition("preauth=")[2].removesuffix(";ibr=y")
    assert found["uri"] == f"xmpp:romeo@localhost?roster;preauth={token}{end}"
    assert found["FORM_TYPE"] == "urn:xmpp:invite#invitation" and "landing-url" not in found
    assert abs(parse_datetime(found["expire"]) - time.time() - 7 * 86400) < 60


def test_a_landing_page_is_told(start):
    running = start()
    running.server.hosts["localhost"].events.add_handler(
        "invite-created", lambda event: setattr(event, "landing_page", "https://x/" + event.token))
    assert values(run(running.client("romeo"), INVITE))["landing-url"].startswith("https://x/")


def test_an_administrator_invites_to_make_an_account(start):
    running = start()
    root = running.client("root")
    assert values(create(root))["uri"].startswith("xmpp:localhost?register;preauth=")
    found = values(create(root, username="Juliet"))
    token = found["uri"].rpartition("=")[2]
    assert found["uri"] == f"xmpp:juliet@localhost?register;preauth={token}"


def test_inviter_and_invited_become_contacts_if_so_wished(start):
    running = start()
    root = running.client("root")
    root.iq("get", "<query xmlns='jabber:iq:roster'/>")
    uri = values(create(root, **{"username": "juliet", "roster-subscription": "true"}))["uri"]
    client = running.connect()
    client.open()
    client.iq("set", "<preauth xmlns='urn:xmpp:pars:0' "
              f"token='{uri.rpartition('=')[2]}'/>", "localhost")
    answer = client.iq("set", "<query xmlns='jabber:iq:register'><username>juliet</username>"
                       "<password>secret</password></query>")
    assert answer.attr["type"] == "result"
    push = root.receive_until(lambda element: element.name == "iq")
    item = push.tags[0].tags[0]
    assert (item.attr["jid"], item.attr["subscription"]) == ("juliet@localhost", "both")


@pytest.mark.parametrize(("username", "condition"), [
    ("a b@c", "not-acceptable"), ("root", "conflict")])
def test_names_that_cannot_be_are_refused(start, username, condition):
    assert create(start().client("root"), username=username).get_error()[1] == condition


def test_who_may_not_invite_new_users_is_told_so(start):
    assert run(start().client("romeo"), CREATE).get_error()[1] == "forbidden"


def test_the_command_for_contacts_can_be_switched_off(start):
    answer = run(start(allow_contact_invites=False).client("romeo"), INVITE)
    assert answer.get_error()[1] in ("item-not-found", "service-unavailable")


def test_a_command_can_be_given_up(start):
    root = start().client("root")
    asked = run(root, CREATE).tags[0]
    answer = run(root, CREATE, None, asked.attr["sessionid"], "cancel")
    assert answer.tags[0].attr["status"] == "canceled"


def test_the_end_of_invitations_is_an_error(start):
    romeo = start(invites_per_user=1).client("romeo")
    values(run(romeo, INVITE))
    assert run(romeo, INVITE).get_error()[:2] == ("wait", "resource-constraint")
