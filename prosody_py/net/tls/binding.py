"""Channel bindings of an established connection, and its description."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from prosody_py.net.tls import openssl

EXPORTER_LABEL = b"EXPORTER-Channel-Binding"
EXPORTER_LENGTH = 32


class ChannelBindings(Mapping[str, bytes]):
    """The data of each binding type that a connection has, computed when it is asked for."""

    def __init__(self, sources: dict[str, Callable[[], bytes]]):
        self._sources = sources
        self._data: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        if name not in self._data:
            self._data[name] = self._sources[name]()
        return self._data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def channel_bindings(connection: SSL.Connection,
                     certificate: x509.Certificate | None = None) -> ChannelBindings:
    """Return the channel bindings of a connection on the server's side, after its handshake.

    ``certificate`` is the server's; None takes the one the connection has shown.

    ``tls-exporter`` needs TLS 1.3, or 1.2 with the extended master secret (RFC 9266 section 4.2).
    ``tls-unique`` exists up to TLS 1.2 and is left out for a resumed session without the extended
    master secret, where it is not unique (RFC 7627 section 1).
    """
    version = connection.get_protocol_version()
    extended = version < SSL.TLS1_3_VERSION and openssl.extended_master_secret(connection)
    resumed = openssl.session_reused(connection)
    sources: dict[str, Callable[[], bytes]] = {}
    if version >= SSL.TLS1_3_VERSION or extended:
        sources["tls-exporter"] = lambda: connection.export_keying_material(
            EXPORTER_LABEL, EXPORTER_LENGTH, b"")
    if version < SSL.TLS1_3_VERSION and (extended or not resumed):
        # The first Finished message: the client's, but the server's when resuming (RFC 5929).
        sources["tls-unique"] = (connection.get_finished if resumed
                                 else connection.get_peer_finished)
    if certificate is None:
        certificate = connection.get_certificate(as_cryptography=True)
    hash_type = end_point_hash(certificate) if certificate is not None else None
    if hash_type is not None:
        sources["tls-server-end-point"] = lambda: certificate.fingerprint(hash_type)
    return ChannelBindings(sources)


def end_point_hash(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    """Return the hash for ``tls-server-end-point``, None if it is not defined (RFC 5929 4.1)."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        return hashes.SHA256()
    return algorithm


def describe(connection: SSL.Connection) -> dict[str, Any]:
    """Return what was agreed on: protocol, cipher, bits, group, alpn, server_name, resumed.

    What does not apply is None. ``protocol`` is written as in ``TLSv1.3``.
    """
    name = connection.get_servername()
    return {
        "protocol": connection.get_protocol_version_name(),
        "cipher": connection.get_cipher_name(),
        "bits": connection.get_cipher_bits(),
        "group": connection.get_group_name(),
        "alpn": connection.get_alpn_proto_negotiated().decode("ascii", "replace") or None,
        "server_name": name.decode("ascii", "replace") if name else None,
        "resumed": openssl.session_reused(connection),
    }
