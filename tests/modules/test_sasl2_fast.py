"""XEP-0484: a token in place of the password."""

from __future__ import annotations

import time

import pytest

from prosody_py.hosts import users
from prosody_py.testing.sasl2 import FAST, condition, connect, request_token
from prosody_py.xmpp import datetime

OTHER_AGENT = "0aa1d2bb-4f64-4e93-9e2d-0e1b3c1c0a11"
HASHES = ["SHA-256", "SHA3-512"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["sasl2_fast"], sasl2_fast_hashes=HASHES)
    yield running
    running.stop()


@pytest.fixture
def name(server, request):
    """Return an account of the test's own."""
    username = f"user{abs(hash(request.node.name))}"
    server.user(username)
    return username


def token_in(answer):
    """Return (token, expiry in seconds) of a success, None if there is none."""
    assert answer.name == "success", str(answer)
    token = answer.get_child("token", FAST)
    return None if token is None else (token.attr["token"],
                                       datetime.parse_datetime(token.attr["expiry"]))


def first_token(running, username, mechanism="HT-SHA-256-NONE", **more):
    return token_in(connect(running, **more).plain(username, request_token(mechanism)))[0]


def store_of(running):
    return running.server.storage.open("localhost", "fast_tokens", "keyval")


def age(running, username, seconds):
    """Let all tokens of a user have been issued so much earlier."""
    store = store_of(running)
    store.set(username, {key: {**record, "issued_at": record["issued_at"] - seconds,
                               "expires_at": record["expires_at"] - seconds}
                         for key, record in store.get(username).items()})


def logs_in(running, username, token, **more):
    answer = connect(running, f"{username}@localhost").fast(username, token, **more)
    return answer.name == "success"


def test_the_mechanisms_are_offered_apart_from_the_others(server):
    client = connect(server)
    offered = [tag.get_text() for tag in client.inline["fast"].tags]
    assert {"HT-SHA-256-NONE", "HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA3-512-NONE"} <= set(
        offered)
    assert "HT-SHA-256-UNIQ" not in offered  # TLS 1.3 has none
    assert not set(offered) & set(client.mechanisms)
    assert "tls-0rtt" not in client.inline["fast"].attr


def test_a_token_is_given_to_who_asks_and_opens_the_door(server, name):
    token, expiry = token_in(connect(server).plain(name, request_token()))
    assert abs(expiry - (time.time() + 21 * 86400)) < 100
    for _ in range(3):
        client = connect(server, f"{name}@localhost")
        answer = client.fast(name, token)
        assert client.succeeded(answer).jid == f"{name}@localhost" and token_in(answer) is None
        assert client.receive().name == "features"
        client.bind()


@pytest.mark.parametrize("mechanism", ["HT-SHA-256-ENDP", "HT-SHA3-512-ENDP", "HT-SHA3-512-NONE"])
def test_the_proof_can_be_bound_to_the_connection(server, name, mechanism):
    token = first_token(server, name, mechanism)
    client = connect(server)
    binding = client.end_point if mechanism.endswith("ENDP") else b""
    client.succeeded(client.fast(name, token, mechanism=mechanism, binding=binding))
    other = connect(server).fast(name, token, mechanism=mechanism, binding=b"elsewhere")
    assert condition(other) == "not-authorized"


def test_a_token_is_good_for_its_mechanism_alone(server, name):
    token = first_token(server, name, "HT-SHA-256-ENDP")
    assert not logs_in(server, name, token)
    assert not logs_in(server, name, token, mechanism="HT-SHA3-512-NONE")


def test_a_token_is_good_for_its_client_and_its_account_alone(server, name):
    server.user("romeo")
    token = first_token(server, name)
    assert condition(connect(server, agent=OTHER_AGENT).fast(name, token)) == "not-authorized"
    assert condition(connect(server).fast("romeo", token)) == "not-authorized"
    assert condition(connect(server).fast("nobody", token)) == "not-authorized"
    assert condition(connect(server).fast(name, token + "x")) == "not-authorized"
    assert logs_in(server, name, token)


@pytest.mark.parametrize(("initial", "attributes", "expected"), [
    (None, "", "malformed-request"), (b"juliet", "", "malformed-request"),
    (b"\0x", "", "malformed-request"), (b"\xff\0x", "", "malformed-request"),
    (b"juliet\0x", "count='0'", "malformed-request"),
    (b"juliet\0x", "count='-1'", "malformed-request"),
    (b"juliet\0x", "count='many'", "malformed-request"),
    (b"juliet\0x", "count='" + "9" * 5000 + "'", "malformed-request"),
    (b"juliet\0x", "count='5'", "not-authorized")])
def test_what_is_wrong_is_said_at_once(server, initial, attributes, expected):
    client = connect(server)
    answer = client.begin("HT-SHA-256-NONE", initial, f"<fast xmlns='{FAST}' {attributes}/>")
    assert condition(answer) == expected


def test_another_mechanism_is_not_for_tokens(server, name):
    client = connect(server)
    assert condition(client.plain(name, f"<fast xmlns='{FAST}'/>")) == "invalid-mechanism"


def test_a_client_without_an_id_gets_and_uses_none(server, name):
    client = connect(server, agent=None)
    assert token_in(client.plain(name, request_token())) is None
    token = first_token(server, name)
    assert condition(connect(server, agent=None).fast(name, token)) == "malformed-request"


def test_a_mechanism_that_is_not_offered_gets_no_token(server, name):
    assert token_in(connect(server).plain(name, request_token("HT-SHA-256-UNIQ"))) is None
    assert token_in(connect(server).plain(name, request_token("PLAIN"))) is None


