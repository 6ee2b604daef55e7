"""AES in the modes that tokens and push messages use, and incremental hashes over it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

_BLOCK = 128
_KEY_SIZES = {b"128": 16, b"192": 24, b"256": 32}
_DIGESTS = frozenset(("md5", "sha1", "sha224", "sha256", "sha384", "sha512"))


def aes_gcm(encrypting: bool, key: bytes, iv: bytes, data: bytes) -> bytes | None:
    """Return the text with the tag behind it, or what such a text holds; None where it is forged.

    The key has 16, 24 or 32 bytes, the iv 8 to 128 (12 is usual).
    """
    try:
        cipher = AESGCM(key)
        return (cipher.encrypt if encrypting else cipher.decrypt)(iv, data, None)
    except (ValueError, InvalidTag):
        return None


def aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes | None:
    """Encrypt or decrypt (the same) in counter mode; the iv has 16 bytes."""
    try:
        context = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    except ValueError:
        return None
    return context.update(data) + context.finalize()


class _Context:
    """A cipher at work, with padding where the mode has blocks."""

    def __init__(self, mode: str, key: bytes, iv: bytes, encrypting: bool, padded: bool):
        kind = {"gcm": modes.GCM, "cbc": modes.CBC, "ctr": modes.CTR}[mode]
        cipher = Cipher(algorithms.AES(key), kind(iv))
        self.mode, self.encrypting = mode, encrypting
        self.cipher = cipher.encryptor() if encrypting else cipher.decryptor()
        self.padding = None
        if mode == "cbc" and padded:
            self.padding = PKCS7(_BLOCK).padder() if encrypting else PKCS7(_BLOCK).unpadder()
        self.wanted_tag: bytes | None = None

    def update(self, data: bytes) -> bytes:
        if self.padding is None:
            return self.cipher.update(data)
        if self.encrypting:
            return self.cipher.update(self.padding.update(data))
        return self.padding.update(self.cipher.update(data))

    def final(self) -> bytes:
        if self.mode == "gcm" and not self.encrypting:
            if self.wanted_tag is None:
                raise ValueError("the tag of the text is missing")
            return self.cipher.finalize_with_tag(self.wanted_tag)
        if self.padding is None:
            return self.cipher.finalize()
        if self.encrypting:
            return self.cipher.update(self.padding.finalize()) + self.cipher.finalize()
        return self.padding.update(self.cipher.finalize()) + self.padding.finalize()


def cipher_sizes(name: bytes) -> tuple[int, int] | None:
    """Return the bytes of key and iv for b"AES-128-GCM" and the like, None for an unknown name."""
    family, _, rest = name.lower().partition(b"-")
    size, _, mode = rest.partition(b"-")
    if family != b"aes" or size not in _KEY_SIZES or mode not in (b"gcm", b"cbc", b"ctr"):
        return None
    return _KEY_SIZES[size], 12 if mode == b"gcm" else 16


def cipher_new(name: bytes, encrypting: object, key: bytes, iv: bytes,
               padded: object = True) -> Any:
    """Return a context for `cipher_update` and `cipher_final`; (None, reason) for a bad key."""
    sizes = cipher_sizes(name)
    if sizes is None or len(key) != sizes[0]:
        return None, b"bad key length"
    try:
        return _Context(name.lower()[-3:].decode(), key, iv, bool(encrypting), bool(padded))
    except ValueError:
        return None, b"bad iv length"


def _attempt(work: Callable[..., bytes], *args: bytes) -> bytes | tuple[None, bytes]:
    try:
        return work(*args)
    except InvalidTag:
        return None, b"the text was changed"
    except Exception as error:  # AlreadyFinalized, ValueError: the library has many
        return None, (str(error) or type(error).__name__).encode()


def cipher_update(context: _Context, data: bytes) -> bytes | tuple[None, bytes]:
    """Return what the next part gives."""
    return _attempt(context.update, data)


def cipher_final(context: _Context) -> bytes | tuple[None, bytes]:
    """Return the rest; checks padding and tag."""
    return _attempt(context.final)


def cipher_tag(context: _Context, size: int) -> bytes | tuple[None, bytes]:
    """Return the tag of what was encrypted."""
    return _attempt(lambda: context.cipher.tag[:int(size)])


def cipher_expect_tag(context: _Context, tag: bytes) -> None:
    """Set the tag that `cipher_final` compares."""
    context.wanted_tag = tag


def hash_new(name: bytes, key: bytes | None = None) -> Any:
    """Return a running hash, an HMAC with a key; None for an unknown name."""
    algorithm = name.decode("ascii", "replace").lower()
    if algorithm not in _DIGESTS:
        return None
    return hashlib.new(algorithm) if key is None else hmac.new(key, None, algorithm)


def functions() -> dict[str, Callable]:
    """Return the ciphers and the running hashes."""
    return {
        "aes_gcm_encrypt": lambda *args: aes_gcm(True, *args),
        "aes_gcm_decrypt": lambda *args: aes_gcm(False, *args), "aes_ctr": aes_ctr,
        "cipher_sizes": cipher_sizes, "cipher_new": cipher_new, "cipher_update": cipher_update,
        "cipher_final": cipher_final, "cipher_tag": cipher_tag,
        "cipher_expect_tag": cipher_expect_tag, "hash_new": hash_new,
        "hash_update": lambda running, data: running.update(data),
        "hash_final": lambda running: running.digest(),
    }
