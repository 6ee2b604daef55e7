"""What a step of a SASL exchange can come to."""

from dataclasses import dataclass, field

__all__ = ["CONDITIONS", "Challenge", "Failure", "Outcome", "SaslError", "Success"]

CONDITIONS = frozenset(
    {
        "aborted",
        "account-disabled",
        "credentials-expired",
        "encryption-required",
        "incorrect-encoding",
        "invalid-authzid",
        "invalid-mechanism",
        "malformed-request",
        "mechanism-too-weak",
        "not-authorized",
        "temporary-auth-failure",
    }
)
"""The failure conditions of RFC 6120 section 6.5."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Ask the client for more; ``data`` goes to it (base64 is the caller's)."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Success:
    """Let the client in.

    ``username`` is the prepared local part. ``authzid`` is the bare address that the client asked
    for, or None if it asked for none. ``data`` goes along with the success, None if there is none.
    ``role`` is what the client may act as, None for the account's own.
    """

    username: str
    authzid: str | None = None
    data: bytes | None = field(default=None, repr=False)
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Turn the client away; ``text`` is for people and never names a secret."""

    condition: str
    text: str = ""


Outcome = Challenge | Success | Failure


class SaslError(Exception):
    """End an exchange with a failure; a Profile may raise it too."""

    def __init__(self, condition: str, text: str = ""):
        """Take a condition of CONDITIONS and text for people; raises ValueError for another."""
        if condition not in CONDITIONS:
            raise ValueError(f"not a SASL failure condition: {condition}")
        super().__init__(condition, text)
        self.condition = condition
        self.text = text
