"""Mechanisms that the accounts' provider speaks itself."""

import pytest

from prosody_py.xmpp.sasl import Challenge, Exchange, Failure, Success, mechanisms


@pytest.fixture
def talk(accounts):
    """Return a function that begins an exchange with a provider's answers, and what it heard."""
    def begin(*answers):
        heard, left = [], list(answers)

        def process(message):
            heard.append(message)
            return left.pop(0)

        accounts.others["X-OWN"] = process
        return Exchange("X-OWN", accounts, advertised=["X-OWN"]), heard

    return begin


def test_it_is_offered_on_encrypted_connections(accounts):
    asked = {"scram_hashes": ("SHA-1",), "plain": True, "others": ("X-OWN",)}
    assert mechanisms(accounts, secure=True, **asked) == ["SCRAM-SHA-1", "X-OWN", "PLAIN"]
    assert mechanisms(accounts, secure=False, **asked) == ["SCRAM-SHA-1"]


def test_messages_go_to_and_fro(talk):
    exchange, heard = talk(("challenge", b"who?"), ("success", b"welcome", None, "romeo"))
    assert exchange.step(b"me") == Challenge(b"who?")
    assert exchange.step(b"romeo") == Success("romeo", None, b"welcome")
    assert heard == [b"me", b"romeo"] and exchange.username == "romeo"


def test_without_an_initial_response_the_client_is_asked(talk):
    exchange, heard = talk(("success", None, None, "romeo"))
    assert exchange.step(None) == Challenge(b"") and heard == []
    assert exchange.step(b"me") == Success("romeo", None, None)


@pytest.mark.parametrize(("answer", "expected"), [
    (("failure", "credentials-expired", "Too old."), Failure("credentials-expired", "Too old.")),
    (("failure", "a condition of its own"), Failure("not-authorized")),
    (("failure", None, None), Failure("not-authorized")),
    ((None,), Failure("not-authorized")),
    (("success", None, None, None), Failure("malformed-request", "Not a user name.")),
    (("success", None, None, "a@b"), Failure("malformed-request", "Not a user name."))])
def test_whatever_is_no_success_is_a_failure(talk, answer, expected):
    exchange, _heard = talk(answer)
    assert exchange.step(b"me") == expected
    assert exchange.step(b"me").condition == "malformed-request"


def test_the_provider_may_say_what_the_client_may_act_as(talk):
    exchange, _heard = talk(("success", None, None, "romeo", "prosody:guest"))
    assert exchange.step(b"me") == Success("romeo", None, None, "prosody:guest")
    assert exchange.role == "prosody:guest"


def test_a_disabled_account_stays_outside(accounts, talk):
    accounts.disabled.add("romeo")
    exchange, _heard = talk(("success", None, None, "Romeo"))
    assert exchange.step(b"me").condition == "account-disabled"


def test_an_error_of_the_provider_ends_the_exchange(accounts):
    def process(message):
        raise RuntimeError("a fault")

    accounts.others["X-OWN"] = process
    exchange = Exchange("X-OWN", accounts, advertised=["X-OWN"])
    with pytest.raises(RuntimeError):
        exchange.step(b"me")
    assert exchange.step(b"me").condition == "malformed-request"
