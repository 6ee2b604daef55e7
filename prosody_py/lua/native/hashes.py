"""Hash functions, HMAC, PBKDF2 and the comparison that takes constant time."""

import hashlib
import hmac
from collections.abc import Callable

DIGESTS = ("sha1", "sha224", "sha256", "sha384", "sha512", "md5", "blake2s", "blake2b", "sha3_256",
           "sha3_512")
MAX_ITERATIONS = 10_000_000


def _digest(name: str) -> Callable[[bytes, object], bytes]:
    if name == "blake2s":
        make: Callable = hashlib.blake2s
    elif name == "md5":
        def make(data: bytes):
            return hashlib.md5(data, usedforsecurity=False)
    else:
        make = getattr(hashlib, name)

    def digest(data: bytes, as_hex: object = None) -> bytes:
        hashed = make(data)
        return hashed.hexdigest().encode() if as_hex else hashed.digest()

    return digest


def _hmac(name: str) -> Callable[[bytes, bytes, object], bytes]:
    def authenticate(key: bytes, data: bytes, as_hex: object = None) -> bytes:
        digest = hmac.digest(key, data, name)
        return digest.hex().encode() if as_hex else digest

    return authenticate


def _pbkdf2(name: str) -> Callable[[bytes, bytes, int], bytes | None]:
    def derive(password: bytes, salt: bytes, iterations: int) -> bytes | None:
        if not 1 <= iterations <= MAX_ITERATIONS:
            return None
        return hashlib.pbkdf2_hmac(name, password, salt, int(iterations))

    return derive


def functions() -> dict[str, Callable]:
    """Return the digests, `hmac_*`, `pbkdf2_hmac_*` and `equals`, all on bytes."""
    found: dict[str, Callable] = {name: _digest(name) for name in DIGESTS}
    for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        found["hmac_" + name] = _hmac(name)
    for name in ("sha1", "sha256", "sha512"):
        found["pbkdf2_hmac_" + name] = _pbkdf2(name)
    found["equals"] = hmac.compare_digest
    return found
