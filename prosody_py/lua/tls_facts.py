"""What TLS has agreed on and shown, under LuaSec's names; for everything that has a `tls`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from prosody_py.lua.certificates import LuaCertificate
from prosody_py.lua.values import encode

_cipher = re.compile(r"(AES|CHACHA20|ARIA|CAMELLIA)[-_]?(\d+)?.*?(GCM|CCM|POLY1305)?")


def _info(border, obj: Any, key: bytes | None = None) -> Any:
    """Return a table of what was agreed on, or one field of it."""
    facts = border.server.network.describe(obj.tls)
    name = facts["cipher"] or ""
    found = _cipher.search(name)
    answer = {"protocol": facts["protocol"], "cipher": facts["cipher"], "bits": facts["bits"],
              "algbits": facts["bits"], "curve": facts["group"], "export": False,
              "encryption": found[1] + (f"({facts['bits']})" if facts["bits"] else "")
              if found else None,
              "authentication": "RSA" if "RSA" in name else "ECDSA" if "ECDSA" in name else "any",
              "mac": "AEAD" if "GCM" in name or "POLY1305" in name or "CCM" in name else
              name.rpartition("-")[2].rpartition("_")[2] or None}
    if key is not None:
        return answer.get(border.to_python(key))
    return border.copy_to_lua({name: value for name, value in answer.items()
                               if value is not None})


def _peer_certificate(border, obj: Any, number: int = 1) -> Any:
    shown = border.server.network.peer(obj.tls)
    number = int(number)
    if shown is None or not 1 <= number <= len(shown.chain):
        return None
    return LuaCertificate(shown.chain[number - 1])


def _peer_chain(border, obj: Any) -> Any:
    shown = border.server.network.peer(obj.tls)
    if shown is None:
        return None
    return border.copy_to_lua([LuaCertificate(one) for one in shown.chain])


def _peer_verification(border, obj: Any) -> Any:
    """Return true, or false and the errors: lists of texts, 1 for the peer's own certificate."""
    shown = border.server.network.peer(obj.tls)
    if shown is None:
        return False, border.copy_to_lua([["the peer has shown no certificate"]])
    if shown.trusted:
        return True
    errors: dict[int, list[str]] = {}
    for error in shown.errors:
        errors.setdefault(error.depth + 1, []).append(error.text)
    return False, border.copy_to_lua(errors)


def _own_certificate(border, obj: Any) -> Any:
    own = obj.tls.get_certificate(as_cryptography=True)
    return None if own is None else LuaCertificate(own)


def _export(border, obj: Any, label: bytes, size: int, context: bytes | None = None) -> Any:
    """Return keying material (RFC 5705); nil and why when there is none."""
    if not 0 < int(size) <= 4096:
        return None, b"the size is out of range"
    if label == b"EXPORTER-Channel-Binding" \
            and "tls-exporter" not in border.server.network.channel_bindings(obj.tls):
        return None, b"this version of TLS has no unique exporter"
    try:
        return obj.tls.export_keying_material(label, int(size), context)
    except SSL.Error:
        return None, b"there is no keying material"


def _server_name(border, obj: Any) -> Any:
    name = obj.tls.get_servername()
    return name or encode(getattr(obj, "server_name", None) or "") or None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "info": _info, "getpeercertificate": _peer_certificate, "getpeerchain": _peer_chain,
    "getpeerverification": _peer_verification, "getlocalcertificate": _own_certificate,
    "getpeerfinished": lambda border, obj: obj.tls.get_peer_finished(),
    "getfinished": lambda border, obj: obj.tls.get_finished(),
    "exportkeyingmaterial": _export, "getsniname": _server_name,
    "getalpn": lambda border, obj: obj.tls.get_alpn_proto_negotiated() or None,
}
