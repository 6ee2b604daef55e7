"""Keys, signatures, ciphers and tokens: util.crypto, util.jwt, util.paseto, openssl.*."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as some

MODEST = settings(max_examples=15, deadline=None)


def pems(private):
    return (private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()),
            private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


KEYS = {
    "rsa": pems(rsa.generate_private_key(65537, 2048)),
    "p256": pems(ec.generate_private_key(ec.SECP256R1())),
    "p384": pems(ec.generate_private_key(ec.SECP384R1())),
    "p521": pems(ec.generate_private_key(ec.SECP521R1())),
    "ed25519": pems(ed25519.Ed25519PrivateKey.generate()),
    "secret": (b"a-secret-of-some-length", b"a-secret-of-some-length"),
}
ALGORITHMS = {"RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa",
              "PS512": "rsa", "ES256": "p256", "ES384": "p384", "ES512": "p521",
              "HS256": "secret", "HS384": "secret", "HS512": "secret"}


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(header, claims, secret=KEYS["secret"][0]):
    text = b64url(json.dumps(header).encode()) + b"." + b64url(json.dumps(claims).encode())
    return text + b"." + b64url(hmac.digest(secret, text, "sha256"))


# util.crypto ------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "kind"), [
    ("rsa", b"rsaEncryption"), ("p256", b"id-ecPublicKey"), ("ed25519", b"ED25519")])
def test_keys_are_imported_and_exported_as_pem(lua, name, kind):
    private, public = KEYS[name]
    assert lua.run("""
        local crypto, private, public = require "util.crypto", ...;
        local key, other = crypto.import_private_pem(private), crypto.import_public_pem(public);
        return key:get_type(), key:private_pem() == private, key:public_pem() == public,
            other:get_type(), other:public_pem() == public, pcall(other.private_pem, other);
    """, private, public)[:6] == (kind, True, True, kind, True, False)


@pytest.mark.parametrize("text", [b"", b"foo", KEYS["p256"][1], b"-----BEGIN PRIVATE KEY-----",
                                  KEYS["p256"][0][:-40], b"\0" * 100, b"A" * 100_000])
def test_what_is_no_private_key_is_nil(lua, text):
    assert lua.run("return require 'util.crypto'.import_private_pem((...))", text) is None


@pytest.mark.parametrize(("scheme", "name"), [
    ("ed25519", "ed25519"), ("ecdsa_sha256", "p256"), ("ecdsa_sha384", "p384"),
    ("rsassa_pkcs1_sha256", "rsa"), ("rsassa_pss_sha512", "rsa")])
def test_signatures_are_made_and_checked(lua, scheme, name):
    assert lua.run(f"""
        local crypto, private, public = require "util.crypto", ...;
        local key, other = crypto.import_private_pem(private), crypto.import_public_pem(public);
        local signature = crypto.{scheme}_sign(key, "Hello");
        local verify = crypto.{scheme}_verify;
        return verify(other, "Hello", signature), verify(other, "Hello\\0", signature),
            verify(other, "Hello", signature:sub(1, -2)), verify(other, "Hello", ""),
            (pcall(crypto.{scheme}_sign, other, "Hello"));
    """, *KEYS[name]) == (True, False, False, False, False)


def test_a_key_of_another_kind_is_an_error(lua):
    ok, text = lua.run("""
        local crypto = require "util.crypto";
        return pcall(crypto.ed25519_sign, crypto.generate_p256_keypair(), "x");
    """)
    assert not ok and b"ed25519_sign" in text
    assert lua.run("""
        local crypto = require "util.crypto";
        return (pcall(crypto.ed25519_sign, {}, "x")), (pcall(crypto.ed25519_sign, nil, "x"));
    """) == (False, False)


def test_two_sides_derive_the_same_secret(lua):
    assert lua.run("""
        local crypto = require "util.crypto";
        local a, b = crypto.generate_p256_keypair(), crypto.generate_p256_keypair();
        local b_public = crypto.import_public_ec_raw(b:public_raw(), "P-256");
        return a:derive(b_public) == b:derive(a), #a:derive(b), #a:public_raw(),
            crypto.import_public_ec_raw("\\4" .. ("x"):rep(64), "P-256"),
            crypto.import_public_ec_raw(a:public_raw(), "P-999"),
            a:derive(crypto.generate_ed25519_keypair());
    """) == (True, 32, 65, None, None, None)


@MODEST
@given(text=some.binary(max_size=100))
def test_encrypted_text_comes_back_and_forged_text_does_not(lua, text):
    assert lua.run("""
        local crypto, text = require "util.crypto", ...;
        local key, iv = ("k"):rep(16), ("i"):rep(12);
        local secret = crypto.aes_128_gcm_encrypt(key, iv, text);
        local forged = secret:sub(1, -2) .. string.char((secret:byte(-1) + 1) % 256);
        local ctr = crypto.aes_256_ctr_encrypt(("k"):rep(32), ("i"):rep(16), text);
        return crypto.aes_128_gcm_decrypt(key, iv, secret) == text, #secret - #text,
            crypto.aes_256_ctr_decrypt(("k"):rep(32), ("i"):rep(16), ctr) == text,
            select("#", crypto.aes_128_gcm_decrypt(key, iv, forged)),
            crypto.aes_128_gcm_decrypt(key, iv, forged);
    """, text) == (True, 16, True, 2, None, b"decryption-failed")


@pytest.mark.parametrize("arguments", ["'short', ('i'):rep(12), ''", "('k'):rep(16), 'i', ''",
                                       "('k'):rep(16), ('i'):rep(12)", "nil, nil, nil"])
def test_ciphers_check_their_arguments(lua, arguments):
    ok, text = lua.run(f"return pcall(require 'util.crypto'.aes_128_gcm_encrypt, {arguments})")
    assert not ok and b"bad argument" in text


@pytest.mark.parametrize("der", [b"", b"\0", b"\0" * 72, b"\xff" * 72, b"0\x06\x02\x01\x01\x02"])
def test_a_broken_ecdsa_signature_is_nil(lua, der):
    assert lua.run("return require 'util.crypto'.parse_ecdsa_signature((...), 32)", der) == (
        None, None)


def test_hkdf_is_that_of_rfc_5869(lua):
    expected = bytes.fromhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                             "34007208d5b887185865")
    assert lua.run("return require 'util.hashes'.hkdf_hmac_sha256(42, ...)", b"\x0b" * 22,
                   bytes(range(13)), bytes(range(0xf0, 0xfa))) == expected
    assert lua.run("return (pcall(require 'util.hashes'.hkdf_hmac_sha256, 1e6, 'k'))") is False


# util.jwt ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_is_signed_and_read_back(lua, algorithm):
    private, public = KEYS[ALGORITHMS[algorithm]]
    assert lua.run(f"""
        local jwt, private, public = require "util.jwt", ...;
        local sign, verify = jwt.init("{algorithm}", private, public);
        local token = sign {{ sub = "alice", admin = true }};
        local ok, claims = verify(token);
        local changed = token:gsub("%.(%w%w)", function (s) return "." .. s:reverse(); end, 1);
        return ok, claims.sub, claims.admin, claims.exp, (verify(changed)),
            (verify(token:sub(1, -9))), (verify(token .. "AAAA"));
    """, private, public) == (True, b"alice", True, None, False, False, False)


@pytest.mark.parametrize("name", ["p256", "rsa"])
def test_a_public_key_is_no_secret(lua, name):
    """Otherwise a token "signed" with the public key as HMAC secret could pass."""
    public = KEYS[name][1]
    assert lua.run("return (pcall(require 'util.jwt'.new_verifier, 'HS256', (...)))",
                   public) is False
    algorithm = {"p256": "ES256", "rsa": "RS256"}[name]
    forged = token({"alg": "HS256", "typ": "JWT"}, {"sub": "admin"}, public)
    assert lua.run(f"""
        local public, token = ...;
        return require "util.jwt".new_verifier("{algorithm}", public)(token);
    """, public, forged) == (False, b"unsupported-algorithm")


@pytest.mark.parametrize(("algorithm", "name"), [
    ("ES256", "p384"), ("ES256", "rsa"), ("RS256", "p256"), ("PS256", "ed25519"),
    ("ES512", "p256"), ("none", "secret"), ("HS255", "secret"), ("", "secret")])
def test_a_key_that_does_not_fit_is_refused_at_once(lua, algorithm, name):
    assert lua.run("return (pcall(require 'util.jwt'.new_signer, ...))",
                   algorithm.encode(), KEYS[name][0]) is False


@pytest.mark.parametrize(("header", "reason"), [
    ({"alg": "none"}, b"unsupported-algorithm"), ({}, b"unsupported-algorithm"),
    ({"alg": "HS512"}, b"unsupported-algorithm"), ({"alg": ["HS256"]}, b"unsupported-algorithm"),
    ({"alg": "HS256", "crit": ["x"]}, b"unsupported-header"), ([], b"unsupported-algorithm"),
    ("x", b"invalid-header"), (None, b"invalid-header")])
def test_only_the_wanted_algorithm_is_used(lua, header, reason):
    assert lua.run("return require 'util.jwt'.new_verifier('HS256', ...)(select(2, ...))",
                   KEYS["secret"][0], token(header, {"sub": "x"})) == (False, reason)


@pytest.mark.parametrize(("claims", "options", "expected"), [
    ({"exp": 1}, "", b"token-expired"), ({"exp": 1}, "accept_expired = true", True),
    ({"exp": 99999999999}, "", True), ({"exp": "never"}, "", b"invalid-expiry"),
    ({"nbf": 99999999999}, "", b"token-not-yet-valid"), ({"nbf": 1}, "", True),
    ({"nbf": []}, "", b"invalid-not-before"),
    ({"iss": "us", "aud": "you"}, "claim_verifier = function (c) return c.iss == 'us'; end", True),
    ({"iss": "them"}, "claim_verifier = function (c) return c.iss == 'us'; end",
     b"incorrect-claims")])
def test_claims_are_checked_as_the_options_say(lua, claims, options, expected):
    ok, found = lua.run(f"""
        local key, token = ...;
        return require "util.jwt".new_verifier("HS256", key, {{ {options} }})(token);
    """, KEYS["secret"][0], token({"alg": "HS256"}, claims))[:2]
    assert (ok if expected is True else found) == expected


def test_a_lifetime_is_added_to_tokens(lua):
    assert lua.run("""
        local jwt = require "util.jwt";
        local sign, verify = jwt.init("HS256", "k", "k", { default_ttl = 60 });
        local claims = { sub = "x" };
        local _, read = verify(sign(claims));
        return read.exp - read.iat, claims.exp, select(2, verify(sign { exp = 2^40 })).exp == 2^40;
    """) == (60, None, True)


def test_the_old_functions_leave_the_times_to_their_callers(lua):
    assert lua.run("""
        local jwt = require "util.jwt";
        local token = jwt.sign("k", { exp = 1 });
        local ok, claims = jwt.verify("k", token);
        return ok, claims.exp, jwt.verify("other", token);
    """) == (True, 1, False, b"signature-mismatch")


@pytest.mark.parametrize("text", [
    b"", b"...", b"a.b", b"a.b.c", b"!.!.!", b"a" * 70_000, b"\0.\0.\0", b"e30.e30.", b".." * 500,
    token({"alg": "HS256"}, "text"), token({"alg": "HS256"}, None), token({"alg": "HS256"}, 5),
    b"[" * 3000 + b"." + b"a.b", b64url(b"[" * 30_000) + b".e30.e30"])
def test_what_is_no_token_is_refused_with_a_reason(lua, text):
    ok, reason = lua.run("return require 'util.jwt'.new_verifier('HS256', ...)(select(2, ...))",
                         KEYS["secret"][0], text)
    assert ok is False and type(reason) is bytes
    assert lua.run("return (require 'util.jwt'.verify('k', nil))") is False


# util.paseto ------------------------------------------------------------------------------------

def test_the_vectors_of_the_specification_are_read(lua):
    """Vectors 3-E-5 and 4-S-1 of the PASETO specification."""
    local = (b"v3.local.JvdVM1RIKh2R1HhGJ4VLjaa4BCp5ZlI8K0BOjbvn9_LwY78vQnDait-Q-sjhF88dG2B0ROIIyk"
             b"crGHn8wzPbTrqObHhyoKpjy3cwZQzLdiwRsdEK5SDvl02_HjWKJW2oqGMOQJlkYSIbXOgVuIQL65UMdW9Wc"
             b"jOpmqvjqD40NNzed-XPqn1T3w-bJvitYpUJL_rmihc.eyJraWQiOiJVYmtLOFk2aXY0R1poRnA2VHgzSVdM"
             b"V0xmTlhTRXZKY2RUM3pkUjY1WVp4byJ9")
    footer = b'{"kid":"UbkK8Y6iv4GZhFp6Tx3IWLWLfNXSEvJcdT3zdR65YZxo"}'
    key = bytes(range(0x70, 0x90))
    public = (b"v4.public.eyJkYXRhIjoidGhpcyBpcyBhIHNpZ25lZCBtZXNzYWdlIiwiZXhwIjoiMjAyMi0wMS0wMVQw"
              b"MDowMDowMCswMDowMCJ9bg_XBBzds8lTZShVlwwKSgeKpLT3yukTw6JUz3W4h_ExsQV-P0V54zemZDcAxF"
              b"aSeef1QlXEFtkqxT1ciiQEDA")
    pem = (b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAHrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gs"
           b"aI=\n-----END PUBLIC KEY-----")
    code = """
        local paseto, local_token, key, footer, public_token, pem = require "util.paseto", ...;
        local decrypt = paseto.v3_local.decrypt;
        local public_key = paseto.v4_public.import_public_key(pem);
        return decrypt(local_token, key, footer).data, (decrypt(local_token, key, "other")),
            (decrypt(local_token, key, footer, "implicit")), (decrypt(local_token .. "=", key,
                footer)),
            paseto.v4_public.verify(public_token, public_key).data,
            (paseto.v4_public.verify(local_token, public_key)), (decrypt(public_token, key));
    """
    assert lua.run(code, local, key, footer, public, pem) == (
        b"this is a secret message", None, None, None, b"this is a signed message", None, None)


def test_pasetos_are_written_and_read_back(lua):
    assert lua.run("""
        local paseto = require "util.paseto";
        local sign, verify = paseto.v3_local.init(paseto.v3_local.new_key());
        local _, other = paseto.v3_local.init(paseto.v3_local.new_key());
        local token = sign({ a = "b" }, "foot", "claim");
        local pair = paseto.v4_public.new_keypair();
        local sign4, verify4 = paseto.v4_public.init(pair:private_pem(), pair:public_pem());
        local token4 = sign4({ a = "c" }, nil, "claim");
        return verify(token, "foot", "claim").a, (verify(token, "foot")), (verify(token)),
            (other(token, "foot", "claim")), verify4(token4, nil, "claim").a, (verify4(token4)),
            (verify4(token)), (pcall(paseto.v3_local.init, "short")), (pcall(sign, "text"));
    """) == (b"b", None, None, None, b"c", None, None, False, False)


def test_a_token_has_one_spelling(lua):
    """The last character of base64 has bits that stand for nothing."""
    assert lua.run("""
        local paseto = require "util.paseto".v3_local;
        local sign, verify = paseto.init(paseto.new_key());
        local good, letters = 0, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for _, text in ipairs { "x", "xx", "xxx" } do
            local token = sign { text };
            for char in (letters .. "0123456789-_"):gmatch "." do
                if verify(token:sub(1, -2) .. char) then good = good + 1; end
            end
        end
        return good;
    """) == 3


def test_parts_are_encoded_with_their_lengths(lua):
    assert lua.run("""
        local pae = require "util.paseto".pae;
        return pae {}, pae { "" }, pae { "test" };
    """) == (b"\0" * 8, b"\x01" + b"\0" * 15, b"\x01" + b"\0" * 7 + b"\x04" + b"\0" * 7 + b"test")


@pytest.mark.parametrize("text", [b"", b"v3.local.", b"v3.local.AA", b"v3.local.A",
    b"v4.local.AAAA",
                                  b"v3.local." + b"A" * 107 + b"B", b"v3.local.AAAA.!",
                                      b"x" * 70_000])
def test_what_is_no_paseto_is_nil_and_a_reason(lua, text):
    value, reason = lua.run(
        "return require 'util.paseto'.v3_local.decrypt((...), ('k'):rep(32))", text)
    assert value is None and type(reason) is bytes


# openssl.* --------------------------------------------------------------------------------------

def test_luaossl_ciphers_are_there(lua):
    assert lua.run("""
        local new = require "openssl.cipher".new;
        local key, iv = ("k"):rep(16), ("i"):rep(12);
        local gcm = new "AES-128-GCM":encrypt(key, iv);
        local text = gcm:update("some ") .. gcm:final("text");
        local tag = gcm:getTag(16);
        local read = new "aes-128-gcm":decrypt(key, iv):setTag(tag):final(text);
        local forged = select("#", new "aes-128-gcm":decrypt(key,
            iv):setTag(("x"):rep(16)):final(text));
        local cbc = new "aes-256-cbc":encrypt(("k"):rep(32), ("i"):rep(16)):final("text");
        return read, forged, #cbc, new "aes-256-cbc":decrypt(("k"):rep(32),
            ("i"):rep(16)):final(cbc),
            (new "aes-256-cbc":decrypt(("k"):rep(32), ("i"):rep(16)):final(("x"):rep(15))),
            (pcall(new, "rot13")), (pcall(new "aes-128-gcm".encrypt, new "aes-128-gcm", "k", iv)),
            new "aes-128-gcm":keyLength(), new "aes-128-gcm":ivLength(),
            (pcall(new "aes-128-gcm".final, new "aes-128-gcm"));
    """) == (b"some text", 2, 16, b"text", None, False, False, 16, 12, False)


def test_luaossl_keys_digests_and_derivation_are_there(lua):
    assert lua.run("""
        local pkey, digest = require "openssl.pkey", require "openssl.digest";
        local hmac, kdf, rand = require "openssl.hmac", require "openssl.kdf",
            require "openssl.rand";
        local key = pkey.new { type = "EC", curve = "prime256v1" };
        local public = pkey.new(key:toPEM("public"));
        local signature = key:sign(digest.new "sha256":update("text"));
        local peer = pkey.new { type = "EC" };
        return public:verify(signature, digest.new "sha256":update("te", "xt")),
            public:verify(signature, digest.new "sha256":update("other")),
            #key:getParameters().pub_key:toBinary(), key:derive(peer) == peer:derive(key),
            digest.new "sha256":final("abc"), hmac.new("k", "sha1"):final("d"),
            #kdf.derive { type = "HKDF", md = "sha256", secret = "s", salt = "x", info = "i",
                outlen = 40 }, #rand.bytes(5), rand.uniform(1),
            (pcall(pkey.new, "nonsense")), (pcall(digest.new, "sha0")),
            (pcall(kdf.derive, { type = "SCRYPT" }));
    """) == (True, False, 65, True, hashlib.sha256(b"abc").digest(),
             hmac.digest(b"k", b"d", "sha1"), 40, 5, 0, False, False, False)
