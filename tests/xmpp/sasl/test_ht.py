"""HT: a token is proved in one message, bound to the connection."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp.sasl import (
    HT_HASHES,
    Challenge,
    Exchange,
    Failure,
    SaslError,
    Success,
    ht_mechanisms,
)

TOKEN = b"secret-token:abc"
BINDINGS = {"tls-exporter": b"exported", "tls-server-end-point": b"certificate",
            "tls-unique": b"finished"}
TYPES = {"EXPR": "tls-exporter", "ENDP": "tls-server-end-point", "UNIQ": "tls-unique"}
ALL = [f"HT-{hash}-{short}" for hash in HT_HASHES for short in (*TYPES, "NONE")]


class Tokens:
    """A TokenProfile with one token of romeo's."""

    def __init__(self, bindings=BINDINGS, enabled=True, expired=False):
        self.bindings, self.enabled, self.expired = bindings, enabled, expired

    def channel_bindings(self):
        return self.bindings

    def token(self, username, mechanism, proves):
        if not proves(TOKEN) or username != "romeo":
            return None
        if self.expired:
            raise SaslError("credentials-expired")
        return TOKEN

    def is_enabled(self, username):
        return self.enabled


def proof(mechanism, role=b"Initiator", token=TOKEN, bindings=BINDINGS):
    """Return the proof as the draft has it, made with nothing of the server's."""
    hash, _, short = mechanism.removeprefix("HT-").rpartition("-")
    binding = bindings[TYPES[short]] if short in TYPES else b""
    name = {"SHA-256": hashlib.sha256, "SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512,
            "SHA3-256": hashlib.sha3_256, "SHA3-384": hashlib.sha3_384,
            "SHA3-512": hashlib.sha3_512}[hash]
    return hmac.new(token, role + binding, name).digest()


def run(mechanism, data, profile=None):
    return Exchange(mechanism, profile or Tokens(), advertised=ALL).step(data)


@pytest.mark.parametrize("mechanism", ALL)
def test_a_proof_is_answered_with_the_servers(mechanism):
    assert len(mechanism) <= 20  # RFC 4422 section 3.1
    assert run(mechanism, b"romeo\0" + proof(mechanism)) == Success(
        "romeo", None, proof(mechanism, b"Responder"))


def test_what_is_offered_depends_on_the_connection():
    assert ht_mechanisms(["SHA-256"], BINDINGS) == [
        "HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]
    assert ht_mechanisms(["SHA3-512"], {"tls-exporter": b""}) == [
        "HT-SHA3-512-EXPR", "HT-SHA3-512-NONE"]
    assert ht_mechanisms(["SHA-256"], {}) == ["HT-SHA-256-NONE"]


@pytest.mark.parametrize(("data", "expected"), [
    (None, "malformed-request"), (b"", "malformed-request"), (b"romeo", "malformed-request"),
    (b"\0" + proof("HT-SHA-256-ENDP"), "malformed-request"),
    (b"\xff\0" + proof("HT-SHA-256-ENDP"), "malformed-request"),
    (b"romeo\0", "not-authorized"),
    (b"romeo\0" + proof("HT-SHA-256-ENDP")[:-1], "not-authorized"),
    (b"romeo\0" + proof("HT-SHA-256-ENDP") + b"x", "not-authorized"),
    (b"juliet\0" + proof("HT-SHA-256-ENDP"), "not-authorized"),
    (b"romeo\0" + proof("HT-SHA-256-NONE"), "not-authorized"),
    (b"romeo\0" + proof("HT-SHA-512-ENDP"), "not-authorized"),
    (b"romeo\0" + proof("HT-SHA-256-ENDP", b"Responder"), "not-authorized"),
    (b"romeo\0" + proof("HT-SHA-256-ENDP", token=b"another"), "not-authorized")])
def test_what_is_no_proof_fails_at_once(data, expected):
    outcome = run("HT-SHA-256-ENDP", data)
    assert isinstance(outcome, Failure) and outcome.condition == expected


def test_a_binding_that_the_connection_has_not_fails():
    outcome = run("HT-SHA-256-EXPR", b"romeo\0" + proof("HT-SHA-256-EXPR"), Tokens({}))
    assert outcome.condition == "not-authorized"


def test_a_proof_of_another_connection_fails():
    elsewhere = {**BINDINGS, "tls-exporter": b"another"}
    data = b"romeo\0" + proof("HT-SHA-256-EXPR", bindings=elsewhere)
    assert run("HT-SHA-256-EXPR", data).condition == "not-authorized"


def test_expired_tokens_and_disabled_accounts_are_told_after_the_proof():
    data = b"romeo\0" + proof("HT-SHA-256-NONE")
    assert run("HT-SHA-256-NONE", data, Tokens(expired=True)).condition == "credentials-expired"
    assert run("HT-SHA-256-NONE", data, Tokens(enabled=False)).condition == "account-disabled"
    wrong = b"romeo\0" + bytes(32)
    assert run("HT-SHA-256-NONE", wrong, Tokens(expired=True)).condition == "not-authorized"
    assert run("HT-SHA-256-NONE", wrong, Tokens(enabled=False)).condition == "not-authorized"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ALL), st.binary(max_size=100))
def test_nothing_but_the_proof_gets_in(mechanism, data):
    outcome = run(mechanism, data)
    assert not isinstance(outcome, Challenge)  # one round trip, whatever is sent
    assert isinstance(outcome, Failure) or data == b"romeo\0" + proof(mechanism)
