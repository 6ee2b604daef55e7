"""Asymmetric keys, for util.crypto and the openssl.* libraries: import, export, sign, verify.

A key is handed to Lua as an opaque object which only these functions take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

MAX_PEM = 64 * 1024
MAX_RSA_BITS = 16384
"""Peers send public keys; the time for one operation grows with the square of its size."""

_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    b"sha1": hashes.SHA1(), b"sha224": hashes.SHA224(), b"sha256": hashes.SHA256(),
    b"sha384": hashes.SHA384(), b"sha512": hashes.SHA512(),
}
_CURVES: dict[bytes, ec.EllipticCurve] = {
    b"p-256": ec.SECP256R1(), b"prime256v1": ec.SECP256R1(), b"secp256r1": ec.SECP256R1(),
    b"p-384": ec.SECP384R1(), b"secp384r1": ec.SECP384R1(),
    b"p-521": ec.SECP521R1(), b"secp521r1": ec.SECP521R1(),
}
_PRIVATE = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
_PUBLIC = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
_FAILURES = (ValueError, TypeError, UnsupportedAlgorithm)
_SPKI = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Key:
    """A public key and, where it is known, the private one."""

    __slots__ = ("private", "public")

    def __init__(self, private: Any, public: Any):
        self.private, self.public = private, public


def _accept(private: Any, public: Any) -> Key | None:
    if not isinstance(public, _PUBLIC):
        return None
    if isinstance(public, rsa.RSAPublicKey) and public.key_size > MAX_RSA_BITS:
        return None
    return Key(private, public)


def import_private_pem(pem: bytes) -> Key | None:
    """Return the key in a PEM text without password."""
    if len(pem) > MAX_PEM:
        return None
    try:
        private = serialization.load_pem_private_key(pem, None)
    except _FAILURES:
        return None
    return _accept(private, private.public_key()) if isinstance(private, _PRIVATE) else None


def import_public_pem(pem: bytes) -> Key | None:
    """Return the public key in a PEM text."""
    if len(pem) > MAX_PEM:
        return None
    try:
        return _accept(None, serialization.load_pem_public_key(pem))
    except _FAILURES:
        return None


def import_public_raw(point: bytes, curve: bytes) -> Key | None:
    """Return the key for a point (SEC 1 section 2.3.4) on a curve such as b"P-256"."""
    found = _CURVES.get(curve.lower())
    if found is None:
        return None
    try:
        return Key(None, ec.EllipticCurvePublicKey.from_encoded_point(found, point))
    except _FAILURES:
        return None


def generate_ed25519() -> Key:
    """Return a new Ed25519 key pair."""
    private = ed25519.Ed25519PrivateKey.generate()
    return Key(private, private.public_key())


def generate_ec(curve: bytes) -> Key | None:
    """Return a new key pair on a curve."""
    found = _CURVES.get(curve.lower())
    if found is None:
        return None
    private = ec.generate_private_key(found)
    return Key(private, private.public_key())


def key_type(key: Key) -> bytes:
    """Return OpenSSL's short name of the kind of key."""
    if isinstance(key.public, rsa.RSAPublicKey):
        return b"rsaEncryption"
    return (b"id-ecPublicKey" if isinstance(key.public, ec.EllipticCurvePublicKey)
            else b"ED25519")


def key_curve(key: Key) -> bytes | None:
    """Return the name of the curve of an EC key."""
    if isinstance(key.public, ec.EllipticCurvePublicKey):
        return key.public.curve.name.encode()
    return None


def private_pem(key: Key) -> bytes | None:
    """Return the private key in PKCS #8, None where it is not known."""
    if key.private is None:
        return None
    return key.private.private_bytes(serialization.Encoding.PEM,
                                     serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption())


def public_pem(key: Key) -> bytes:
    """Return the public key as SubjectPublicKeyInfo."""
    return key.public.public_bytes(*_SPKI)


def public_raw(key: Key) -> bytes | None:
    """Return an EC key as an uncompressed point, an Ed25519 key as its 32 bytes."""
    if isinstance(key.public, ec.EllipticCurvePublicKey):
        return key.public.public_bytes(serialization.Encoding.X962,
                                       serialization.PublicFormat.UncompressedPoint)
    if isinstance(key.public, ed25519.Ed25519PublicKey):
        return key.public.public_bytes(serialization.Encoding.Raw,
                                       serialization.PublicFormat.Raw)
    return None


def derive(key: Key, peer: Key) -> bytes | None:
    """Return the shared secret of ECDH (the x coordinate), None for keys that do not fit."""
    if not isinstance(key.private, ec.EllipticCurvePrivateKey):
        return None
    if not isinstance(peer.public, ec.EllipticCurvePublicKey):
        return None
    try:
        return key.private.exchange(ec.ECDH(), peer.public)
    except _FAILURES:
        return None


def _arguments(scheme: bytes, key: Any, signing: bool,
               prehashed: bool = False) -> tuple[Any, ...] | None:
    """Return what `sign` and `verify` take besides the data; None for another kind of key."""
    method, _, name = scheme.rpartition(b"_")
    if scheme == b"ed25519":
        wanted = ed25519.Ed25519PrivateKey if signing else ed25519.Ed25519PublicKey
        return () if isinstance(key, wanted) else None
    algorithm = _HASHES[name]
    hashed = utils.Prehashed(algorithm) if prehashed else algorithm
    if method == b"ecdsa":
        wanted = ec.EllipticCurvePrivateKey if signing else ec.EllipticCurvePublicKey
        return (ec.ECDSA(hashed),) if isinstance(key, wanted) else None
    if not isinstance(key, rsa.RSAPrivateKey if signing else rsa.RSAPublicKey):
        return None
    if method == b"rsassa_pkcs1":
        return padding.PKCS1v15(), hashed
    return padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH), hashed


def sign(scheme: bytes, key: Key, data: bytes, prehashed: object = None) -> bytes | None:
    """Return the signature; None where the key cannot make one of this kind.

    scheme: b"ed25519", or b"ecdsa", b"rsassa_pkcs1", b"rsassa_pss" and b"_sha256" or another.
    prehashed: whether `data` is the digest already.
    """
    arguments = _arguments(scheme, key.private, True, bool(prehashed))
    if arguments is None:
        return None
    try:
        return key.private.sign(data, *arguments)
    except _FAILURES:
        return None


def verify(scheme: bytes, key: Key, data: bytes, signature: bytes,
           prehashed: object = None) -> bool | None:
    """Return whether the signature is right; None where the key is of another kind."""
    arguments = _arguments(scheme, key.public, False, bool(prehashed))
    if arguments is None:
        return None
    try:
        key.public.verify(signature, data, *arguments)
    except (InvalidSignature, *_FAILURES):
        return False
    return True


def parse_ecdsa_signature(der: bytes, size: int) -> tuple[bytes, bytes] | tuple[None, None]:
    """Return r and s of a DER signature, each of `size` bytes."""
    try:
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(int(size), "big"), s.to_bytes(int(size), "big")
    except (*_FAILURES, OverflowError):
        return None, None


def build_ecdsa_signature(r: bytes, s: bytes) -> bytes:
    """Return the DER form of a signature."""
    return utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def functions() -> dict[str, Callable]:
    """Return the functions on keys."""
    return {function.__name__: function for function in (
        import_private_pem, import_public_pem, import_public_raw, generate_ed25519, generate_ec,
        key_type, key_curve, private_pem, public_pem, public_raw, derive, sign, verify,
        parse_ecdsa_signature, build_ecdsa_signature)}
