"""What the mechanisms ask of the server: accounts, certificates, the TLS connection."""

from collections.abc import Callable
from typing import Protocol

from prosody_py.xmpp.sasl.keys import ScramKeys

__all__ = ["Profile"]


class Profile(Protocol):
    """Answer the questions of one connection on one host.

    The functions may block the calling greenlet. They may raise SaslError to end the exchange with
    a condition of their own (``credentials-expired``, ``temporary-auth-failure``); any other
    exception passes through ``Exchange.step`` and ends the exchange. User names are prepared
    local parts.
    """

    host: str
    """The virtual host, prepared; an authorization identity must be an address on it."""

    fake_salt_key: bytes
    """Secret that the salts of unknown users are made from; the same over restarts."""

    def scram_keys(self, username: str, hash: str) -> ScramKeys | None:
        """Return the user's keys for ``hash`` ("SHA-1", "SHA-256", "SHA-512"), None if none."""
        ...

    def test_password(self, username: str, authzid: str | None, password: str) -> bool:
        """Check a prepared password.

        An unknown user must take as long as a known one: verify against ``fake_keys``.
        """
        ...

    def is_enabled(self, username: str) -> bool:
        """Say whether the account may log in; asked only after the credentials were right."""
        ...

    def external_usernames(self, authzid: str) -> list[str]:
        """Return the accounts that the client's certificate may use.

        ``authzid`` is the address asked for, empty if none, for profiles that look names up.
        """
        ...

    def anonymous_username(self, trace: str) -> str:
        """Return a fresh user name for an anonymous client; ``trace`` is what it sent."""
        ...

    def channel_bindings(self) -> dict[str, bytes]:
        """Return the data of every binding type this connection has (RFC 5929, RFC 9266)."""
        ...

    def converse(self, mechanism: str) -> Callable[[bytes], tuple] | None:
        """Begin an exchange of a mechanism that is not among ours; None if there is no such one.

        What is returned takes the client's messages, and answers each with a tuple: ("challenge",
        data), ("success", data or None, None, user name, role or None) or ("failure", condition,
        text or None).
        """
        ...
