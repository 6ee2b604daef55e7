"""OpenSSL functions that pyOpenSSL binds but does not offer. The only door to its private names."""

from functools import cache
from ipaddress import ip_address

from OpenSSL import SSL

_lib = SSL._lib
_ffi = SSL._ffi

VERIFY_OK = _lib.X509_V_OK


def set_groups(context: SSL.Context, names: tuple[str, ...]) -> bool:
    """Set the key agreement groups in order of preference; return False if one is unknown."""
    done = _lib.SSL_CTX_set1_curves_list(context._context, ":".join(names).encode()) == 1
    if not done:
        # What is left in the error queue would be blamed on the next read of some connection.
        _lib.ERR_clear_error()
    return done


def share_roots(context: SSL.Context, owner: SSL.Context) -> None:
    """Let a context trust what another one trusts; the roots are then in memory once."""
    store = _lib.SSL_CTX_get_cert_store(owner._context)
    # The context takes over the reference it is given.
    _lib.X509_STORE_up_ref(store)
    _lib.SSL_CTX_set_cert_store(context._context, store)


@cache
def is_group_known(name: str) -> bool:
    """Return whether this OpenSSL has the key agreement group."""
    return set_groups(SSL.Context(SSL.TLS_SERVER_METHOD), (name,))


def session_reused(connection: SSL.Connection) -> bool:
    """Return whether the handshake resumed an earlier session."""
    return _lib.SSL_session_reused(connection._ssl) == 1


def extended_master_secret(connection: SSL.Connection) -> bool:
    """Return whether the extended master secret of RFC 7627 is in use (TLS 1.2 and before)."""
    return _lib.SSL_get_extms_support(connection._ssl) == 1


def verify_error_text(code: int) -> str:
    """Return OpenSSL's words for a certificate verification error."""
    return _ffi.string(_lib.X509_verify_cert_error_string(code)).decode("ascii", "replace")


NAME_MISMATCH = frozenset((62, 64))
"""Verification errors X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

_NO_PARTIAL_WILDCARDS, _NEVER_CHECK_SUBJECT = 0x4, 0x20


def expect_host(connection: SSL.Connection, host: str) -> None:
    """Let the handshake fail unless the peer's certificate is for a host (RFC 9525).

    ``host`` is a name in ASCII or an IP address. Counts only where the context verifies.
    """
    parameters = _lib.SSL_get0_param(connection._ssl)
    _lib.X509_VERIFY_PARAM_set_hostflags(parameters,
                                         _NO_PARTIAL_WILDCARDS | _NEVER_CHECK_SUBJECT)
    try:
        packed = ip_address(host).packed
        done = _lib.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))
    except ValueError:
        name = host.encode("ascii")
        done = _lib.X509_VERIFY_PARAM_set1_host(parameters, name, len(name))
    if done != 1:
        raise ValueError("not a host that a certificate can be for")
