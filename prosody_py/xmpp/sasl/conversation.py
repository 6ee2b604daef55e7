"""Mechanisms that the accounts' provider speaks itself, such as OAUTHBEARER (RFC 7628)."""

from collections.abc import Generator

from prosody_py.xmpp.sasl.identity import prepared_username
from prosody_py.xmpp.sasl.outcome import CONDITIONS, Challenge, SaslError, Success
from prosody_py.xmpp.sasl.profile import Profile

__all__ = ["conversation"]


def conversation(profile: Profile, mechanism: str,
                 data: bytes | None) -> Generator[Challenge, bytes, Success]:
    """Carry messages between the client and the provider; an error of the latter ends it."""
    process = profile.converse(mechanism)
    if process is None:
        raise SaslError("invalid-mechanism", "This mechanism is not offered.")
    if data is None:
        data = yield Challenge(b"")
    while True:
        status, answer, text, username, role = (*process(data), None, None, None, None)[:5]
        if status == "success":
            break
        if status != "challenge":
            condition = answer if answer in CONDITIONS else "not-authorized"
            raise SaslError(condition, text or "")
        data = yield Challenge(answer or b"")
    username = prepared_username(username or "")
    if not profile.is_enabled(username):
        raise SaslError("account-disabled", "This account is disabled.")
    return Success(username, None, answer or None, role)
