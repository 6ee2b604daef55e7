"""EXTERNAL: the TLS certificate says who the client is (RFC 4422 appendix A, XEP-0178)."""

from collections.abc import Generator

from prosody_py.xmpp import jid
from prosody_py.xmpp.sasl.identity import decode_utf8
from prosody_py.xmpp.sasl.outcome import Challenge, SaslError, Success
from prosody_py.xmpp.sasl.profile import Profile

__all__ = ["external"]


def external(profile: Profile, data: bytes | None) -> Generator[Challenge, bytes, Success]:
    """Pick an account that the certificate allows; ``data`` is the authzid or empty."""
    if data is None:
        data = yield Challenge(b"")
    authzid = decode_utf8(data)
    allowed = profile.external_usernames(authzid)
    if not allowed:
        raise SaslError("not-authorized", "The certificate is good for no account here.")
    if authzid:
        username = _asked_for(authzid, allowed, profile.host)
    elif len(set(allowed)) == 1:
        username = allowed[0]
    else:
        raise SaslError("invalid-authzid", "The certificate has several accounts; name one.")
    if not profile.is_enabled(username):
        raise SaslError("account-disabled", "This account is disabled.")
    return Success(username, jid.join(username, profile.host) if authzid else None)


def _asked_for(authzid: str, allowed: list[str], host: str) -> str:
    node, its_host, resource = jid.prepped_split(authzid)
    if node not in allowed or its_host != host or resource is not None:
        raise SaslError("invalid-authzid", "The certificate is not good for this account.")
    return node
