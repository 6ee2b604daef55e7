"""PLAIN, EXTERNAL and ANONYMOUS."""

import pytest

from prosody_py.xmpp.sasl import Challenge, Failure, Success


@pytest.mark.parametrize(
    ("message", "authzid"),
    [
        (b"\0romeo\0wherefore", None),
        (b"\0ROMEO\0where\xc2\xadfore", None),
        (b"Romeo@example.org\0romeo\0wherefore", "romeo@example.org"),
    ],
)
def test_plain_lets_the_right_password_in(accounts, start, message, authzid):
    assert start(accounts, "PLAIN").step(message) == Success("romeo", authzid)


def test_plain_takes_the_password_after_an_empty_challenge(accounts, start):
    exchange = start(accounts, "PLAIN")
    assert exchange.step(None) == Challenge(b"")
    assert exchange.step(b"\0romeo\0wherefore") == Success("romeo")


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (b"\0romeo\0therefore", "not-authorized"),
        (b"\0nobody\0wherefore", "not-authorized"),
        (b"juliet@example.org\0romeo\0wherefore", "invalid-authzid"),
        (b"romeo@example.com\0romeo\0wherefore", "invalid-authzid"),
        (b"romeo@example.org/r\0romeo\0wherefore", "invalid-authzid"),
        (b"romeo\0romeo\0wherefore", "invalid-authzid"),
        (b"", "malformed-request"),
        (b"romeo", "malformed-request"),
        (b"romeo\0wherefore", "malformed-request"),
        (b"\0romeo\0wherefore\0", "malformed-request"),
        (b"\0romeo\0", "malformed-request"),
        (b"\0\0wherefore", "malformed-request"),
        (b"\0romeo\0\xff", "malformed-request"),
        (b"\0ro meo\0wherefore", "malformed-request"),
        (b"\0\xc2\xad\0wherefore", "malformed-request"),
        (b"\0romeo\0a\nb", "malformed-request"),
        (b"\0romeo\0" + b"x" * 1024, "malformed-request"),
        (b"\0romeo\0" + b"x" * 20_000, "malformed-request"),
    ],
)
def test_plain_refuses(accounts, start, message, condition):
    assert start(accounts, "PLAIN").step(message).condition == condition


def test_plain_names_a_disabled_account_only_to_its_owner(accounts, start):
    accounts.disabled = {"romeo"}
    assert start(accounts, "PLAIN").step(b"\0romeo\0wherefore").condition == "account-disabled"
    assert start(accounts, "PLAIN").step(b"\0romeo\0therefore").condition == "not-authorized"


@pytest.mark.parametrize(
    ("certificate", "message", "outcome"),
    [
        (["romeo"], b"", Success("romeo")),
        (["romeo", "romeo"], b"", Success("romeo")),
        (["romeo"], b"Romeo@Example.org", Success("romeo", "romeo@example.org")),
        (["romeo", "juliet"], b"juliet@example.org", Success("juliet", "juliet@example.org")),
        (["romeo", "juliet"], b"", "invalid-authzid"),
        (["romeo"], b"juliet@example.org", "invalid-authzid"),
        (["romeo"], b"romeo@example.com", "invalid-authzid"),
        (["romeo"], b"romeo@example.org/r", "invalid-authzid"),
        (["romeo"], b"example.org", "invalid-authzid"),
        (["romeo"], b"@@", "invalid-authzid"),
        (["romeo"], b"\xff", "malformed-request"),
        (["tybalt"], b"", "account-disabled"),
    ],
)
def test_external_takes_who_the_certificate_allows(accounts, start, certificate, message, outcome):
    accounts.certificate = certificate
    accounts.disabled = {"tybalt"}
    for initial in (True, False):
        exchange = start(accounts, "EXTERNAL")
        if not initial:
            assert exchange.step(None) == Challenge(b"")
        result = exchange.step(message)
        assert outcome == (result.condition if isinstance(result, Failure) else result)


def test_external_without_an_account_in_the_certificate_is_not_authorized(accounts, start):
    for message in (b"", b"romeo@example.org"):
        exchange = start(accounts, "EXTERNAL", advertised=["EXTERNAL"])
        assert exchange.step(message).condition == "not-authorized"


def test_anonymous_gets_a_made_up_name(accounts, start):
    assert start(accounts, "ANONYMOUS").step(b"sirhc@example") == Success("guest1")
    exchange = start(accounts, "ANONYMOUS")
    assert exchange.step(None) == Challenge(b"")
    assert exchange.step(b"") == Success("guest2")
    assert accounts.traces == ["sirhc@example", ""]


@pytest.mark.parametrize("trace", [b"\xff", b"a\nb", b"\x00", b"x" * 256])
def test_anonymous_refuses_a_trace_out_of_form(accounts, start, trace):
    assert start(accounts, "ANONYMOUS").step(trace).condition == "malformed-request"
    assert accounts.traces == []