def test_no_token_comes_of_a_login_that_fails(server, name):
    answer = connect(server).plain(name, request_token(), password="wrong")
    assert condition(answer) == "not-authorized" and store_of(server).get(name) is None


def test_the_store_alone_opens_no_door(server, name):
    token = first_token(server, name)
    assert token not in str(store_of(server).get(name))


def test_a_token_that_is_too_old_is_expired(server, name):
    token = first_token(server, name)
    age(server, name, 22 * 86400)
    client = connect(server)
    assert condition(client.fast(name, token)) == "credentials-expired"
    assert condition(client.fast(name, token)) == "not-authorized"  # it is deleted
    assert client.plain(name).name == "success"


def test_an_old_token_is_exchanged_and_holds_until_the_new_one_is_used(server, name):
    old = first_token(server, name)
    assert logs_in(server, name, old)
    age(server, name, 2 * 86400)
    unused = token_in(connect(server).fast(name, old))[0]
    new = token_in(connect(server).fast(name, old))[0]
    assert len({old, unused, new}) == 3
    assert not logs_in(server, name, unused)  # there is a newer one
    assert token_in(connect(server).fast(name, new)) is None  # it is new: nothing to exchange
    assert logs_in(server, name, new) and not logs_in(server, name, old)


def test_a_new_token_takes_the_place_of_the_earlier_ones_when_it_is_used(server, name):
    first, second = first_token(server, name), first_token(server, name)
    assert not logs_in(server, name, first)  # never used, and there is a newer one
    third = token_in(connect(server).fast(name, second, more=request_token()))[0]
    assert logs_in(server, name, second) and logs_in(server, name, third)
    assert not logs_in(server, name, second)


@pytest.mark.parametrize("value", ["true", "1"])
def test_a_client_can_end_its_token(server, name, value):
    token = first_token(server, name)
    answer = connect(server).fast(name, token, f"invalidate='{value}'")
    assert token_in(answer) is None and not logs_in(server, name, token)
    assert not store_of(server).get(name)


def test_an_ended_token_is_not_exchanged_unless_that_is_asked_for(server, name):
    token = first_token(server, name)
    age(server, name, 2 * 86400)
    assert token_in(connect(server).fast(name, token, "invalidate='true'")) is None
    token = first_token(server, name)
    new = token_in(connect(server).fast(name, token, "invalidate='1'", more=request_token()))[0]
    assert not logs_in(server, name, token) and logs_in(server, name, new)


def test_a_count_has_to_grow(server, name):
    token = first_token(server, name)
    assert logs_in(server, name, token, attributes="count='3'")
    assert not logs_in(server, name, token, attributes="count='3'")
    assert not logs_in(server, name, token, attributes="count='2'")
    assert logs_in(server, name, token, attributes="count='10'")
    assert logs_in(server, name, token)  # TLS itself lets nobody repeat this one


@pytest.mark.parametrize("how", ["password", "revoked", "deleted"])
def test_tokens_end(server, name, how):
    token = first_token(server, name)
    fast = server.server.modules.get_module("localhost", "sasl2_fast").exports
    agent = connect(server).agent
    assert fast.is_client_fast(name, agent)
    assert not fast.is_client_fast(name, agent, time.time() + 10)
    assert not fast.is_client_fast(name, "another")
    if how == "password":
        users.set_password(server.server, name, "other", "localhost")
    elif how == "deleted":
        users.delete_user(server.server, name, "localhost")
        server.user(name)
    else:
        fast.revoke_fast_tokens(name, agent)
    assert not fast.is_client_fast(name, agent) and not logs_in(server, name, token)
    assert not store_of(server).get(name)


def test_a_disabled_account_stays_outside(server, name):
    token = first_token(server, name)
    server.server.hosts["localhost"].users.set_enabled(name, False)
    assert condition(connect(server).fast(name, token)) == "account-disabled"


def test_a_token_of_prosody_holds(server, name):
    """What mod_sasl2_fast of Prosody has stored, as it stores it."""
    first_token(server, name)
    store = store_of(server)
    store.set(name, {key: {"mechanism": "HT-SHA-256-NONE", "secret": "secret-token:fast-abc",
                           "issued_at": record["issued_at"], "expires_at": record["expires_at"]}
                     for key, record in store.get(name).items()})
    assert logs_in(server, name, "secret-token:fast-abc")


def test_tokens_survive_a_reload_and_no_task_stands_in_their_way(server, name):
    token = first_token(server, name)
    server.server.modules.reload("localhost", "sasl2_fast")
    events = server.server.hosts["localhost"].events

    def ask(event):
        event.tasks.append((["A"], None))

    events.add_handler("sasl2/c2s/tasks", ask)
    try:
        assert connect(server).plain(name).name == "continue"
        assert logs_in(server, name, token)
    finally:
        events.remove_handler("sasl2/c2s/tasks", ask)


def test_with_too_many_clients_the_oldest_has_to_log_in_anew(start_server):
    running = start_server(["sasl2_fast"], sasl2_fast_clients=2)
    running.user("juliet")
    tokens = {}
    for agent in ("a", "b", "c"):
        tokens[agent] = first_token(running, "juliet", agent=agent)
        age(running, "juliet", 10)
    found = {agent: connect(running, agent=agent).fast("juliet", token).name
             for agent, token in tokens.items()}
    assert found == {"a": "failure", "b": "success", "c": "success"}
    assert len(store_of(running).get("juliet")) == 2
