"""SCRAM with honest clients: vectors, channel binding, names, unknown users."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slixmpp.util import sasl as slixmpp_sasl

from prosody_py.xmpp.prep import PrepError, nodeprep, saslprep
from prosody_py.xmpp.sasl import Challenge, Failure, Success, derive
from prosody_py.xmpp.sasl.scram import Offer, downgrade_hash, scram

HASHES = ["SHA-1", "SHA-256", "SHA-512"]


@pytest.mark.parametrize(
    ("hash", "salt", "client_nonce", "server_nonce", "proof", "signature"),
    [
        (  # RFC 5802 section 5
            "SHA-1", "QSXCR+Q6sek8bf92", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (  # RFC 7677 section 3
            "SHA-256", "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
)
def test_the_talk_is_that_of_the_rfc(
    accounts, hash, salt, client_nonce, server_nonce, proof, signature
):
    accounts.keys["user", hash] = derive("pencil", hash, 4096, base64.b64decode(salt))
    offer = Offer((f"SCRAM-{hash}",), None, False, 4096)
    first = f"n,,n=user,r={client_nonce}".encode()
    run = scram(accounts, f"SCRAM-{hash}", offer, first, lambda: server_nonce)
    nonce = client_nonce + server_nonce
    assert next(run) == Challenge(f"r={nonce},s={salt},i=4096".encode())
    with pytest.raises(StopIteration) as end:
        run.send(f"c=biws,r={nonce},p={proof}".encode())
    assert end.value.value == Success("user", None, f"v={signature}".encode())


@pytest.mark.parametrize("hash", HASHES)
@pytest.mark.parametrize("initial", [True, False])
def test_the_right_password_is_let_in(accounts, start, scram_client, hash, initial):
    client = scram_client(hash, "romeo", "wherefore")
    exchange = start(accounts, f"SCRAM-{hash}")
    if not initial:
        assert exchange.step(None) == Challenge(b"")
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome == Success("romeo", None, client.expected)


@pytest.mark.parametrize("hash", HASHES)
@pytest.mark.parametrize("type", ["tls-exporter", "tls-unique", "tls-server-end-point"])
def test_channel_binding_is_checked_against_the_connection(
    accounts, start, scram_client, hash, type
):
    accounts.bindings = {type: b"\x00data,of\xffthis", "other": b"x"}
    client = scram_client(hash, "romeo", "wherefore", f"p={type},,", accounts.bindings[type])
    exchange = start(accounts, f"SCRAM-{hash}-PLUS", advertised_bindings=[type])
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome == Success("romeo", None, client.expected)


def test_slixmpp_agrees(accounts, start):
    accounts.bindings = {"tls-exporter": b"exported keying material"}
    security = {"tls_version": "TLSv1.3", "encrypted": True, "unencrypted_scram": False,
                "binding_proposed": True}
    for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"):
        client = slixmpp_sasl.choose(
            [mechanism],
            lambda required, optional: {
                "username": "romeo", "password": "wherefore", "authzid": "romeo@example.org",
                "channel_binding": accounts.bindings["tls-exporter"],
            },
            lambda wanted: security,
        )
        assert client.name == mechanism
        exchange = start(accounts, mechanism)
        outcome = exchange.step(client.process())
        outcome = exchange.step(client.process(outcome.data))
        assert (outcome.username, outcome.authzid) == ("romeo", "romeo@example.org")
        client.process(outcome.data)  # raises if the server's signature is wrong


def _username_of(text):
    try:
        return nodeprep(saslprep(text, strict=False))
    except PrepError:
        return ""


@settings(max_examples=40, deadline=None)
@given(
    st.text(min_size=1, max_size=20).filter(_username_of)
    | st.text(alphabet="aZ,=\u00e9\u00ad", min_size=1).filter(_username_of),
    st.text(min_size=1, max_size=20),
)
def test_any_name_and_password_go_through(new_accounts, start, scram_client, name, password):
    try:
        prepared = saslprep(password)
    except PrepError:
        return
    if not prepared:
        return
    accounts = new_accounts()
    accounts.add(_username_of(name), password, hashes=("SHA-1",))
    client = scram_client("SHA-1", name, prepared)
    exchange = start(accounts, "SCRAM-SHA-1")
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome == Success(_username_of(name), None, client.expected)


@pytest.mark.parametrize("name", ["=2c", "=2C", "=3D", "=3D2C", "a,b=c"])
def test_names_with_escapes_are_read_once(accounts, start, scram_client, name):
    accounts.add(name.lower(), "wherefore", hashes=("SHA-1",))
    client = scram_client("SHA-1", name, "wherefore")
    exchange = start(accounts, "SCRAM-SHA-1")
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome == Success(name.lower(), None, client.expected)


def test_a_user_may_name_itself_as_authorization_identity(accounts, start, scram_client):
    client = scram_client("SHA-1", "Romeo", "wherefore", gs2="n,a=ROMEO@Example.org,")
    exchange = start(accounts, "SCRAM-SHA-1")
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome == Success("romeo", "romeo@example.org", client.expected)


def test_optional_extensions_of_the_client_are_signed_and_ignored(accounts, start, scram_client):
    client = scram_client("SHA-1", "romeo", "wherefore")
    client.bare += ",x=anything"
    exchange = start(accounts, "SCRAM-SHA-1")
    assert isinstance(exchange.step(client.final(exchange.step(client.first()).data)), Success)


def _seen_by_a_guesser(start, scram_client, accounts, username, hash):
    client = scram_client(hash, username, "a guess")
    exchange = start(accounts, f"SCRAM-{hash}", iterations=4096)
    challenge = exchange.step(client.first())
    _, salt, count, *rest = challenge.data.decode().split(",")
    return salt, count, rest, exchange.step(client.final(challenge.data))


def test_an_unknown_user_looks_like_one_with_another_password(accounts, start, scram_client):
    real = _seen_by_a_guesser(start, scram_client, accounts, "romeo", "SHA-256")
    fake = _seen_by_a_guesser(start, scram_client, accounts, "nobody", "SHA-256")
    assert fake == _seen_by_a_guesser(start, scram_client, accounts, "NOBODY", "SHA-256")
    assert fake[0] != real[0] and len(fake[0]) == len(real[0])
    assert fake[1:] == real[1:]
    assert fake[3].condition == "not-authorized"


def test_a_user_with_keys_of_another_hash_looks_unknown(accounts, start, scram_client):
    accounts.add("juliet", "a guess", hashes=("SHA-1",))
    seen = _seen_by_a_guesser(start, scram_client, accounts, "juliet", "SHA-512")
    nobody = _seen_by_a_guesser(start, scram_client, accounts, "nobody", "SHA-512")
    assert seen[1:] == nobody[1:]
    assert seen[3] == Failure("not-authorized", "Wrong user name or password.")


def test_the_downgrade_hash_is_that_of_the_xep_0474_example():
    bindings = ["tls-server-end-point", "tls-exporter"]
    offered = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"]
    assert downgrade_hash("SHA-1", offered, bindings) == "G6k/rBLDqgOhRRaCuuatSDFkJ08="
    assert downgrade_hash("SHA-1", offered, []) != downgrade_hash("SHA-1", offered, None)


def test_the_first_server_message_carries_the_downgrade_hash(accounts, start):
    accounts.bindings = {"tls-exporter": b"x"}
    advertised = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN"]
    for bindings in (None, ["tls-exporter"]):
        exchange = start(accounts, "SCRAM-SHA-1", advertised=advertised,
                         advertised_bindings=bindings)
        challenge = exchange.step(b"n,,n=romeo,r=abc").data.decode()
        assert challenge.endswith(",h=" + downgrade_hash("SHA-1", advertised, bindings))
    exchange = start(accounts, "SCRAM-SHA-1", downgrade_protection=False)
    assert ",h=" not in exchange.step(b"n,,n=romeo,r=abc").data.decode()


def test_every_exchange_has_its_own_nonce(accounts, start):
    nonces = {start(accounts, "SCRAM-SHA-1").step(b"n,,n=a,r=abc").data.split(b",")[0]
              for _ in range(5)}
    assert len(nonces) == 5
    assert all(nonce.startswith(b"r=abc") and len(nonce) > 25 for nonce in nonces)
