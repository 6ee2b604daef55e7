"""The ``ssl`` mapping of the configuration, with Prosody's names, and Mozilla's profiles."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from prosody_py.net.tls import openssl

_TLS12, _TLS13 = SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION
# The first hides recorded traffic from a later quantum computer; only peers that offer it use it.
_GROUPS = ("X25519MLKEM768", "X25519", "P-256", "P-384", "P-521")

_INTERMEDIATE = (
    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 "
    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 "
    "DHE-RSA-AES128-GCM-SHA256 DHE-RSA-AES256-GCM-SHA384 DHE-RSA-CHACHA20-POLY1305")
_OLD = _INTERMEDIATE + (
    " ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 ECDHE-ECDSA-AES128-SHA "
    "ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 "
    "ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA DHE-RSA-AES128-SHA256 DHE-RSA-AES256-SHA256 "
    "AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA256 AES256-SHA256 AES128-SHA AES256-SHA")
_LEGACY = "HIGH+kEECDH HIGH+kEDH HIGH !PSK !SRP !3DES !aNULL"

PROTOCOLS = {
    "tlsv1_2": (_TLS12, _TLS12), "tlsv1_2+": (_TLS12, 0),
    "tlsv1_3": (_TLS13, _TLS13), "tlsv1_3+": (_TLS13, 0),
}
# OpenSSL's curve names that Prosody's users know, as groups of TLS.
_GROUP_NAMES = {"prime256v1": "P-256", "secp256r1": "P-256", "secp384r1": "P-384",
                "secp521r1": "P-521"}
VERIFY = {
    "none": SSL.VERIFY_NONE, "peer": SSL.VERIFY_PEER, "client_once": SSL.VERIFY_PEER,
    "fail_if_no_peer_cert": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
}
OPTIONS = {
    "cipher_server_preference": SSL.OP_CIPHER_SERVER_PREFERENCE,
    "no_compression": SSL.OP_NO_COMPRESSION,
    "no_renegotiation": SSL.OP_NO_RENEGOTIATION,
    "no_ticket": SSL.OP_NO_TICKET,
    # These ask for less than what is always the case here.
    "all": 0, "no_sslv2": 0, "no_sslv3": 0, "no_tlsv1": 0, "no_tlsv1_1": 0,
    "single_dh_use": 0, "single_ecdh_use": 0,
    "no_tlsv1_2": SSL.OP_NO_TLSv1_2, "no_tlsv1_3": SSL.OP_NO_TLSv1_3,
}


class TlsOptionError(ValueError):
    """A key or value in an ``ssl`` mapping that cannot be honoured; the text names it."""


@dataclass(frozen=True, eq=False)
class TlsSettings:
    """What a context is made from.

    ``maximum`` 0 is the newest that OpenSSL has. ``verify`` is whether a client is asked for its
    certificate (VERIFY_PEER) and must have one; whether to trust it is judged later. ``depth``
    is the longest chain that is followed, ``cafile`` and ``capath`` replace the system's roots.
    """

    minimum: int = _TLS12
    maximum: int = 0
    ciphers: str = _INTERMEDIATE.replace(" ", ":")
    ciphersuites: str | None = None
    groups: tuple[str, ...] = _GROUPS
    dhparam: Path | None = None
    options: int = SSL.OP_CIPHER_SERVER_PREFERENCE
    certificate: Path | None = None
    key: Path | None = None
    password: bytes | None = field(default=None, repr=False)
    cafile: Path | None = None
    capath: Path | None = None
    depth: int = 9
    verify: int = SSL.VERIFY_NONE

    def asking_client(self) -> "TlsSettings":
        """Return the same settings with the client asked for a certificate."""
        return replace(self, verify=self.verify | SSL.VERIFY_PEER)


PROFILES = {
    "modern": TlsSettings(minimum=_TLS13),
    "intermediate": TlsSettings(),
    "old": TlsSettings(ciphers=_OLD.replace(" ", ":")),
    "legacy": TlsSettings(ciphers=_LEGACY.replace(" ", ":")),
}


def parse(mapping: Mapping[str, Any], profile: str = "intermediate",
          directory: str | os.PathLike = ".") -> TlsSettings:
    """Return the settings for an ``ssl`` mapping on top of a profile.

    ``profile`` is ``tls_profile``: modern, intermediate, old or legacy; paths in the mapping are
    relative to ``directory``. Raises TlsOptionError for a key or value that is not known.
    """
    if profile not in PROFILES:
        raise TlsOptionError(f"tls_profile: {profile!r} is not one of {', '.join(PROFILES)}")
    settings = PROFILES[profile]
    for key, value in mapping.items():
        reader = _READERS.get(key)
        if reader is None:
            raise TlsOptionError(f"ssl: {_unknown(key, _READERS)}")
        settings = replace(settings, **reader(key, value, Path(directory)))
    if settings.key is not None and settings.certificate is None:
        raise TlsOptionError("ssl: key without certificate")
    _check(settings)
    return settings


def _check(settings: TlsSettings) -> None:
    """Let OpenSSL judge the names in it, so that a mistake is found before a client comes."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    for key, value, use in (("ciphers", settings.ciphers, context.set_cipher_list),
                            ("ciphersuites", settings.ciphersuites,
                             context.set_tls13_ciphersuites)):
        try:
            if value is not None:
                use(value.encode())
        except SSL.Error:
            raise TlsOptionError(f"ssl: {key}: OpenSSL knows none of {value!r}") from None


