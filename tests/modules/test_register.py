"""mod_register and its parts: XEP-0077."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.xmpp.errors import StanzaError

pytestmark = pytest.mark.twins(
    "register_ibr", "register_limits", "user_account_management", "watchregistrations")

XMLNS = "jabber:iq:register"
NO_LIMIT = pytest.mark.ours_alone("Debian's leaves it to the accounts")
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
    client.send(f"<iq type='set' id='1'><query xmlns='{XMLNS}'>{account()}</query></iq>")
    assert client.closed_with() is not None
    assert not exists(running)


@pytest.mark.ours_alone("Debian's is on wherever it is loaded")
def test_the_module_that_makes_accounts_asks_whether_it_may(start_server):
    running = start_server(["register_ibr"])
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
    # Debian's has a form in any case.
    assert [tag.name for tag in query.tags][:3] == ["instructions", "username", "password"]
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
    account("a b"), account("\u00ad"), pytest.param(account(password="\u0080"), marks=NO_LIMIT),
    account("x" * 1024), pytest.param(account(password="x" * 1024), marks=NO_LIMIT)])
def test_what_is_missing_or_invalid_is_not_acceptable(start, inside):
    running = start()
    assert error(register(opened(running), inside=inside)) == "not-acceptable"
    assert not list(users.provider(running.server, "localhost").users())


def test_there_is_nothing_to_remove_before_the_login(start):
    assert error(register(opened(start()), inside="<remove/>")) in (
        "unexpected-request", "registration-required")  # the second one is what Debian's says


def test_registration_needs_encryption_where_login_does(start):
    running = start(c2s_require_encryption=True)
    client = opened(running)
    assert client.features.get_child("register", FEATURE) is None
    assert error(register(client, inside=account())) in (
        "service-unavailable", "policy-violation")  # the second one is what Debian's says
    client.starttls().open()
    assert client.features.get_child("register", FEATURE) is not None
    assert register(client, inside=account()).attr["type"] == "result"


@pytest.mark.ours_alone("Debian's asks for further fields without insisting")
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


PAGE = "https://example.com/join"


@pytest.mark.ours_alone("Debian's has a module for it")
@pytest.mark.parametrize(("options", "text"), [
    ({}, f"To make an account, visit {PAGE}"), ({"registration_text": "Come in!"}, "Come in!"),
    ({"allow_registration": True}, f"To make an account, visit {PAGE}")])
def test_accounts_can_be_made_at_a_web_page_instead(start_server, options, text):
    running = start_server(["register"], registration_url=PAGE, **options)
    client = opened(running)
    assert client.features.get_child("register", FEATURE)
    query = register(client, "get").get_child("query", XMLNS)
    assert [child.name for child in query.tags] == ["instructions", "x"]
    assert query.get_child_text("instructions") == text
    assert query.get_child("x", "jabber:x:oob").get_child_text("url") == PAGE
    assert error(register(client, inside=account())) == "not-allowed"
    assert not exists(running)


def test_modules_hear_of_a_registration(start):
    running = start()
    seen = []
    for name in ("user-registering", "user-registered"):
        host_events(running).add_handler(
            name, lambda event, name=name: seen.append((name, *(
                getattr(event, field, None) for field in (
                    "username", "password", "host", "allowed", "source")), event.session.ip)))
    register(opened(running), inside=account())
    assert seen == [
        ("user-registering", "bill", "Calliope", "localhost", True, None, "127.0.0.1"),
        ("user-registered", "bill", None, "localhost", None, "mod_register", "127.0.0.1")]


@pytest.mark.parametrize(("answer", "expected"), [
    ({}, ("modify", "not-acceptable")),
    ({"error_type": "auth", "error_condition": "forbidden", "reason": "No"},
     ("auth", "forbidden", "No")),
    ({"error": StanzaError("gone", "Bye")}, ("cancel", "gone", "Bye"))])
def test_modules_can_refuse(start, answer, expected):
    running = start()

    def refuse(event):
        event.allowed = False
        for field, value in answer.items():
            setattr(event, field, value)

    host_events(running).add_handler("user-registering", refuse)
    refused = register(opened(running), inside=account())
    assert refused.get_error()[:len(expected)] == expected
    assert not exists(running)


@pytest.mark.ours_alone("Debian's makes the account anew, which is refused here")
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


@pytest.mark.ours_alone("Debian's begins to count anew")
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


def test_nothing_is_left_of_what_was_told_at_registration(start):
    running = start(additional_registration_fields=["email"])
    register(opened(running), inside=account(more="<email>b@x.example</email>"))
    users.delete_user(running.server, "bill", "localhost")
    assert running.server.storage.open("localhost", "account_details", "keyval").get(
        "bill") is None
