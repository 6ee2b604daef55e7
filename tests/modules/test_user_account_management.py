"""mod_user_account_management: XEP-0077 for those who have an account."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import Closed

pytestmark = pytest.mark.twins("user_account_management")
XMLNS = "jabber:iq:register"
NO_LIMIT = pytest.mark.ours_alone("Debian's leaves it to the accounts")


def register(client, type="set", inside="", to=None):
    return client.iq(type, f"<query xmlns='{XMLNS}'>{inside}</query>", to)


def account(username="bill", password="Calliope", more=""):
    return f"<username>{username}</username><password>{password}</password>{more}"


def error(answer):
    assert answer.attr["type"] == "error", str(answer)
    return answer.get_error()[1]


def exists(running, username="bill"):
    return users.user_exists(running.server, username, "localhost")


def host_events(running):
    return running.server.hosts["localhost"].events


@pytest.mark.parametrize("to", [None, "localhost", "bill@localhost"])
def test_who_is_registered_is_told_so_but_not_the_password(start_server, to):
    query = register(start_server(["register"]).client("bill"), "get", to=to).tags[0]
    assert query.get_child("registered") is not None
    assert query.get_child_text("username") == "bill"
    assert query.get_child_text("password") == ""


def test_password_is_changed(start_server):
    running = start_server(["register"])
    client = running.client("bill")
    seen = []
    host_events(running).add_handler("user-password-changed",
                                     lambda event: seen.append((event.username, event.resource)))
    assert register(client, inside=account(), to="localhost").attr["type"] == "result"
    assert seen == [("bill", client.jid.partition("/")[2])]
    running.connect().login("bill", "Calliope")


@pytest.mark.parametrize(("inside", "condition"), [
    pytest.param(account(password=""), "bad-request", marks=NO_LIMIT),
    ("<password>x</password>", "bad-request"),
    ("<username>bill</username>", "bad-request"), (account("romeo"), "bad-request"),
    pytest.param(account(password="\u0080"), "not-acceptable", marks=NO_LIMIT),
    pytest.param(account("a b"), "not-acceptable", marks=NO_LIMIT)])
def test_password_stays_when_the_request_is_wrong(start_server, inside, condition):
    running = start_server(["register"])
    running.user("romeo")
    client = running.client("bill")
    answer = register(client, inside=inside)
    assert error(answer) == condition
    assert answer.get_child("query", XMLNS) is None
    for username in ("bill", "romeo"):
        assert users.provider(running.server, "localhost").test_password(username, "secret")


def test_nobody_manages_the_account_of_another(start_server):
    running = start_server(["register"])
    running.user("romeo")
    client = running.client("bill")
    for type, inside in (("get", ""), ("set", account("romeo")), ("set", "<remove/>")):
        assert error(register(client, type, inside, "romeo@localhost")) == "service-unavailable"
    assert exists(running, "romeo") and exists(running)


def test_removal_is_confirmed_and_ends_all_sessions(start_server):
    running = start_server(["register"])
    client, other = running.client("bill"), running.client("bill")
    seen = []
    for name in ("user-deleted", "user-deregistered"):
        host_events(running).add_handler(
            name, lambda event, name=name: seen.append((name, event.username)))
    assert register(client, inside="<remove/>").attr["type"] == "result"
    assert client.closed_with() == "not-authorized"
    assert other.closed_with() == "not-authorized"
    assert seen == [("user-deleted", "bill"), ("user-deregistered", "bill")]
    assert not exists(running)
    with pytest.raises((AssertionError, Closed)):
        running.connect().login("bill")


@pytest.mark.ours_alone("Debian's looks at the first element alone")
def test_remove_must_stand_alone(start_server):
    running = start_server(["register"])
    answer = register(running.client("bill"), inside=account(more="<remove/>"))
    assert error(answer) == "bad-request"
    assert exists(running)


@pytest.mark.ours_alone("Debian's has other conditions")
def test_accounts_that_cannot_be_changed_are_left_alone(start_server):
    running = start_server(["register"], hosts={"localhost": {"authentication": "anonymous"}})
    client = running.connect()
    client.open()
    client.sasl_auth("ANONYMOUS", b"")
    client.receive()
    client.open()
    client.bind()
    username = client.jid.partition("@")[0]
    assert error(register(client, inside=account(username))) == "not-allowed"
    assert error(register(client, inside="<remove/>")) == "not-allowed"
    assert client.flush() == []


# -- accounts that are only disabled at first -----------------------------------------------


GRACE = pytest.mark.ours_alone("Debian's is older and has no grace period")


def waiting(running):
    return running.server.modules.get_module("localhost", "user_account_management")


def removed(running):
    """Let a user remove the account; return the events that are fired about it."""
    client = running.client("bill")
    fired = []
    for name in ("user-deregistered-pending", "user-deregistered", "user-deleted",
                 "user-disabled"):
        host_events(running).add_handler(name, lambda event, name=name: fired.append(name))
    register_remove = client.iq("set", f"<query xmlns='{XMLNS}'><remove/></query>")
    assert register_remove.attr["type"] == "result"
    assert client.closed_with() == "not-authorized"
    return fired


@GRACE
def test_an_account_waits_disabled_for_its_end(start_server):
    running = start_server(["user_account_management"], registration_delete_grace_period="2 days")
    fired = removed(running)
    assert fired == ["user-disabled", "user-deregistered-pending"]
    assert exists(running)
    assert not users.provider(running.server, "localhost").is_enabled("bill")
    client = running.connect()
    client.open()
    assert client.scram("bill", "secret", "SCRAM-SHA-1").name == "failure"
    module = waiting(running)
    entry = module.pending.get("bill")
    assert entry["due"] - entry["requested"] == 2 * 86400
    assert module.exports.remove_due(module) == 0 and exists(running)
    running.server.modules.reload("localhost", "user_account_management")
    module = waiting(running)
    module.pending.set("bill", {**entry, "due": entry["requested"] - 1})
    assert module.exports.remove_due(module) == 1 and not exists(running)
    assert fired[2:] == ["user-deleted", "user-deregistered"]
    assert list(module.pending.users()) == []


@GRACE
def test_who_is_enabled_again_is_not_removed(start_server):
    running = start_server(["user_account_management"], registration_delete_grace_period="2 days")
    removed(running)
    users.set_enabled(running.server, "bill", "localhost", True)
    assert list(waiting(running).pending.users()) == []
    assert running.client("bill").jid


@GRACE
def test_without_a_grace_period_an_account_is_removed_at_once(start_server):
    running = start_server(["user_account_management"])
    assert removed(running) == ["user-deleted", "user-deregistered"]
    assert not exists(running)


@GRACE
def test_who_may_log_in_is_not_removed_however_that_came(start_server):
    running = start_server(["user_account_management"], registration_delete_grace_period="2 days")
    removed(running)
    users.provider(running.server, "localhost").set_enabled("bill", True)
    module = waiting(running)
    module.pending.set("bill", {"requested": 1, "due": 2})
    assert module.exports.remove_due(module) == 0 and exists(running)
    assert list(module.pending.users()) == []
