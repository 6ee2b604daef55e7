"""The peer's certificate, and what is wrong with it.

A handshake never fails because of the peer's certificate: who it is good for and whether an
untrusted one is acceptable (SASL EXTERNAL, dialback instead) is decided above, from this.
"""

from dataclasses import dataclass
from typing import NamedTuple

from cryptography import x509
from OpenSSL import SSL

from prosody_py.net.tls import openssl

# Enough to explain; a hostile chain can have an error at every depth.
_MAX_ERRORS = 32


class VerifyError(NamedTuple):
    """Why a certificate of the chain is not trusted; ``depth`` 0 is the peer's own.

    ``code`` is one of ``OpenSSL.SSL.X509VerificationCodes``, ``text`` OpenSSL's words for it.
    """

    depth: int
    code: int
    text: str


@dataclass(frozen=True)
class PeerCertificate:
    """What the peer has shown; ``chain`` begins with ``certificate``, as the peer sent it."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    errors: tuple[VerifyError, ...]

    @property
    def trusted(self) -> bool:
        """Whether the chain ends in a trusted root, is valid now and for this purpose."""
        return not self.errors


def peer_certificate(connection: SSL.Connection) -> PeerCertificate | None:
    """Return the peer's certificate after the handshake, None if it has shown none.

    Raises ValueError if it cannot be parsed.
    """
    certificate = connection.get_peer_certificate(as_cryptography=True)
    if certificate is None:
        return None
    # On the server's side OpenSSL leaves the peer's own certificate out of the chain.
    chain = connection.get_peer_cert_chain(as_cryptography=True) or []
    if not chain or chain[0] != certificate:
        chain = [certificate, *chain]
    errors = getattr(connection, "verify_errors", ())
    if openssl.session_reused(connection):
        # Nothing was verified in this handshake, and the earlier result says "accepted".
        errors = (VerifyError(0, -1, "the session was resumed"),)
    return PeerCertificate(certificate, tuple(chain), tuple(errors))


def note_and_accept(connection: SSL.Connection, certificate: object, code: int, depth: int,
                    ok: int) -> bool:
    """Remember a verification error on the connection; for ``Context.set_verify``.

    Always True: pyOpenSSL clears OpenSSL's own result then, so this is the only record of it.
    """
    if not ok:
        errors = getattr(connection, "verify_errors", ())
        if len(errors) < _MAX_ERRORS:
            error = VerifyError(depth, code, openssl.verify_error_text(code))
            connection.verify_errors = (*errors, error)
    return True
