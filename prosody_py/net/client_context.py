"""TLS contexts from LuaSec's options, for either side of a connection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from prosody_py.net.tls import certificate, openssl, peer
from prosody_py.net.tls.settings import OPTIONS, PROTOCOLS, VERIFY, TlsSettings, parse

# What says "the newest that both sides have"; nothing before TLS 1.2 is offered anyway.
_NEWEST = frozenset(("any", "sslv23", "tlsv1", "tlsv1+", "tlsv1_1", "tlsv1_1+"))
_KEYS = ("certificate", "key", "password", "cafile", "capath", "ciphers", "ciphersuites", "curve",
         "curveslist", "dhparam", "depth")


def build(options: Mapping[str, Any], directory: str | os.PathLike = ".") -> SSL.Context:
    """Return a context; paths are relative to `directory`. Raises ValueError.

    `mode` is "server" or "client". With `verify` "peer" a certificate that is not trusted ends
    the handshake, unless `verifyext` says "lsec_continue": then it is only noted (`tls.peer`).
    """
    server = options.get("mode") == "server"
    settings = parse(_known(options), "intermediate", directory)
    context = SSL.Context(SSL.TLS_SERVER_METHOD if server else SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(settings.minimum)
    context.set_max_proto_version(settings.maximum)
    context.set_cipher_list(settings.ciphers.encode())
    if settings.ciphersuites is not None:
        context.set_tls13_ciphersuites(settings.ciphersuites.encode())
    openssl.set_groups(context, tuple(filter(openssl.is_group_known, settings.groups)))
    context.set_options(settings.options | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    try:
        _use_certificate(context, settings)
        if settings.cafile or settings.capath:
            context.load_verify_locations(settings.cafile, settings.capath)
        elif not server or settings.verify:
            context.set_default_verify_paths()
    except SSL.Error as error:
        reasons = error.args[0] if error.args else ()
        raise ValueError(", ".join(reason[2] for reason in reasons)
                         or "the certificates cannot be used") from None
    lenient = not settings.verify or "lsec_continue" in _list(options.get("verifyext"))
    # A client whose mode is VERIFY_NONE goes on, but the errors are noted all the same.
    context.set_verify(settings.verify, peer.note_and_accept if lenient else _note_and_judge)
    context.set_verify_depth(settings.depth)
    protocols = _list(options.get("alpn"))
    if protocols and not server:
        context.set_alpn_protos([name.encode() for name in protocols])
    elif protocols:
        context.set_alpn_select_callback(_chooser(protocols))
    return context


def _note_and_judge(connection, shown, code: int, depth: int, ok: int) -> bool:
    peer.note_and_accept(connection, shown, code, depth, ok)
    return bool(ok)


def _chooser(protocols: list[str]):
    def choose(_connection, offered: list[bytes]):
        for name in protocols:
            if name.encode() in offered:
                return name.encode()
        return SSL.NO_OVERLAPPING_PROTOCOLS
    return choose


def _list(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value or []
    return [name for name in values if isinstance(name, str)]


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options without what LuaSec knows and OpenSSL does not need any more."""
    known = {key: options[key] for key in _KEYS if options.get(key) not in (None, "", [])}
    if "depth" in known:
        known["depth"] = int(known["depth"])
    protocol = options.get("protocol")
    if protocol is not None and protocol not in _NEWEST:
        if protocol not in PROTOCOLS:
            raise ValueError(f"invalid protocol ({protocol})")
        known["protocol"] = protocol
    flags = [name for name in _list(options.get("options")) if name in OPTIONS]
    if flags:
        known["options"] = flags
    verify = _list(options.get("verify"))
    for name in verify:
        if name not in VERIFY:
            raise ValueError(f"invalid verify option ({name})")
    if verify:
        known["verify"] = verify
    if "key" in known and "certificate" not in known:
        del known["key"]
    return known


def _use_certificate(context: SSL.Context, settings: TlsSettings) -> None:
    if settings.certificate is None:
        return
    path = Path(settings.certificate)
    key_path = settings.key or certificate.key_beside(path) or path
    shown = certificate.load(path, Path(key_path), settings.password)
    context.use_certificate(shown.leaf)
    for issuer in shown.chain[1:]:
        context.add_extra_chain_cert(issuer)
    context.use_privatekey(shown.key)
