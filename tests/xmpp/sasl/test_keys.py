"""SCRAM keys."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp.prep import PrepError
from prosody_py.xmpp.sasl import (
    HASHES,
    MIN_ITERATIONS,
    derive,
    fake_keys,
    keys_of_salted_password,
    verify_password,
)


def test_keys_are_those_of_the_rfc_5802_example():
    keys = derive("pencil", "SHA-1", 4096, base64.b64decode("QSXCR+Q6sek8bf92"))
    assert keys.stored_key.hex() == "e9d94660c39d65c38fbad91c358f14da0eef2bd6"
    assert keys.server_key.hex() == "0fe09258b3ac852ba502cc62ba903eaacdbf7d31"


@pytest.mark.parametrize("hash", ["SHA-1", "SHA-256", "SHA-512"])
def test_a_password_verifies_against_its_keys_only(hash):
    keys = derive("wherefore", hash, 4096)
    assert verify_password(keys, "wherefore")
    assert verify_password(keys, "where\u00adfore")  # the same after SASLprep
    for wrong in ("Wherefore", "", "a\x00b", "\ud800", "x" * 2000):
        assert not verify_password(keys, wrong)


def test_every_derivation_makes_a_new_salt_of_one_shape():
    salts = {derive("a", "SHA-1", 4096).salt for _ in range(3)}
    salts.add(fake_keys("romeo", "SHA-1", 4096, b"key").salt)
    assert len(salts) == 4
    assert {len(salt) for salt in salts} == {36}


@pytest.mark.parametrize("password", ["", "\u00ad", "a\nb", "\U0001f600", "x" * 1024])
def test_a_password_that_cannot_be_stored_is_refused(password):
    with pytest.raises(PrepError):
        derive(password, "SHA-1", 4096)


def test_too_few_iterations_are_refused():
    with pytest.raises(ValueError):
        derive("secret", "SHA-1", MIN_ITERATIONS - 1)


def test_invented_keys_are_stable_and_differ_by_user_hash_and_server():
    keys = fake_keys("romeo", "SHA-256", 4096, b"key")
    assert keys == fake_keys("romeo", "SHA-256", 4096, b"key")
    others = [
        fake_keys("juliet", "SHA-256", 4096, b"key"),
        fake_keys("romeo", "SHA-1", 4096, b"key"),
        fake_keys("romeo", "SHA-256", 4096, b"other"),
    ]
    assert keys.salt not in {other.salt for other in others}
    assert len(keys.stored_key) == 32
    assert not verify_password(keys, "anything")


def test_printing_keys_shows_no_secret():
    keys = derive("secret", "SHA-1", 4096)
    for secret in (keys.salt, keys.stored_key, keys.server_key):
        assert repr(secret) not in repr(keys)


def test_the_salted_password_of_the_xep_0480_example_gives_keys():
    salted = base64.b64decode("BzOnw3Pc5H4bOLlPZ/8JAy6wnTpH05aH21KW2+Xfpaw=")
    keys = keys_of_salted_password(salted, "SHA-256", 4096,
                                   base64.b64decode("QV9TWENSWFE2c2VrOGJmX1o="))
    assert (keys.hash, keys.salt, keys.iterations) == ("SHA-256", b"A_SXCRXQ6sek8bf_Z", 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert keys.stored_key == hashlib.sha256(client_key).digest()


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(list(HASHES)), st.text("abc\u00e4\u2603 ", min_size=1),
       st.binary(min_size=1))
def test_a_client_that_salts_its_password_brings_the_same_keys(hash, password, salt):
    salted = hashlib.pbkdf2_hmac(HASHES[hash], password.encode(), salt, 4096)
    keys = keys_of_salted_password(salted, hash, 4096, salt)
    assert keys == derive(password, hash, 4096, salt) and verify_password(keys, password)
