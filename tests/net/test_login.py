"""Logging in: what accounts and certificates decide, and what goes wrong in them."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import wait_until
from prosody_py.xmpp import ns


def failure(client):
    answer = client.receive()
    assert answer.name == "failure", str(answer)
    return answer.tags[0].name


@pytest.fixture
def running(steady_server):
    running = steady_server(c2s_client_certificates=True)
    running.user("juliet")
    return running


def secure(running):
    client = running.connect()
    client.open()
    client.starttls()
    client.open()
    return client


def test_a_disabled_account_is_told_so_only_with_the_right_password(running):
    running.server.hosts["localhost"].users.set_enabled("juliet", False)
    client = secure(running)
    client.sasl_auth("PLAIN", b"\0juliet\0wrong")
    assert failure(client) == "not-authorized"
    client.sasl_auth("PLAIN", b"\0juliet\0secret")
    assert failure(client) == "account-disabled"
    assert client.scram("juliet", "secret", "SCRAM-SHA-1").tags[0].name == "account-disabled"


def test_an_unknown_account_takes_the_same_steps_as_a_wrong_password(running):
    client = secure(running)
    answers = [client.scram(name, "wrong", "SCRAM-SHA-1") for name in ("juliet", "nobody")]
    assert str(answers[0]) == str(answers[1])


def broken_accounts(running, error):
    """Make the accounts of the running server raise, as an unreachable directory would."""
    def scram_keys(username, hash):
        raise error
    running.server.hosts["localhost"].users.scram_keys = scram_keys


def test_accounts_that_cannot_be_asked_are_a_temporary_failure(start_server):
    running = start_server()
    running.user("juliet")
    client = running.connect()
    client.open()
    broken_accounts(running, RuntimeError("the directory is down"))
    assert client.scram("juliet", "secret", "SCRAM-SHA-1").tags[0].name == (
        "temporary-auth-failure")
    del running.server.hosts["localhost"].users.scram_keys
    assert client.scram("juliet", "secret", "SCRAM-SHA-1").name == "success"


def test_a_host_whose_accounts_are_gone_is_a_temporary_failure(running):
    client = secure(running)
    users = running.server.hosts["localhost"].users
    running.server.hosts["localhost"].users = None
    client.sasl_auth("PLAIN", b"\0juliet\0secret")
    assert failure(client) == "temporary-auth-failure"
    running.server.hosts["localhost"].users = users


@pytest.mark.slow
def test_accounts_that_answer_after_the_client_has_gone_log_nobody_in(steady_server):
    running = steady_server(c2s_timeout=1)
    users = running.server.hosts["localhost"].users
    running.user("juliet")
    client = running.connect()
    client.open()
    known = users.scram_keys
    users.scram_keys = lambda *args: gevent.sleep(1.5) or known(*args)
    client.sasl_auth("SCRAM-SHA-1", b"n,,n=juliet,r=abc")
    assert client.closed_with() == "connection-timeout"
    gevent.sleep(0.7)


@pytest.mark.slow
def test_a_session_that_ends_while_its_roster_is_loaded_is_not_indexed(steady_server):
    running = steady_server(c2s_timeout=1)
    running.user("juliet")
    client = running.connect()
    client.open()
    client.authenticate("juliet", "secret")
    client.open()
    running.server.hosts["localhost"].events.add_handler(
        "roster-load", lambda event: gevent.sleep(1.5))
    client.send(f"<iq type='set' id='1'><bind xmlns='{ns.BIND}'/></iq>")
    assert client.closed_with() == "connection-timeout"
    gevent.sleep(0.8)
    assert not running.server.full_sessions


def test_plain_is_for_tls_only(running):
    client = running.connect()
    client.open()
    offered = [tag.get_text() for tag in client.features.get_child("mechanisms", ns.SASL).tags]
    assert offered == ["SCRAM-SHA-1"]
    assert "PLAIN" in str(client.starttls().open())


def test_too_many_resources_are_refused(running):
    clients = [running.client("juliet", f"r{number}") for number in range(64)]
    client = running.connect()
    client.open()
    client.authenticate("juliet", "secret")
    client.open()
    answer = client.iq("set", f"<bind xmlns='{ns.BIND}'><resource>more</resource></bind>")
    assert answer.get_error()[1] == "resource-constraint"
    clients[0].close()
    wait_until(lambda: len(running.server.full_sessions) == 63)
    assert client.bind("more").jid == "juliet@localhost/more"
