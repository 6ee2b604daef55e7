"""mod_register and its parts: XEP-0077."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import Closed
from prosody_py.xmpp.errors import StanzaError

pytestmark = pytest.mark.twins(
    "register_ibr", "register_limits", "user_account_management", "watchregistrations")

XMLNS = "jabber:iq:register"
FEATURE = "http://jabber.org/features/iq-register"


def register(client, type="set", inside="", to=None):
    return client.iq(type, f"<query xmlns='{XMLNS}'>{inside}</query>", to)


def account(username="bill", password="Calliope", more=""):
    return f"<username>{username}</username><password>{password}</password>{more}"


def error(answer):
    assert answer.attr["type"] == "error", str(answer)
    return answer.get_error()[1]


def opened(running):
    client = running.connect()
    client.open()
    return client


@pytest.fixture
def start(start_server):
    return lambda **options: start_server(
        ["register"], **{"allow_registration": True, **options})


def exists(running, username="bill"):
    return users.user_exists(running.server, username, "localhost")


def host_events(running):
    return running.server.hosts["localhost"].events


# -- registration --------------------------------------------------------------------------


def test_registration_is_off_by_default(start_server):
    running = start_server(["register"])
    client = opened(running)
    assert client.features.get_child("register", FEATURE) is None
    assert error(register(client, "get")) == "service-unavailable"
    assert error(register(client, inside=account())) == "service-unavailable"
    assert not exists(running)


def test_who_registers_can_log_in(start):
    running = start()
    client = opened(running)
    assert client.features.get_child("register", FEATURE) is not None
    query = register(client, "get").tags[0]
    assert [tag.name for tag in query.tags] == ["instructions", "username", "password"]
    assert register(client, inside=account("Bill")).attr["type"] == "result"
    client.authenticate("bill", "Calliope").open()
    client.bind()
    assert client.features.get_child("register", FEATURE) is None


def test_name_that_is_taken_is_a_conflict(start):
    running = start()
    running.user("bill")
    assert error(register(opened(running), inside=account())) == "conflict"
    assert users.provider(running.server, "localhost").test_password("bill", "secret")


@pytest.mark.parametrize("inside", [
    "", "<username>bill</username>", "<password>x</password>", account(password=""),
    account("a b"), account("\u00ad"), account(password="\u0007".encode().decode()
                                               .replace("\u0007", "\u0080")),
    account("x" * 1024), account(password="x" * 1024)])
def test_what_is_missing_or_invalid_is_not_acceptable(start, inside):
    running = start()
    assert error(register(opened(running), inside=inside)) == "not-acceptable"
    assert not list(users.provider(running.server, "localhost").users())


def test_there_is_nothing_to_remove_before_the_login(start):
    assert error(register(opened(start()), inside="<remove/>")) == "unexpected-request"


def test_registration_needs_encryption_where_login_does(start):
    running = start(c2s_require_encryption=True)
    client = opened(running)
    assert client.features.get_child("register", FEATURE) is None
    assert error(register(client, inside=account())) == "service-unavailable"
    client.starttls().open()
    assert client.features.get_child("register", FEATURE) is not None
    assert register(client, inside=account()).attr["type"] == "result"


def test_further_fields_are_asked_and_kept(start):
    running = start(additional_registration_fields=[
        "email", {"name": "shoe", "label": "Shoe size"}])
    client = opened(running)
    query = register(client, "get").tags[0]
    assert query.get_child("email") is not None and query.get_child("shoe") is None
    form = query.get_child("x", "jabber:x:data")
    assert [(field.attr["var"], field.get_child("required") is not None)
            for field in form.childtags("field")] == [
        ("FORM_TYPE", False), ("username", True), ("password", True), ("email", True),
        ("shoe", False)]
    assert error(register(client, inside=account())) == "not-acceptable"
    fields = {"FORM_TYPE": XMLNS, "username": "bill", "password": "x", "email": "b@x.example",
              "shoe": "43", "unasked": "y"}
    inside = "".join(f"<field var='{var}'><value>{value}</value></field>"
                     for var, value in fields.items())
    answer = register(client, inside=f"<x xmlns='jabber:x:data' type='submit'>{inside}</x>")
    assert answer.attr["type"] == "result"
    kept = running.server.storage.open("localhost", "account_details", "keyval").get("bill")
    assert kept.pop("registered") > 0
    assert kept == {"email": "b@x.example", "shoe": "43"}


def test_modules_hear_of_a_registration(start):
    running = start()
    seen = []
    for name in ("user-registering", "user-registered"):
        host_events(running).add_handler(
            name, lambda event, name=name: seen.append((name, dict(vars(event)))))
    register(opened(running), inside=account())
    (first, registering), (second, registered) = seen
    assert (first, second) == ("user-registering", "user-registered")
    assert registering["username"] == "bill" and registering["password"] == "Calliope"
    assert registering["host"] == "localhost" and registering["ip"] == "127.0.0.1"
    assert registering["allowed"] is True and registering["additional"] == {}
    assert registered["username"] == "bill" and registered["host"] == "localhost"
    assert registered["source"] == "mod_register" and registered["session"].ip == "127.0.0.1"


@pytest.mark.parametrize(("answer", "expected"), [
    ({}, ("modify", "not-acceptable", "User registration is not permitted")),
    ({"error_type": "auth", "error_condition": "forbidden", "reason": "No"},
     ("auth", "forbidden", "No")),
    ({"error": StanzaError("gone", "Bye")}, ("cancel", "gone", "Bye"))])
def test_modules_can_refuse(start, answer, expected):
    running = start()
    host_events(running).add_handler(
        "user-registering", lambda event: vars(event).update(allowed=False, **answer))
    refused = register(opened(running), inside=account())
    assert refused.get_error()[:3] == expected
    assert not exists(running)


def test_modules_can_allow_a_new_password(start):
    running = start()
    running.user("bill")
    seen = []
    host_events(running).add_handler(
        "user-registering", lambda event: setattr(event, "allow_reset", "bill"))
    host_events(running).add_handler(
        "user-password-reset", lambda event: seen.append(event.username))
    assert register(opened(running), inside=account()).attr["type"] == "result"
    assert seen == ["bill"]
    assert users.provider(running.server, "localhost").test_password("bill", "Calliope")


def test_administrators_are_told(start):
    running = start(admins=["root@localhost"])
    root = running.client("root").available()
    register(opened(running), inside=account())
    assert root.message().get_child_text("body") == \
        "User bill just registered on localhost from 127.0.0.1"


# -- limits --------------------------------------------------------------------------------


def attempts(running, count):
    return [register(opened(running), inside=account(f"user{index}")) for index in range(count)]


def test_own_machine_has_no_limit(start):
    assert all(answer.attr["type"] == "result" for answer in attempts(start(), 4))


def test_so_many_accounts_from_an_address_and_no_more(start):
    running = start(registration_allowlist=[], registration_throttle_max=2,
                    registration_throttle_period=3600)
    *good, refused = attempts(running, 3)
    assert [answer.attr["type"] for answer in good] == ["result", "result"]
    assert refused.get_error()[:2] == ("wait", "policy-violation")
    assert not exists(running, "user2")


def test_a_reload_does_not_reset_the_limit(start):
    running = start(registration_allowlist=[], min_seconds_between_registrations=3600)
    attempts(running, 1)
    running.server.modules.reload("localhost", "register_limits")
    assert error(register(opened(running), inside=account())) == "policy-violation"


@pytest.mark.parametrize("options", [
    {"registration_blocklist": ["127.0.0.0/8"]},
    {"registration_allowlist": ["192.0.2.1"], "allowlist_registration_only": True}])
def test_addresses_that_may_not_register(start, options):
    running = start(**options)
    assert register(opened(running), inside=account()).get_error()[:2] == ("auth", "forbidden")
    assert not exists(running)


# -- those who have an account -------------------------------------------------------------


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
    (account(password=""), "bad-request"), ("<password>x</password>", "bad-request"),
    ("<username>bill</username>", "bad-request"), (account("romeo"), "bad-request"),
    (account(password="\u0080"), "not-acceptable"), (account("a b"), "not-acceptable")])
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


def test_remove_must_stand_alone(start_server):
    running = start_server(["register"])
    answer = register(running.client("bill"), inside=account(more="<remove/>"))
    assert error(answer) == "bad-request"
    assert exists(running)


def test_nothing_is_left_of_what_was_told_at_registration(start):
    running = start(additional_registration_fields=["email"])
    register(opened(running), inside=account(more="<email>b@x.example</email>"))
    users.delete_user(running.server, "bill", "localhost")
    assert running.server.storage.open("localhost", "account_details", "keyval").get(
        "bill") is None


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
