"""Accounts for the mechanisms to ask, and a SCRAM client written from RFC 5802 alone."""

import base64
import hashlib
import hmac

import pytest

from prosody_py.xmpp.sasl import Exchange, derive, fake_keys, mechanisms, verify_password

HASHLIB = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}


class Accounts:
    """A Profile over dictionaries."""

    host = "example.org"
    fake_salt_key = b"fake salt key of a test"

    def __init__(self):
        self.keys = {}
        self.disabled = set()
        self.certificate = []
        self.bindings = {}
        self.traces = []
        self.others = {}  # mechanism -> what takes a client's messages

    def add(self, username, password, hashes=("SHA-1", "SHA-256", "SHA-512"), iterations=4096):
        for name in hashes:
            self.keys[username, name] = derive(password, name, iterations)

    def scram_keys(self, username, hash):
        return self.keys.get((username, hash))

    def test_password(self, username, authzid, password):
        keys = self.scram_keys(username, "SHA-1")
        return verify_password(
            keys or fake_keys(username, "SHA-1", 4096, self.fake_salt_key), password
        )

    def is_enabled(self, username):
        return username not in self.disabled

    def external_usernames(self, authzid):
        return self.certificate

    def anonymous_username(self, trace):
        self.traces.append(trace)
        return f"guest{len(self.traces)}"

    def converse(self, mechanism):
        return self.others.get(mechanism)

    def channel_bindings(self):
        return self.bindings


class Client:
    """The client's side of SCRAM; its fields may be bent before use."""

    def __init__(self, hash, username, password, gs2="n,,", binding=b"", nonce="clientnonce"):
        self.name = HASHLIB[hash]
        self.gs2 = gs2
        self.binding = binding
        self.password = password
        self.nonce = nonce
        escaped = username.replace("=", "=3D").replace(",", "=2C")
        self.bare = f"n={escaped},r={nonce}"

    def first(self):
        return (self.gs2 + self.bare).encode()

    def final(self, challenge):
        fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
        salt, rounds = base64.b64decode(fields["s"]), int(fields["i"])
        salted = hashlib.pbkdf2_hmac(self.name, self.password.encode(), salt, rounds)
        client_key = hmac.digest(salted, b"Client Key", self.name)
        channel = base64.b64encode(self.gs2.encode() + self.binding).decode()
        unproved = f"c={channel},r={fields['r']}"
        signed = f"{self.bare},{challenge.decode()},{unproved}".encode()
        stored_key = hashlib.new(self.name, client_key).digest()
        signature = hmac.digest(stored_key, signed, self.name)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.name)
        self.expected = b"v=" + base64.b64encode(hmac.digest(server_key, signed, self.name))
        return f"{unproved},p={base64.b64encode(proof).decode()}".encode()


@pytest.fixture(scope="session")
def scram_client():
    """Return the client class."""
    return Client


@pytest.fixture(scope="session")
def new_accounts():
    """Return the class of the accounts, for properties that need fresh ones."""
    return Accounts


@pytest.fixture
def accounts():
    """Return accounts with one user: romeo, password "wherefore"."""
    made = Accounts()
    made.add("romeo", "wherefore")
    return made


@pytest.fixture(scope="session")
def start():
    """Return a function that begins an exchange as a server that offers everything."""

    def begin(accounts, mechanism, **options):
        options.setdefault(
            "advertised",
            mechanisms(
                accounts, secure=True, scram_hashes=tuple(HASHLIB), plain=True, external=True,
                anonymous=True,
            ),
        )
        return Exchange(mechanism, accounts, **options)

    return begin
