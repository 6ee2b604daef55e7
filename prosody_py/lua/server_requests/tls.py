"""Requests: TLS contexts and certificates (ssl, ssl.x509, core.certmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua import certificates, tls_contexts
from prosody_py.lua.sockets import TcpSocket, reason_of
from prosody_py.lua.tls_contexts import LuaTlsContext
from prosody_py.lua.values import encode


def tls_context(border, server, raw: Any) -> Any:
    """Return a context for LuaSec's options; nil and why there is none."""
    try:
        return border.to_lua(tls_contexts.make(border, raw))
    except (OSError, ValueError) as error:
        return None, encode(str(error))


def tls_wrap(border, server, raw_socket: Any, raw_context: Any) -> Any:
    """Put TLS on a connected socket of LuaSocket's; the same object is returned."""
    held = border.to_python(raw_socket)
    if not isinstance(held, TcpSocket):
        return None, b"this is not a TCP socket"
    value = border.to_python(raw_context)
    try:
        context = value if isinstance(value, LuaTlsContext) else tls_contexts.make(
            border, raw_context)
        held.secure(context.context, context.options.get("mode") == "server")
    except (OSError, ValueError) as error:
        return None, reason_of(error)
    return border.to_lua(held)


def tls_certificate(border, server, text: bytes) -> Any:
    """Return the certificate of a PEM text, nil when there is none."""
    return border.to_lua(certificates.load(text))


def tls_files(border, server, raw_host: bytes) -> Any:
    """Return the paths of a host's certificate and key."""
    found = server.network.certificate_files(border.to_python(raw_host))
    return None if found is None else tuple(map(encode, found))


def tls_indexed(border, server) -> Any:
    """Return {name: {path: {"*": true}}} of all usable certificates."""
    names: dict[str, dict[str, Any]] = {}
    for name, found in server.tls.index.by_name().items():
        for certificate in found:
            names.setdefault(name, {})[str(certificate.path)] = {"*": True}
    return border.copy_to_lua(names)


def tls_reload(border, server) -> None:
    server.tls.reload()


PLAIN: dict[str, Callable[..., Any]] = {
    "tls_context": tls_context, "tls_wrap": tls_wrap, "tls_certificate": tls_certificate,
    "tls_files": tls_files, "tls_indexed": tls_indexed,
}
REQUESTS: dict[str, Callable[..., Any]] = {"tls_reload": tls_reload}
