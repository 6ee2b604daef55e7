"""Derive, invent and check the keys that SCRAM stores instead of a password (RFC 5802)."""

import hashlib
import hmac
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from prosody_py.xmpp.prep import PrepError, saslprep

__all__ = [
    "DEFAULT_ITERATIONS",
    "HASHES",
    "MIN_ITERATIONS",
    "ScramKeys",
    "derive",
    "fake_keys",
    "keys_of_salted_password",
    "verify_password",
]

HASHES = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
"""Hash names as in SCRAM mechanisms, weakest first, and what hashlib calls them."""

MIN_ITERATIONS = 4096
"""Fewest rounds for new keys (RFC 7677 section 4)."""

DEFAULT_ITERATIONS = 10_000
"""Rounds for new keys unless configured otherwise."""


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """Hold what the server keeps for one user and one hash."""

    hash: str
    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def derive(password: str, hash: str, iterations: int, salt: bytes | None = None) -> ScramKeys:
    """Derive keys from a password; burns CPU without the interpreter lock, so threads help.

    ``hash`` is a key of HASHES; ``salt`` is made up if None. Raises PrepError for a password that
    cannot be stored (empty, over 1023 bytes, not SASLprep), ValueError for few iterations.
    """
    if iterations < MIN_ITERATIONS:
        raise ValueError(f"fewer than {MIN_ITERATIONS} iterations")
    prepared = saslprep(password)
    if not prepared:
        raise PrepError("saslprep: password is empty")
    # Text of a UUID, as in Prosody's account files: stores that only take text keep it as it is,
    # and new, imported and invented accounts all show salts of one shape.
    salt = str(uuid4()).encode() if salt is None else salt
    return _derive_prepared(prepared, hash, iterations, salt)


def _derive_prepared(password: str, hash: str, iterations: int, salt: bytes) -> ScramKeys:
    salted = hashlib.pbkdf2_hmac(HASHES[hash], password.encode(), salt, iterations)
    return keys_of_salted_password(salted, hash, iterations, salt)


def keys_of_salted_password(salted: bytes, hash: str, iterations: int, salt: bytes) -> ScramKeys:
    """Return the keys that the SaltedPassword of RFC 5802 section 3 gives (XEP-0480)."""
    name = HASHES[hash]
    client_key = hmac.digest(salted, b"Client Key", name)
    stored_key = hashlib.new(name, client_key).digest()
    return ScramKeys(hash, salt, iterations, stored_key, hmac.digest(salted, b"Server Key", name))


def verify_password(keys: ScramKeys, password: str) -> bool:
    """Say whether the keys come from this password; costs as much as ``derive``."""
    try:
        prepared = saslprep(password, strict=False)
    except PrepError:
        return False
    if not prepared:
        return False
    derived = _derive_prepared(prepared, keys.hash, keys.iterations, keys.salt)
    return hmac.compare_digest(derived.stored_key, keys.stored_key)


def fake_keys(username: str, hash: str, iterations: int, fake_salt_key: bytes) -> ScramKeys:
    """Invent keys for a user who has none: always the same ones, and no password fits.

    Without them a client could tell a missing account by its missing or changing salt.
    """

    def invent(purpose: str) -> bytes:
        message = "\0".join((purpose, hash, username)).encode()
        return hmac.digest(fake_salt_key, message, HASHES[hash])

    salt = str(UUID(bytes=invent("salt")[:16], version=4)).encode()
    return ScramKeys(hash, salt, iterations, invent("stored key"), invent("server key"))
