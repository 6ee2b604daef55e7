"""The TLS contexts of the server's side: one for every certificate and use, renewed by a reload.

Tickets make resuming possible without memory here. Their key is the context's, so contexts are
renewed daily: a stolen key opens no recorded TLS 1.2 session older than that. Where clients are
asked for a certificate there is no resuming, as OpenSSL would not look at the certificate again.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from prosody_py.net.tls import certificate as certificate_files
from prosody_py.net.tls import identity, openssl, peer
from prosody_py.net.tls.certificate import Certificate, CertificateError
from prosody_py.net.tls.certificates import CertificateIndex, Problem
from prosody_py.net.tls.settings import TlsOptionError, TlsSettings, parse

LIFETIME = 86400.0
"""Seconds after which a context and its ticket key are replaced."""

_log = logging.getLogger(__name__)


class NoCertificateError(CertificateError):
    """There is no usable certificate for a host."""


class NoApplicationProtocol(SSL.Error):
    """The client asked for protocols by ALPN and none of them is spoken here (RFC 7301)."""

    def __init__(self) -> None:
        super().__init__([("SSL routines", "", "no application protocol in common")])


@dataclass(frozen=True)
class _Use:
    """What a context is for; equal uses share a context."""

    certificate: Certificate
    settings: TlsSettings
    verify_client: bool
    alpn: tuple[bytes, ...]
    default_host: str | None


class ServerContexts:
    """Make and keep contexts for the hosts and listeners of one service.

    ``options`` is an ``ssl`` mapping, ``host_options`` more of them by host, ``profile`` the
    ``tls_profile``; paths in them are relative to ``directory``, else to the index's. The
    protocol versions and groups of a host count for STARTTLS only: with direct TLS they are
    settled before the host is known. Raises TlsOptionError for options that are not understood.
    """

    def __init__(self, index: CertificateIndex, options: Mapping[str, Any] | None = None, *,
                 profile: str = "intermediate", directory: Path | None = None,
                 host_options: Mapping[str, Mapping[str, Any]] | None = None,
                 clock: Callable[[], float] = time.monotonic):
        self._index = index
        self._clock = clock
        directory = directory or index.directory
        self._settings = parse(options or {}, profile, directory)
        self._host_settings = {
            identity.ascii_host(host): parse({**(options or {}), **more}, profile, directory)
            for host, more in (host_options or {}).items()}
        self._given: dict[TlsSettings, Certificate] = {}
        self._contexts: dict[_Use, tuple[SSL.Context, float]] = {}
        # By cafile and capath. The system's roots take 0.8 MiB and 8 ms to read.
        self._roots: dict[tuple[Path | None, Path | None], SSL.Context] = {}

    def for_host(self, host: str, verify_client: bool = False) -> SSL.Context:
        """Return the context for STARTTLS on a stream to a host.

        ``verify_client`` asks the client for a certificate; see ``peer.peer_certificate``.
        Raises NoCertificateError, CertificateError or TlsOptionError.
        """
        return self._context(host, verify_client, (), None)

    def for_listener(self, default_host: str, alpn: Sequence[str] = (),
                     verify_client: bool = False) -> SSL.Context:
        """Return the context for one connection of a direct TLS listener.

        The client names the host by SNI; ``default_host`` is for clients that name none or one
        without a certificate. A client that offers ALPN must offer one of ``alpn``, such as
        ``xmpp-client`` (XEP-0368); one that offers none is welcome. Empty ``alpn`` ignores ALPN.

        Call it for every connection, so that a reload reaches new ones. Raises as ``for_host``.
        """
        protocols = tuple(name.encode() for name in alpn)
        return self._context(default_host, verify_client, protocols, default_host)

    def reload(self) -> list[Problem]:
        """Look for new certificates and make all contexts anew; return what is wrong.

        Connections that are established keep what they have. A given certificate that cannot be
        read any more stays in use.
        """
        problems = list(self._index.reload())
        for settings in list(self._given):
            try:
                self._given[settings] = self._load_given(settings)
            except ValueError as error:
                problems.append(Problem(settings.certificate, f"{error}; the one read before "
                                        "stays in use", False))
        self._contexts, self._roots = {}, {}
        return problems

    def certificate_for(self, host: str) -> Certificate:
        """Return the certificate that is shown for a host; raises as ``for_host``."""
        settings = self._settings_of(host)
        if settings.certificate is not None:
            if settings not in self._given:
                self._given[settings] = self._load_given(settings)
            return self._given[settings]
        found = self._index.find(host)
        if found is None:
            raise NoCertificateError(f"no usable certificate for {host}")
        return found

    def _settings_of(self, host: str) -> TlsSettings:
        if not self._host_settings:
            return self._settings
        return self._host_settings.get(identity.ascii_host(host), self._settings)

    def _load_given(self, settings: TlsSettings) -> Certificate:
        path = settings.certificate
        key_path = settings.key or certificate_files.key_beside(path) or path
        return certificate_files.load(path, key_path, settings.password)

    def _context(self, host: str, verify_client: bool, alpn: tuple[bytes, ...],
                 default_host: str | None) -> SSL.Context:
        use = _Use(self.certificate_for(host), self._settings_of(host), verify_client, alpn,
                   default_host)
        context, made = self._contexts.get(use, (None, 0.0))
        if context is None or self._clock() - made > LIFETIME:
            settings = use.settings.asking_client() if verify_client else use.settings
            context = _build(use.certificate, settings)
            if settings.verify & SSL.VERIFY_PEER:
                openssl.share_roots(context, self._roots_for(settings))
            if alpn:
                context.set_alpn_select_callback(_select_from(alpn))
            if default_host is not None:
                context.set_tlsext_servername_callback(self._switch_to(use))
            self._contexts[use] = context, self._clock()
        return context

    def _roots_for(self, settings: TlsSettings) -> SSL.Context:
        key = settings.cafile, settings.capath
        if key not in self._roots:
            self._roots[key] = _load_roots(*key)
        return self._roots[key]

    def _switch_to(self, use: _Use) -> Callable[[SSL.Connection], None]:
        def by_name(connection: SSL.Connection) -> None:
            name = connection.get_servername()
            # A default host's context may be older than the last reload, so it is asked for too.
            hosts = [name.decode("ascii", "replace")] if name else []
            for host in [*hosts, use.default_host]:
                try:
                    context = self._context(host, use.verify_client, use.alpn,
                                            use.default_host)
                except NoCertificateError:
                    continue
                except (ValueError, SSL.Error) as error:
                    _log.warning("no TLS context for %r: %s", host, error)
                    continue
                if context is not connection.get_context():
                    connection.set_context(context)
                return
        return by_name


def _build(certificate: Certificate, settings: TlsSettings) -> SSL.Context:
    """Return a new server context that trusts no client's certificate yet.

    Raises CertificateError or TlsOptionError.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(settings.minimum)
    context.set_max_proto_version(settings.maximum)
    context.set_cipher_list(settings.ciphers.encode())
    if settings.ciphersuites is not None:
        context.set_tls13_ciphersuites(settings.ciphersuites.encode())
    openssl.set_groups(context, tuple(filter(openssl.is_group_known, settings.groups)))
    context.set_options(settings.options | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_timeout(int(LIFETIME))
    if settings.dhparam is not None:
        _load_dhparam(context, settings.dhparam)
    try:
        context.use_certificate(certificate.leaf)
        for issuer in certificate.chain[1:]:
            context.add_extra_chain_cert(issuer)
        context.use_privatekey(certificate.key)
    except SSL.Error as error:
        reasons = ", ".join(reason[2] for reason in error.args[0])
        raise CertificateError(f"{certificate.path} cannot be used: {reasons}") from None
    if settings.verify & SSL.VERIFY_PEER:
        _ask_client(context, settings)
    return context


def _ask_client(context: SSL.Context, settings: TlsSettings) -> None:
    context.set_options(SSL.OP_NO_TICKET)
    context.set_verify(settings.verify, peer.note_and_accept)
    context.set_verify_depth(settings.depth)


def _load_roots(cafile: Path | None, capath: Path | None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    if cafile is None and capath is None:
        context.set_default_verify_paths()
        return context
    try:
        context.load_verify_locations(cafile, capath)
    except SSL.Error:
        raise TlsOptionError("ssl: cafile or capath cannot be read as certificates") from None
    return context


def _load_dhparam(context: SSL.Context, path: Path) -> None:
    try:
        context.load_tmp_dh(path)
    except SSL.Error:
        raise TlsOptionError(f"ssl: dhparam: {path} cannot be read as DH parameters") from None


def _select_from(ours: tuple[bytes, ...]) -> Callable[[SSL.Connection, list[bytes]], bytes]:
    def select(connection: SSL.Connection, offered: list[bytes]) -> bytes:
        for protocol in ours:
            if protocol in offered:
                return protocol
        # pyOpenSSL answers its own "nothing in common" by going on without ALPN; an exception
        # is what makes it send the no_application_protocol alert.
        raise NoApplicationProtocol
    return select
