"""One certificate with its chain and key, read from files."""

import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from prosody_py.net.tls import identity

PrivateKey = (rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
              | ed448.Ed448PrivateKey)
_KEY_TYPES = get_args(PrivateKey)
# A chain with RSA keys is some 10 kB; whatever is larger is some other file.
_MAX_FILE = 1 << 20
_PRIVATE_KEY = b" PRIVATE KEY-----"
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


class CertificateError(ValueError):
    """A certificate or its key cannot be used; the text says why and names the file."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """A certificate whose key is at hand.

    ``names`` are the domains it is for (A-labels, ``*.`` for wildcards), ``chain`` begins with
    the certificate itself, dates are aware and in UTC, ``warnings`` are remarks for the operator.
    """

    path: Path
    key_path: Path
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    key: PrivateKey = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself, as the peer sees it."""
        return self.chain[0]

    def refusal(self, now: datetime) -> str | None:
        """Return why the dates forbid its use at a time, or None."""
        if now >= self.not_after:
            return f"expired {self.not_after:%Y-%m-%d %H:%M} UTC"
        if now < self.not_before:
            return f"not valid before {self.not_before:%Y-%m-%d %H:%M} UTC"
        return None

    @property
    def self_signed(self) -> bool:
        """Whether it says that it signed itself."""
        return self.leaf.issuer == self.leaf.subject


def utc_now() -> datetime:
    """Return the time now, aware and in UTC."""
    return datetime.now(UTC)


def load(path: Path, key_path: Path, password: bytes | None = None) -> Certificate:
    """Read a certificate chain (PEM, the certificate first) and its key; they may share a file.

    Raises CertificateError for whatever keeps them from being used, dates excepted.
    """
    chain = _load_chain(path)
    key = _load_key(key_path, password)
    if _public_bytes(key.public_key()) != _public_bytes(_public_key(chain[0], path)):
        raise CertificateError(f"{key_path} is not the key of {path}")
    leaf = chain[0]
    return Certificate(path, key_path, identity.hosts_named(leaf), leaf.not_valid_before_utc,
                       leaf.not_valid_after_utc, chain, key, tuple(_remarks(path, key_path, leaf)))


def key_beside(path: Path) -> Path | None:
    """Return the file where the key of a certificate file should be, None if it is not one."""
    if path.suffix == ".crt":
        return path.with_suffix(".key")
    if "fullchain" in path.name:
        return path.with_name(path.name.replace("fullchain", "privkey"))
    if path.suffix != ".pem":
        return None
    # A lone *.pem may be anything, so only one that comes with a key is meant for us.
    beside = path.with_suffix(".key")
    try:
        text = _read(path)
    except CertificateError:
        return path
    if _CERTIFICATE not in text:
        return None
    if _PRIVATE_KEY in text:
        return path
    return beside if beside.exists() else None


def _load_chain(path: Path) -> tuple[x509.Certificate, ...]:
    text = _read(path)
    try:
        return tuple(x509.load_pem_x509_certificates(text))
    except ValueError as error:
        raise CertificateError(f"{path} is not a PEM certificate") from error


def _load_key(path: Path, password: bytes | None) -> PrivateKey:
    text = _read(path)
    try:
        key = load_pem_private_key(text, password)
    # The library's words may quote the file, so they are not repeated.
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{path} is not a PEM private key") from None
    except TypeError:
        raise CertificateError(f"{path} is encrypted and no password is set" if password is None
                               else f"{path} is not encrypted but a password is set") from None
    if not isinstance(key, _KEY_TYPES):
        raise CertificateError(f"{path} is a kind of key that TLS servers cannot use")
    return key


def _read(path: Path) -> bytes:
    try:
        found = os.stat(path)
        # Opening a pipe would wait for its other end.
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_FILE:
            raise CertificateError(f"{path} is not a file or too large")
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None


def _public_key(certificate: x509.Certificate, path: Path):
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{path} has a public key that is broken or not known") from None


def _public_bytes(key) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _remarks(path: Path, key_path: Path, leaf: x509.Certificate):
    try:
        mode = os.stat(key_path).st_mode
    except OSError:
        return
    if mode & 0o004:
        yield f"{key_path} holds a private key and everybody may read it; chmod o-r it"
    if not identity.hosts_named(leaf):
        yield f"{path} names no domain"
