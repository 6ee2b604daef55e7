"""XEP-0480: an account gets the SCRAM keys that it lacks."""

from __future__ import annotations

import base64
import hashlib

import pytest

from prosody_py.hosts import users
from prosody_py.testing.sasl2 import XMLNS, condition, connect, encode
from prosody_py.xmpp import sasl

UPGRADE, SCRAM = "urn:xmpp:sasl:upgrade:0", "urn:xmpp:scram-upgrade:0"
ALL = ["SHA-1", "SHA-256", "SHA-512"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["sasl2_upgrade", "sasl2_fast"],
                     password_hashes=ALL)
    yield running
    running.stop()


def accounts(running):
    return running.server.storage.open("localhost", "accounts", "keyval")


@pytest.fixture
def name(server, request):
    """Return an account that has keys of SHA-1 alone, as one from elsewhere."""
    username = f"user{abs(hash(request.node.name))}"
    server.user(username)
    account = accounts(server).get(username)
    accounts(server).set(username, {**account, "scram": {"SHA-1": account["scram"]["SHA-1"]}})
    return username


def offered(client):
    authentication = client.features.get_child("authentication", XMLNS)
    return [tag.get_text() for tag in authentication.childtags("upgrade", UPGRADE)]


def ask(*tasks):
    return "".join(f"<upgrade xmlns='{UPGRADE}'>{task}</upgrade>" for task in tasks)


def asked(answer):
    """Return the one task of a <continue/>."""
    assert answer.name == "continue", str(answer)
    (task,) = answer.get_child("tasks", XMLNS).tags
    return task.get_text()


def salt_of(client, task):
    """Begin a task; return (salt, iterations)."""
    client.send(f"<next xmlns='{XMLNS}' task='{task}'/>")
    salt = client.receive().get_child("salt", SCRAM)
    return base64.b64decode(salt.get_text(), validate=True), int(salt.attr["iterations"])


def give(client, text):
    client.send(f"<task-data xmlns='{XMLNS}'><hash xmlns='{SCRAM}'>{text}</hash></task-data>")
    return client.receive()


def do(client, task, password="secret"):
    salt, iterations = salt_of(client, task)
    name = task.removeprefix("UPGR-SCRAM-").replace("-", "").lower()
    return give(client, encode(hashlib.pbkdf2_hmac(name, password.encode(), salt, iterations)))


def test_tasks_are_offered_for_what_an_account_lacks(server, name):
    server.user("whole")
    assert offered(connect(server, f"{name}@localhost")) == ["UPGR-SCRAM-SHA-512",
                                                             "UPGR-SCRAM-SHA-256"]
    assert offered(connect(server, "whole@localhost")) == []
    assert offered(connect(server, "nobody@localhost")) == []
    assert offered(connect(server)) == []


def test_a_client_brings_the_keys_and_can_use_them(server, name):
    client = connect(server, f"{name}@localhost")
    first = client.scram(name, more=ask("UPGR-SCRAM-SHA-256"))
    assert asked(first) == "UPGR-SCRAM-SHA-256" and first.get_child("additional-data", XMLNS)
    assert client.succeeded(do(client, "UPGR-SCRAM-SHA-256")).jid == f"{name}@localhost"
    assert client.receive().name == "features"
    later = connect(server, f"{name}@localhost")
    assert "SCRAM-SHA-256" in later.mechanisms and offered(later) == ["UPGR-SCRAM-SHA-512"]
    later.succeeded(later.scram(name, mechanism="SCRAM-SHA-256"))
    assert connect(server).scram(name, mechanism="SCRAM-SHA-1").name == "success"
    wrong = connect(server).scram(name, "wrong", mechanism="SCRAM-SHA-256")
    assert condition(wrong) == "not-authorized"
    assert "secret" not in str(accounts(server).get(name))


def test_several_tasks_come_one_after_the_other(server, name):
    client = connect(server)
    task = asked(client.scram(name, more=ask(
        "UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512", "UPGR-NOTHING", "UPGR-SCRAM-SHA-1")))
    assert task == "UPGR-SCRAM-SHA-512"
    assert asked(do(client, task)) == "UPGR-SCRAM-SHA-256"
    client.succeeded(do(client, "UPGR-SCRAM-SHA-256"))
    assert sorted(accounts(server).get(name)["scram"]) == ALL


@pytest.mark.parametrize(("text", "expected"), [
    ("%%%", "incorrect-encoding"), ("", "malformed-request"),
    (encode("too short"), "malformed-request"), (encode(b"x" * 64), "malformed-request")])
def test_what_is_no_salted_password_is_refused(server, name, text, expected):
    client = connect(server)
    task = asked(client.scram(name, more=ask("UPGR-SCRAM-SHA-256")))
    salt_of(client, task)
    assert condition(give(client, text)) == expected
    assert list(accounts(server).get(name)["scram"]) == ["SHA-1"]
    client.succeeded(client.scram(name))  # the stream lives on, and nothing is asked any more


def test_a_password_that_was_changed_meanwhile_gets_no_keys(server, name):
    client = connect(server)
    task = asked(client.scram(name, more=ask("UPGR-SCRAM-SHA-256")))
    salt_of(client, task)
    users.set_password(server.server, name, "other", "localhost")
    assert condition(give(client, encode(b"x" * 32))) == "not-authorized"
    client = connect(server)
    assert client.scram(name, "other", mechanism="SCRAM-SHA-256").name == "success"


def test_keys_are_kept_beside_those_they_belong_to_alone(server, name):
    provider = server.server.hosts["localhost"].users
    old = provider.scram_keys(name, "SHA-1")
    new = sasl.derive("secret", "SHA-256", 4096)
    users.set_password(server.server, name, "other", "localhost")
    changed = accounts(server).get(name)
    with pytest.raises(users.AccountError, match="changed"):
        provider.add_scram_keys(name, new, old)
    with pytest.raises(users.AccountError, match="no account"):
        provider.add_scram_keys("nobody", new, old)
    assert accounts(server).get(name) == changed


@pytest.mark.parametrize("how", ["PLAIN", "token"])
def test_only_who_has_proved_the_password_is_asked(server, name, how):
    """What was proved must be what the new keys are checked beside."""
    client, more = connect(server), ask("UPGR-SCRAM-SHA-256")
    if how == "PLAIN":
        assert client.plain(name, more).name == "success"
    else:
        first = client.plain(name, "<request-token xmlns='urn:xmpp:fast:0' "
                                   "mechanism='HT-SHA-256-NONE'/>")
        token = first.get_child("token", "urn:xmpp:fast:0").attr["token"]
        assert connect(server).fast(name, token, more=more).name == "success"


def test_nothing_follows_a_login_that_fails(server, name):
    client = connect(server)
    assert condition(client.scram(name, "wrong", more=ask("UPGR-SCRAM-SHA-256"))) == (
        "not-authorized")
    assert client.scram(name).name == "success"
