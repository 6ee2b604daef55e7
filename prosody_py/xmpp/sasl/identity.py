"""Turn the identities that a client claims into user names of this host."""

from prosody_py.xmpp import jid
from prosody_py.xmpp.prep import PrepError, nodeprep, saslprep
from prosody_py.xmpp.sasl.outcome import SaslError

__all__ = ["authorized_jid", "decode_utf8", "prepared_username"]


def decode_utf8(data: bytes) -> str:
    """Decode what the client sent; raise SaslError for what is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SaslError("malformed-request", "Not UTF-8.") from None


def prepared_username(authcid: str) -> str:
    """Return the user name of an authentication identity; raise SaslError if it cannot be one."""
    try:
        username = nodeprep(saslprep(authcid, strict=False))
    except PrepError:
        username = ""
    if not username:
        raise SaslError("malformed-request", "Not a user name.")
    return username


def authorized_jid(authzid: str, username: str, host: str) -> str | None:
    """Check that a user asks to act as nobody else.

    Returns the user's bare address, or None if ``authzid`` is empty. Raises SaslError.
    """
    if not authzid:
        return None
    own = jid.join(username, host)
    if jid.prep(authzid) != own:
        raise SaslError("invalid-authzid", "You can only act as yourself.")
    return own
