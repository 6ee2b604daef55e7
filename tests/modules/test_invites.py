"""mod_invites and mod_invites_register: invitations (XEP-0379, XEP-0401, XEP-0445)."""

from __future__ import annotations

import subprocess
import sys
import time

import gevent
import pytest

from prosody_py.api.roles import user_role
from prosody_py.events.bus import Event
from prosody_py.hosts import users
from prosody_py.hosts.roster import load_roster
from prosody_py.testing.client import wait_until
from prosody_py.testing.people import kinds
from prosody_py.xmpp.errors import StanzaError

pytestmark = pytest.mark.twins("invites", "invites_register", "register_ibr", "register_limits")

PARS, REGISTER, TOKEN = "urn:xmpp:pars:0", "jabber:iq:register", "urn:xmpp:ibr-token:0"
OLDER = "Debian's is older than the functions and errors that Prosody has now"
WEEK, DAY = 7 * 86400, 86400


@pytest.fixture
def start(start_server):
    return lambda **options: start_server(
        ["register_ibr", "invites", "invites_register"],
        **{"allow_registration": True, **options})


@pytest.fixture
def running(start):
    return start()


def invites(running):
    return running.server.modules.get_module("localhost", "invites").exports


def opened(running):
    client = running.connect()
    client.open()
    return client


def show(client, token):
    return client.iq("set", f"<preauth xmlns='{PARS}' token='{token}'/>", "localhost")


def register(client, username="juliet", password="secret"):
    return client.iq("set", f"<query xmlns='{REGISTER}'><username>{username}</username>"
                     f"<password>{password}</password></query>")


def registered(running, invite, username="juliet"):
    client = opened(running)
    assert show(client, invite.token).attr["type"] == "result"
    return register(client, username)


def look_up(running, token, *username):
    exports = invites(running)  # of a Lua module a table, which has a get of its own
    get = exports["get"] if hasattr(exports, "raw") else exports.get
    found = get(token, *username)
    return found[0] if isinstance(found, tuple) else found


def valid(running, token, *username):
    return look_up(running, token, *username) is not None


def exists(running, username="juliet"):
    return users.user_exists(running.server, username, "localhost")


# -- invitations -----------------------------------------------------------------------------


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


# -- making an account (XEP-0445) ------------------------------------------------------------


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


# -- becoming a contact (XEP-0379) -----------------------------------------------------------


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


# -- the shell -------------------------------------------------------------------------------


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


# -- the disk, and other processes -----------------------------------------------------------


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
