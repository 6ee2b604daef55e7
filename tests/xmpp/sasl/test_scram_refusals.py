"""SCRAM with clients that lie, guess, or do not speak it."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp.sasl import MAX_MESSAGE_BYTES, Challenge, Failure, derive


def _b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "first",
    [
        b"", b"n", b"n,,", b"n,,n=romeo", b"n,,n=romeo,", b"n,,n=romeo,r=", b"n,,r=abc,n=romeo",
        b",,n=romeo,r=abc", b"x,,n=romeo,r=abc", b"n,n=romeo,r=abc", b"n,b=x,n=romeo,r=abc",
        b"n,a=,n=romeo,r=abc", b"n,,n=,r=abc", b"p=,,n=romeo,r=abc", b"p=a b,,n=romeo,r=abc",
        b"n,,n=romeo,r=a\x7fb", b"n,,n=romeo,r=a b", b"n,,n=romeo,r=\xc3\xa9", b"n,,n=\xff,r=abc",
        b"n,,n=ro\x00meo,r=abc", b"n,,n=romeo,r=abc,xx", b"n,,n=romeo,r=abc,x=",
        b"n,,n=ro=meo,r=abc", b"n,,n=romeo=,r=abc", b"n,,n=romeo=2c,r=abc",
        b"n,a=ro=meo,n=romeo,r=abc", b"n,,n=ro@meo,r=abc", b"n,,n=\xc2\xad,r=abc",
        b"n,,n=romeo,r=" + b"a" * 513, b"n,,n=" + b"a" * 1024 + b",r=abc",
        b"n,,m=ext,n=romeo,r=abc", b"n,,n=romeo,r=abc\n",
        b"p=tls-exporter,,n=romeo,r=abc",  # not a -PLUS mechanism
    ],
)
def test_a_first_message_out_of_form_is_malformed(accounts, start, first):
    outcome = start(accounts, "SCRAM-SHA-1").step(first)
    assert isinstance(outcome, Failure)
    assert outcome.condition == "malformed-request"


def test_mandatory_extensions_are_named_in_the_refusal(accounts, start):
    outcome = start(accounts, "SCRAM-SHA-1").step(b"n,,m=ext,n=romeo,r=abc")
    assert "extensions" in outcome.text


def test_a_message_over_the_limit_is_malformed(accounts, start):
    first = b"n,,n=romeo,r=abc,x=" + b"a" * MAX_MESSAGE_BYTES
    assert start(accounts, "SCRAM-SHA-1").step(first).condition == "malformed-request"
    exchange = start(accounts, "SCRAM-SHA-1")
    exchange.step(b"n,,n=romeo,r=abc")
    assert exchange.step(b"a" * (MAX_MESSAGE_BYTES + 1)).condition == "malformed-request"


@pytest.mark.parametrize(
    "authzid", ["juliet@example.org", "romeo@example.com", "romeo@example.org/x", "romeo", "@@"]
)
def test_acting_as_somebody_else_is_refused(accounts, start, authzid):
    outcome = start(accounts, "SCRAM-SHA-1").step(f"n,a={authzid},n=romeo,r=abc".encode())
    assert outcome.condition == "invalid-authzid"


def test_y_after_plus_was_offered_is_a_downgrade(accounts, start):
    assert isinstance(start(accounts, "SCRAM-SHA-1").step(b"y,,n=romeo,r=abc"), Challenge)
    accounts.bindings = {"tls-exporter": b"x"}
    outcome = start(accounts, "SCRAM-SHA-1").step(b"y,,n=romeo,r=abc")
    assert (outcome.condition, "downgrade" in outcome.text) == ("not-authorized", True)


@pytest.mark.parametrize("type", ["tls-unique", "TLS-EXPORTER", "empty"])
def test_a_binding_type_that_the_connection_lacks_is_refused(accounts, start, type):
    accounts.bindings = {"tls-exporter": b"x", "empty": b""}
    exchange = start(accounts, "SCRAM-SHA-1-PLUS")
    outcome = exchange.step(f"p={type},,n=romeo,r=abc".encode())
    assert outcome.condition == "not-authorized"


@pytest.mark.parametrize("flag", ["n", "y"])
def test_plus_without_binding_is_malformed(accounts, start, flag):
    accounts.bindings = {"tls-exporter": b"x"}
    outcome = start(accounts, "SCRAM-SHA-1-PLUS").step(f"{flag},,n=romeo,r=abc".encode())
    assert outcome.condition == "malformed-request"


def test_binding_data_of_another_connection_is_refused(accounts, start, scram_client):
    accounts.bindings = {"tls-exporter": b"ours"}
    for binding in (b"theirs", b"", b"ours "):
        client = scram_client("SHA-1", "romeo", "wherefore", "p=tls-exporter,,", binding)
        exchange = start(accounts, "SCRAM-SHA-1-PLUS")
        outcome = exchange.step(client.final(exchange.step(client.first()).data))
        assert outcome == Failure("not-authorized", "Channel binding does not match.")


def test_a_changed_gs2_header_is_refused(accounts, start, scram_client):
    client = scram_client("SHA-1", "romeo", "wherefore")
    exchange = start(accounts, "SCRAM-SHA-1")
    challenge = exchange.step(client.first())
    client.gs2 = "y,,"  # what a client sent whose "y" somebody made an "n" on the way
    assert exchange.step(client.final(challenge.data)).condition == "not-authorized"


def test_a_wrong_password_is_refused(accounts, start, scram_client):
    client = scram_client("SHA-1", "romeo", "therefore")
    exchange = start(accounts, "SCRAM-SHA-1")
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome == Failure("not-authorized", "Wrong user name or password.")


def test_a_disabled_account_is_named_only_to_its_owner(accounts, start, scram_client):
    accounts.disabled = {"romeo"}
    conditions = []
    for password in ("wherefore", "therefore"):
        client = scram_client("SHA-1", "romeo", password)
        exchange = start(accounts, "SCRAM-SHA-1")
        final = client.final(exchange.step(client.first()).data)
        conditions.append(exchange.step(final).condition)
    assert conditions == ["account-disabled", "not-authorized"]


@pytest.mark.parametrize(
    "bend",
    [
        lambda text: "",
        lambda text: text.split(",p=")[0],  # no proof
        lambda text: text.split(",p=")[0] + ",p=",
        lambda text: text.split(",p=")[0] + ",p=*",  # not base64
        lambda text: text.split(",p=")[0] + ",p=" + _b64(b"short"),
        lambda text: text.split(",p=")[0] + ",p=\u00e9\u00e9\u00e9\u00e9",
        lambda text: text + ",x=after the proof",
        lambda text: text.replace("c=", "c=*"),
        lambda text: text.replace("c=", "d="),
        lambda text: text.replace("r=clientnonce", "r=othernonce.."),
        lambda text: text.replace("r=clientnonce", "r=clientn\u00f6nce"),
        lambda text: ",".join(reversed(text.split(","))),
    ],
)
def test_a_final_message_out_of_form_is_malformed(accounts, start, scram_client, bend):
    client = scram_client("SHA-1", "romeo", "wherefore")
    exchange = start(accounts, "SCRAM-SHA-1")
    final = client.final(exchange.step(client.first()).data).decode()
    assert exchange.step(bend(final).encode()).condition == "malformed-request"


def test_none_as_final_message_is_malformed(accounts, start):
    exchange = start(accounts, "SCRAM-SHA-1")
    exchange.step(b"n,,n=romeo,r=abc")
    assert exchange.step(None).condition == "malformed-request"


def test_a_proof_cannot_be_used_again(accounts, start, scram_client):
    client = scram_client("SHA-1", "romeo", "wherefore")
    exchange = start(accounts, "SCRAM-SHA-1")
    final = client.final(exchange.step(client.first()).data)
    again = start(accounts, "SCRAM-SHA-1")
    again.step(client.first())
    assert again.step(final).condition == "malformed-request"


def test_invented_keys_never_let_anybody_in(accounts, start, monkeypatch, scram_client):
    # Even somebody who could undo the hash of the invented key stays out.
    guessed = derive("guessed", "SHA-1", 4096)
    monkeypatch.setattr("prosody_py.xmpp.sasl.scram.fake_keys", lambda *_: guessed)
    client = scram_client("SHA-1", "nobody", "guessed")
    exchange = start(accounts, "SCRAM-SHA-1")
    outcome = exchange.step(client.final(exchange.step(client.first()).data))
    assert outcome.condition == "not-authorized"


scram_like = st.text(alphabet="nypacr=,mx2C3D").map(str.encode)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.none() | st.binary(max_size=60) | scram_like, max_size=3))
def test_no_bytes_raise_or_let_in(new_accounts, start, messages):
    exchange = start(new_accounts(), "SCRAM-SHA-1")
    for message in messages:
        assert isinstance(exchange.step(message), Challenge | Failure)
