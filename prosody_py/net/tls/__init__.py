"""TLS of the server's side: certificates, contexts, channel bindings, names in certificates.

Does no socket I/O itself. The connection layer makes a ``TlsConnection`` with a context from
``ServerContexts`` on its non-blocking socket; pyOpenSSL is used because Python's ``ssl`` has no
exporter and cannot accept a certificate that does not verify.

Measured (Python 3.11, pyOpenSSL 26.4, OpenSSL 4.0, one core, TLS 1.3, 250-byte records, system
calls included), microseconds per record:

===================================  =====  ====  ===========================
connection                           write  read  read, then "would block"
===================================  =====  ====  ===========================
no TLS                                 0.7   0.8  2.2
pyOpenSSL on the socket                3.0   3.4  5.7
``TlsConnection`` on the socket        1.8   2.2  3.8
pyOpenSSL on memory BIOs               4.0   4.3  6.3
===================================  =====  ====  ===========================

Ten stanzas in one write take 3.5 us on the socket and 4.7 on BIOs. An idle connection takes
22 KiB on the socket with release-buffers and 31 without, on BIOs 24 and 44. A full handshake with
a P-256 certificate takes 280 us of the server's CPU with X25519, 350 with X25519MLKEM768. So a
connection works directly on its socket, with release-buffers, and its writes are batched.
"""

from prosody_py.net.tls.binding import ChannelBindings, channel_bindings, describe
from prosody_py.net.tls.certificate import Certificate, CertificateError
from prosody_py.net.tls.certificates import CertificateIndex, Problem
from prosody_py.net.tls.contexts import NoApplicationProtocol, NoCertificateError, ServerContexts
from prosody_py.net.tls.identity import client_addresses, verify_identity
from prosody_py.net.tls.peer import PeerCertificate, VerifyError, peer_certificate
from prosody_py.net.tls.records import TlsConnection
from prosody_py.net.tls.settings import PROFILES, TlsOptionError, TlsSettings

__all__ = [
    "PROFILES", "Certificate", "CertificateError", "CertificateIndex", "ChannelBindings",
    "NoApplicationProtocol", "NoCertificateError", "PeerCertificate", "Problem",
    "ServerContexts", "TlsConnection", "TlsOptionError", "TlsSettings", "VerifyError",
    "channel_bindings", "client_addresses", "describe", "peer_certificate", "verify_identity",
]
