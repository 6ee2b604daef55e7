"""TLS for the listeners: contexts by host, certificates found or made, channel bindings."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from prosody_py.net.tls import (
    CertificateError,
    CertificateIndex,
    ServerContexts,
    channel_bindings,
    client_addresses,
    peer_certificate,
    selfsigned,
)
from prosody_py.xmpp import jid

log = logging.getLogger("tls")


class TlsService:
    """The certificates and TLS contexts of one server."""

    def __init__(self, server):
        self.server = server
        self._options: tuple | None = None
        self.reload()

    def reload(self) -> None:
        """Read options and certificates anew; connections that are there keep what they have."""
        config = self.server.config
        directory = os.path.join(config.directory, config.get("*", "certificates") or
                                 os.path.join(self.server.paths["data"], "certs"))
        os.makedirs(directory, exist_ok=True)
        options = (directory, config.get("*", "ssl") or {},
                   config.get("*", "tls_profile") or "intermediate", self._host_options())
        if options != self._options:
            self.index = CertificateIndex(directory)
            self.contexts = ServerContexts(self.index, options[1], profile=options[2],
                                           directory=Path(config.directory),
                                           host_options=options[3])
            self._options = options
        self._special: dict[str, ServerContexts] = {}
        for problem in self.contexts.reload():
            log.warning("%s", problem)
        self._ask_clients = bool(config.get("*", "c2s_client_certificates"))
        self._make_missing(directory)

    def _host_options(self) -> dict[str, dict[str, Any]]:
        config, result = self.server.config, {}
        for host in config.hosts:
            options = dict(host.options.get("ssl") or {})
            given = config.get(host.name, "certificate")
            if given:
                options["certificate"] = given
            options = {key: value for key, value in options.items() if value not in (None, "")}
            if options:
                result[host.name] = options
        return result

    def _make_missing(self, directory: str) -> None:
        """Make a self-signed certificate for each host that has none, so that TLS works."""
        config = self.server.config
        for host in config.hosts:
            if (host.enabled and host.component_module is None
                    and self.index.find(host.name) is None
                    and not config.get(host.name, "certificate")):
                try:
                    made = selfsigned.make(host.name, directory)
                except FileExistsError as error:
                    log.error("There is no usable certificate for %s: %s is there, but expired or "
                              "broken. Replace it, or remove it to have a new one made.",
                              host.name, error.filename)
                    continue
                log.warning("Made a self-signed certificate for %s: %s. Clients will warn about "
                            "it; put a real one into %s.", host.name, made.path, directory)
                self.index.reload()

    def for_host(self, host: str) -> SSL.Context:
        """Return the context for STARTTLS on a stream to `host`; raises CertificateError."""
        return self.contexts.for_host(host, self._ask_clients)

    def for_listener(self, alpn: str | Sequence[str] | None = None,
                     options: Mapping[str, Any] | None = None) -> SSL.Context:
        """Return the context for one connection to a direct TLS port.

        `options` are of an `ssl` mapping and stand above the configuration's. Raises
        CertificateError and TlsOptionError.
        """
        protocols = (alpn,) if isinstance(alpn, str) else tuple(alpn or ())
        for host in self.server.config.hosts:
            if host.enabled and host.component_module is None:
                return self._contexts_with(options).for_listener(host.name, protocols,
                                                                 self._ask_clients)
        raise CertificateError("there is no host, so there is no certificate")

    def _contexts_with(self, options: Mapping[str, Any] | None) -> ServerContexts:
        if not options:
            return self.contexts
        key = repr(sorted(options.items()))
        if key not in self._special:
            _certificates, general, profile, _hosts = self._options
            self._special[key] = ServerContexts(
                self.index, {**general, **options}, profile=profile,
                directory=Path(self.server.config.directory))
        return self._special[key]

    def channel_bindings(self, conn) -> dict[str, bytes]:
        """Return the channel bindings of a connection, {} when it has none."""
        return channel_bindings(conn.tls) if conn.tls is not None else {}

    def client_usernames(self, conn, host: str) -> list[str]:
        """Return the accounts on `host` that the client's certificate is for (XEP-0178)."""
        if conn is None or conn.tls is None or not self._ask_clients:
            return []
        shown = peer_certificate(conn.tls)
        if shown is None or not shown.trusted:
            return []
        accounts = []
        for address in client_addresses(shown.certificate):
            node, domain, _resource = jid.prepped_split(address)
            if node and domain == host:
                accounts.append(node)
        return accounts