def _protocol(key: str, value: Any, directory: Path) -> dict:
    if not isinstance(value, str) or value not in PROTOCOLS:
        raise TlsOptionError(f"ssl: {key}: {value!r} is not one of {', '.join(PROTOCOLS)} "
                             "(nothing before TLS 1.2 is offered)")
    minimum, maximum = PROTOCOLS[value]
    return {"minimum": minimum, "maximum": maximum}


def _cipher_list(key: str, value: Any, directory: Path) -> dict:
    return {key: ":".join(_texts(key, value))}


def _groups(key: str, value: Any, directory: Path) -> dict:
    names = tuple(_GROUP_NAMES.get(name, name) for name in _texts(key, value))
    for name in names:
        if not openssl.is_group_known(name):
            raise TlsOptionError(f"ssl: {key}: OpenSSL does not know {name!r}")
    return {"groups": names}


def _flags(key: str, value: Any, directory: Path) -> dict:
    known = OPTIONS if key == "options" else VERIFY
    bits = 0
    for name in _texts(key, value):
        if name not in known:
            raise TlsOptionError(f"ssl: {key}: {_unknown(name, known)}")
        bits |= known[name]
    return {key: bits}


def _path(key: str, value: Any, directory: Path) -> dict:
    if not isinstance(value, (str, os.PathLike)) or not value:
        raise TlsOptionError(f"ssl: {key} must be a path")
    return {key: directory / value}


def _password(key: str, value: Any, directory: Path) -> dict:
    if not isinstance(value, str):
        raise TlsOptionError(f"ssl: {key} must be a text")
    return {key: value.encode()}


def _depth(key: str, value: Any, directory: Path) -> dict:
    if type(value) is not int or not 0 <= value <= 100:
        raise TlsOptionError(f"ssl: {key} must be a number from 0 to 100")
    return {key: value}


def _texts(key: str, value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)) or not values \
            or not all(isinstance(one, str) and one and one.isascii() for one in values):
        raise TlsOptionError(f"ssl: {key} must be a name or a list of names")
    return list(values)


def _unknown(name: Any, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(str(name), known, 1)
    return f"{name!r} is not known" + (f"; did you mean {close[0]!r}?" if close else "")


_READERS = {
    "protocol": _protocol, "ciphers": _cipher_list, "ciphersuites": _cipher_list,
    "curve": _groups, "curveslist": _groups, "options": _flags, "verify": _flags,
    "dhparam": _path, "certificate": _path, "key": _path, "password": _password,
    "cafile": _path, "capath": _path, "depth": _depth,
}
