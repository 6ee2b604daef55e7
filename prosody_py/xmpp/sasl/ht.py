"""HT: proof of a token in one round trip (draft-schmaus-kitten-sasl-ht), for FAST (XEP-0484).

A mechanism is HT-<hash>-<binding>: the name of the hash, and of the channel binding that the
proof is bound to. Both sides show the HMAC, keyed with the token, over who they are and the
binding's data.
"""

import hmac
from collections.abc import Callable, Generator
from typing import Protocol

from prosody_py.xmpp.sasl.identity import decode_utf8, prepared_username
from prosody_py.xmpp.sasl.outcome import Challenge, SaslError, Success

__all__ = ["BINDINGS", "HT_HASHES", "TokenProfile", "ht", "ht_mechanisms"]

HT_HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512",
             "SHA3-256": "sha3_256", "SHA3-384": "sha3_384", "SHA3-512": "sha3_512"}
"""Hash names as in the mechanisms' names, and what hashlib calls them."""

BINDINGS = {"EXPR": "tls-exporter", "UNIQ": "tls-unique", "ENDP": "tls-server-end-point",
            "NONE": None}
"""Bindings as in the mechanisms' names, the strongest first, and their registered names."""


class TokenProfile(Protocol):
    """What the mechanisms ask of the server."""

    def channel_bindings(self) -> dict[str, bytes]:
        """Return the data of every binding type this connection has."""
        ...

    def token(self, username: str, mechanism: str,
              proves: Callable[[bytes], bool]) -> bytes | None:
        """Return the user's token that `proves` accepts and that may be used now, None if none.

        Raises SaslError `credentials-expired` for one that is accepted and too old.
        """
        ...

    def is_enabled(self, username: str) -> bool:
        """Say whether the account may log in; asked only after the token was right."""
        ...


def ht_mechanisms(hashes, bindings) -> list[str]:
    """Return the mechanisms for these hashes on a connection with these channel bindings."""
    return [f"HT-{hash}-{short}" for hash in hashes for short, name in BINDINGS.items()
            if name is None or name in bindings]


def ht(profile: TokenProfile, mechanism: str,
       data: bytes | None) -> Generator[Challenge, bytes, Success]:
    """Check a token; ``data`` is ``authcid NUL proof`` and has to come at once.

    Nothing is ever asked: the exchange succeeds or fails with the first message.
    """
    if data is None:
        raise SaslError("malformed-request", "The initial response is missing.")
    authcid, separator, proof = data.partition(b"\0")
    if not separator:
        raise SaslError("malformed-request", "Not a user name and a proof.")
    username = prepared_username(decode_utf8(authcid))
    hash, _, short = mechanism.removeprefix("HT-").rpartition("-")
    name = HT_HASHES[hash]
    binding = b"" if BINDINGS[short] is None else profile.channel_bindings().get(BINDINGS[short])
    if binding is None:
        raise SaslError("not-authorized", "This channel binding type is not available.")

    def proves(token: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(token, b"Initiator" + binding, name), proof)

    token = profile.token(username, mechanism, proves)
    if token is None:
        raise SaslError("not-authorized", "Wrong user name or token.")
    if not profile.is_enabled(username):
        raise SaslError("account-disabled", "This account is disabled.")
    return Success(username, None, hmac.digest(token, b"Responder" + binding, name))
    yield  # never reached: makes this a generator, as all mechanisms are
