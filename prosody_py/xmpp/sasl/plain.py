"""PLAIN: name and password as they are (RFC 4616)."""

from collections.abc import Generator

from prosody_py.xmpp.prep import PrepError, saslprep
from prosody_py.xmpp.sasl.identity import authorized_jid, decode_utf8, prepared_username
from prosody_py.xmpp.sasl.outcome import Challenge, SaslError, Success
from prosody_py.xmpp.sasl.profile import Profile

__all__ = ["plain"]


def plain(profile: Profile, data: bytes | None) -> Generator[Challenge, bytes, Success]:
    """Check a password; ``data`` is ``[authzid] NUL authcid NUL password``."""
    if data is None:
        data = yield Challenge(b"")
    parts = decode_utf8(data).split("\0")
    if len(parts) != 3:
        raise SaslError("malformed-request", "Not three parts.")
    authzid, authcid, raw_password = parts
    username = prepared_username(authcid)
    try:
        password = saslprep(raw_password, strict=False)
    except PrepError:
        password = ""
    if not password:
        raise SaslError("malformed-request", "Not a password.")
    own_jid = authorized_jid(authzid, username, profile.host)
    if not profile.test_password(username, own_jid, password):
        raise SaslError("not-authorized", "Wrong user name or password.")
    if not profile.is_enabled(username):
        raise SaslError("account-disabled", "This account is disabled.")
    return Success(username, own_jid)
