"""Hash functions, HMAC, PBKDF2 and the comparison that takes constant time."""

import hashlib
import hmac
from collections.abc import Callable

DIGESTS = ("sha1", "sha224", "sha256", "sha384", "sha512", "md5", "blake2s", "blake2b", "sha3_256",
           "sha3_512")
ALIASES = {"blake2s256": "blake2s", "blake2b512": "blake2b"}
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


def _hkdf(name: str) -> Callable[..., bytes | None]:
    size = hashlib.new(name).digest_size

    def derive(length: int, key: bytes, salt: bytes = b"", info: bytes = b"") -> bytes | None:
        if not 0 < length <= 255 * size:
            return None
        secret = hmac.digest(salt or bytes(size), key, name)
        out = block = b""
        while len(out) < length:
            block = hmac.digest(secret, block + info + bytes([len(out) // size + 1]), name)
            out += block
        return out[:int(length)]

    return derive


def functions() -> dict[str, Callable]:
    """Return the digests, `hmac_*`, `pbkdf2_hmac_*`, `hkdf_hmac_*` and `equals`, all on bytes.

    hkdf_hmac_*(length, key, salt, info) is RFC 5869, both steps.
    """
    found: dict[str, Callable] = {name: _digest(name) for name in DIGESTS}
    for name in DIGESTS:
        found["hmac_" + name] = _hmac(name)
    for alias, name in ALIASES.items():
        found[alias], found["hmac_" + alias] = found[name], found["hmac_" + name]
    for name in ("sha1", "sha256", "sha512"):
        found["pbkdf2_hmac_" + name] = _pbkdf2(name)
    for name in ("sha256", "sha384"):
        found["hkdf_hmac_" + name] = _hkdf(name)
    found["equals"] = hmac.compare_digest
    return found
