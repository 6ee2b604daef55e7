"""What is offered, and the life of an exchange whatever its mechanism."""

import pytest

from prosody_py.xmpp.sasl import Challenge, Exchange, Failure, SaslError, Success, mechanisms


def test_everything_is_offered_strongest_first(accounts):
    accounts.bindings = {"tls-exporter": b"x"}
    accounts.certificate = ["romeo"]
    offered = mechanisms(
        accounts, secure=True, scram_hashes=("SHA-1", "SHA-512", "SHA-256"), plain=True,
        external=True, anonymous=True,
    )
    assert offered == [
        "EXTERNAL",
        "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1",
        "PLAIN", "ANONYMOUS",
    ]


def test_without_encryption_only_what_shows_no_secret_is_offered(accounts):
    accounts.bindings = {"tls-exporter": b"x"}
    accounts.certificate = ["romeo"]
    offered = mechanisms(
        accounts, secure=False, scram_hashes=("SHA-1",), plain=True, external=True, anonymous=True
    )
    assert offered == ["SCRAM-SHA-1", "ANONYMOUS"]


def test_plus_needs_bindings_and_external_needs_a_certificate(accounts):
    offered = mechanisms(accounts, secure=True, scram_hashes=("SHA-1",), external=True)
    assert offered == ["SCRAM-SHA-1"]


def test_nothing_is_offered_unasked(accounts):
    accounts.certificate = ["romeo"]
    accounts.bindings = {"tls-exporter": b"x"}
    assert mechanisms(accounts, secure=True) == []


def test_an_unknown_hash_is_an_error(accounts):
    with pytest.raises(ValueError, match="MD5"):
        mechanisms(accounts, secure=True, scram_hashes=("MD5",))


@pytest.mark.parametrize("name", ["PLAIN", "plain", "", "DIGEST-MD5", "SCRAM-SHA-1-PLUS", "\0"])
def test_a_mechanism_that_was_not_offered_is_invalid(accounts, name):
    exchange = Exchange(name, accounts, advertised=["SCRAM-SHA-1"])
    assert exchange.step(b"\0romeo\0wherefore").condition == "invalid-mechanism"


def test_an_offered_mechanism_that_does_not_exist_is_invalid(accounts):
    exchange = Exchange("DIGEST-MD5", accounts, advertised=["DIGEST-MD5"])
    assert exchange.step(None).condition == "invalid-mechanism"


def test_a_finished_exchange_only_fails(accounts, start):
    for message in (b"\0romeo\0wherefore", b"\0romeo\0therefore"):
        exchange = start(accounts, "PLAIN")
        assert not isinstance(exchange.step(message), Challenge)
        assert exchange.step(b"\0romeo\0wherefore").condition == "malformed-request"


def test_an_aborted_exchange_stays_aborted(accounts, start):
    exchange = start(accounts, "PLAIN")
    exchange.step(None)
    assert exchange.abort() == Failure("aborted")
    assert isinstance(exchange.step(b"\0romeo\0wherefore"), Failure)


def test_the_profile_can_fail_with_its_own_condition(accounts, start):
    def refuse(*_):
        raise SaslError("credentials-expired", "Change your password.")

    accounts.test_password = refuse
    outcome = start(accounts, "PLAIN").step(b"\0romeo\0wherefore")
    assert outcome == Failure("credentials-expired", "Change your password.")


def test_another_exception_of_the_profile_passes_through_and_ends_the_exchange(accounts, start):
    def fail(*_):
        raise OSError("store is gone")

    accounts.test_password = fail
    exchange = start(accounts, "PLAIN")
    with pytest.raises(OSError):
        exchange.step(b"\0romeo\0wherefore")
    assert isinstance(exchange.step(b"\0romeo\0wherefore"), Failure)


def test_an_error_has_a_condition_of_the_rfc():
    with pytest.raises(ValueError):
        SaslError("no-such-condition")


def test_printing_an_outcome_shows_no_message():
    assert "secret" not in repr(Challenge(b"secret")) + repr(Success("romeo", None, b"secret"))
