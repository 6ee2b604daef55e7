"""Certificates as LuaSec shows them: the objects of `ssl.x509` and of a connection's peer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from prosody_py.lua.proxies import Face
from prosody_py.lua.values import encode

_DIGESTS = {"sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256,
            "sha384": hashes.SHA384, "sha512": hashes.SHA512, "md5": hashes.MD5}
_KEYS = ((rsa.RSAPublicKey, b"RSA"), (ec.EllipticCurvePublicKey, b"EC"),
         (dsa.DSAPublicKey, b"DSA"), (ed25519.Ed25519PublicKey, b"ED25519"),
         (ed448.Ed448PublicKey, b"ED448"))
_SAN = "2.5.29.17"
_NAMES = {"1.3.6.1.5.5.7.8.5": "XmppAddr", "1.3.6.1.5.5.7.8.7": "SRVName"}
# Other names are given as the strings in them: UTF8, IA5, printable, ASN.1's further ones.
_STRINGS = frozenset((0x0C, 0x16, 0x13, 0x14, 0x1A))
_MAX_NAMES = 1000


class LuaCertificate:
    """One X.509 certificate in Lua."""

    def __init__(self, certificate: x509.Certificate):
        self.certificate = certificate
        self.extras: dict[str, Any] = {}


def load(text: bytes) -> LuaCertificate | None:
    """Return the first certificate of a PEM text, None when there is none."""
    try:
        return LuaCertificate(x509.load_pem_x509_certificate(text))
    except (ValueError, TypeError):
        return None


def _text(border, value: Any) -> bytes:
    return encode(value) if isinstance(value, str) else value


def _name(border, name: x509.Name) -> Any:
    return border.copy_to_lua([
        {"oid": part.oid.dotted_string, "value": _text(border, part.value),
         "name": part.oid._name if part.oid._name != "Unknown OID" else None}
        for part in list(name)[:_MAX_NAMES]])


def _subject(border, held: LuaCertificate) -> Any:
    return _name(border, held.certificate.subject)


def _issuer(border, held: LuaCertificate) -> Any:
    return _name(border, held.certificate.issuer)


def _other_name(value: bytes) -> bytes | None:
    """Return the text of a DER string whose length is in its shortest form, None for others."""
    if len(value) < 2 or value[0] not in _STRINGS:
        return None
    size, start = value[1], 2
    if size >= 0x80:
        start += size & 0x7F
        size = int.from_bytes(value[2:start], "big")
    return value[start:] if len(value) - start == size else None


def _alternatives(names: x509.SubjectAlternativeName) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "X509v3 Subject Alternative Name"}
    for name in list(names)[:_MAX_NAMES]:
        if isinstance(name, x509.OtherName):
            key, value = name.type_id.dotted_string, _other_name(name.value)
            if value is None:
                continue
            entry = found.setdefault(key, {"name": _NAMES.get(key)})
            entry[len(entry)] = value  # "name" is one of them
            continue
        key = {x509.DNSName: "dNSName", x509.RFC822Name: "rfc822Name",
               x509.UniformResourceIdentifier: "uniformResourceIdentifier",
               x509.IPAddress: "iPAddress"}.get(type(name))
        if key is not None:
            found.setdefault(key, []).append(str(name.value))
    return found


def _extensions(border, held: LuaCertificate) -> Any:
    """Return the alternative names, by the number of their extension; nothing if it is broken."""
    try:
        found = held.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return border.copy_to_lua({_SAN: _alternatives(found.value)})
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension,
            x509.UnsupportedGeneralNameType):
        return border.copy_to_lua({})


def _date(when: datetime) -> bytes:
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT".encode()


def _valid_at(border, held: LuaCertificate, seconds: float) -> bool:
    when = datetime.fromtimestamp(seconds, UTC)
    certificate = held.certificate
    return certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc


def _digest(border, held: LuaCertificate, algorithm: bytes = b"sha1") -> Any:
    kind = _DIGESTS.get(border.to_python(algorithm or b"sha1").lower())
    if kind is None:
        return None, b"digest algorithm not supported (" + algorithm + b")"
    return held.certificate.fingerprint(kind()).hex().encode()


def _public_key(border, held: LuaCertificate) -> Any:
    try:
        key = held.certificate.public_key()
    except ValueError:
        return None, b"unknown public key"
    kind = next((name for base, name in _KEYS if isinstance(key, base)), b"Unknown")
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem, kind, getattr(key, "key_size", 0)


def _signature_name(border, held: LuaCertificate) -> bytes:
    name = held.certificate.signature_algorithm_oid._name
    if name.startswith("sha") and "WithRSA" in name:
        return f"RSA-{name.partition('With')[0].upper()}".encode()
    return name.encode()


def _issued(border, held: LuaCertificate, other: Any, *_more: Any) -> Any:
    other = border.to_python(other)
    if not isinstance(other, LuaCertificate):
        return False, b"a certificate is needed"
    try:
        other.certificate.verify_directly_issued_by(held.certificate)
    except Exception as error:  # a broken key or signature raises what it likes
        return False, encode(str(error) or "the signature does not fit")
    return True


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "subject": _subject, "issuer": _issuer, "extensions": _extensions, "digest": _digest,
    "pem": lambda border, held: held.certificate.public_bytes(Encoding.PEM),
    "serial": lambda border, held: f"{held.certificate.serial_number:X}".encode(),
    "notbefore": lambda border, held: _date(held.certificate.not_valid_before_utc),
    "notafter": lambda border, held: _date(held.certificate.not_valid_after_utc),
    "validat": _valid_at, "pubkey": _public_key, "issued": _issued,
    "getsignaturename": _signature_name,
    # Text is UTF-8 whatever is asked for.
    "setencode": lambda border, held, kind=None: kind in (b"utf8", b"ai5"),
}


class CertificateFace(Face):
    """A certificate: LuaSec's methods."""

    sealed = True
    functions = FUNCTIONS
    plain = frozenset(FUNCTIONS)
