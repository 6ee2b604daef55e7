"""SCRAM: proof of a password that is not sent (RFC 5802, RFC 7677), with channel binding.

XEP-0474 adds a hash over the advertised mechanisms and binding types to the first server message;
being signed with the rest, it shows the client that nobody shortened the lists.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from prosody_py.xmpp.sasl.identity import authorized_jid, decode_utf8, prepared_username
from prosody_py.xmpp.sasl.keys import HASHES, fake_keys
from prosody_py.xmpp.sasl.outcome import Challenge, SaslError, Success
from prosody_py.xmpp.sasl.profile import Profile

__all__ = ["Offer", "downgrade_hash", "scram"]

_EXTENSIONS = r"(?:,[A-Za-z]=[^,\0]+)*"
_NONCE = r"[!-+\--~]{1,512}"

_first_message = re.compile(
    r"(?P<gs2>(?P<flag>[ny]|p=(?P<type>[A-Za-z0-9.-]{1,64})),(?:a=(?P<authzid>[^,\0]+))?,)"
    rf"(?P<bare>n=(?P<name>[^,\0]+),r=(?P<nonce>{_NONCE}){_EXTENSIONS})\Z"
).match
_final_message = re.compile(
    rf"(?P<unproved>c=(?P<binding>[^,\0]+),r=(?P<nonce>[^,\0]+){_EXTENSIONS})"
    r",p=(?P<proof>[^,\0]+)\Z"
).match
_mandatory_extension = re.compile(r"[^,]*,[^,]*,m=").match
_bad_escape = re.compile("=(?!2C|3D)").search


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server advertised on this stream, and with what it pads.

    ``bindings`` are the types advertised with XEP-0440, None if that was not used.
    ``protect`` adds the hash of XEP-0474. ``iterations`` is what unknown users appear to have:
    the number that new accounts get.
    """

    mechanisms: tuple[str, ...]
    bindings: tuple[str, ...] | None
    protect: bool
    iterations: int


def downgrade_hash(hash: str, mechanisms: Iterable[str], bindings: Iterable[str] | None) -> str:
    """Return the base64 of the hash over what was advertised (XEP-0474).

    ``bindings`` is None if the types were not advertised (XEP-0440), which differs from none.
    """
    listed = "\x1e".join(sorted(mechanisms))
    if bindings is not None:
        listed += "\x1f" + "\x1e".join(sorted(bindings))
    return _encode(hashlib.new(HASHES[hash], listed.encode()).digest())


def _new_nonce() -> str:
    return secrets.token_urlsafe(24)


def scram(
    profile: Profile,
    mechanism: str,
    offer: Offer,
    data: bytes | None,
    new_nonce: Callable[[], str] = _new_nonce,
) -> Generator[Challenge, bytes, Success]:
    """Run one SCRAM exchange; ``mechanism`` is SCRAM-<hash> or SCRAM-<hash>-PLUS.

    A user without keys for the hash takes the same steps to the same failure as a wrong password.
    """
    if data is None:
        data = yield Challenge(b"")
    hash = mechanism.removeprefix("SCRAM-").removesuffix("-PLUS")
    first = _parse_first(decode_utf8(data))
    bound_to = first["gs2"].encode() + _binding_data(profile, mechanism, offer, first)
    username = prepared_username(_unescape(first["name"]))
    own_jid = authorized_jid(_unescape(first["authzid"] or ""), username, profile.host)

    known = profile.scram_keys(username, hash)
    keys = known or fake_keys(username, hash, offer.iterations, profile.fake_salt_key)
    nonce = first["nonce"] + new_nonce()
    server_first = f"r={nonce},s={_encode(keys.salt)},i={keys.iterations}"
    if offer.protect:
        server_first += f",h={downgrade_hash(hash, offer.mechanisms, offer.bindings)}"

    final = _parse_final(decode_utf8((yield Challenge(server_first.encode()))))
    if not hmac.compare_digest(final["nonce"].encode(), nonce.encode()):
        raise SaslError("malformed-request", "Wrong nonce.")
    if not hmac.compare_digest(_decode(final["binding"]), bound_to):
        raise SaslError("not-authorized", "Channel binding does not match.")
    signed = f"{first['bare']},{server_first},{final['unproved']}".encode()
    proved = _is_proof(_decode(final["proof"]), keys.stored_key, signed, HASHES[hash])
    if not (proved and known):
        raise SaslError("not-authorized", "Wrong user name or password.")
    if not profile.is_enabled(username):
        raise SaslError("account-disabled", "This account is disabled.")
    signature = hmac.digest(keys.server_key, signed, HASHES[hash])
    return Success(username, own_jid, f"v={_encode(signature)}".encode())


def _parse_first(text: str) -> re.Match[str]:
    found = _first_message(text)
    if found:
        return found
    if _mandatory_extension(text):
        raise SaslError("malformed-request", "Mandatory extensions are not supported.")
    raise SaslError("malformed-request", "Not a SCRAM client-first-message.")


def _parse_final(text: str) -> re.Match[str]:
    found = _final_message(text)
    if not found:
        raise SaslError("malformed-request", "Not a SCRAM client-final-message.")
    return found


def _binding_data(profile: Profile, mechanism: str, offer: Offer, first: re.Match[str]) -> bytes:
    """Return the data the client must have bound to, empty without channel binding.

    Section 6 of RFC 5802: the flag has to fit the mechanism and what was advertised.
    """
    plus = mechanism.endswith("-PLUS")
    if plus != (first["type"] is not None):
        raise SaslError("malformed-request", "Channel binding flag does not fit the mechanism.")
    if first["flag"] == "y" and any(name.endswith("-PLUS") for name in offer.mechanisms):
        raise SaslError("not-authorized", "Channel binding was offered: downgrade detected.")
    if not plus:
        return b""
    binding = profile.channel_bindings().get(first["type"])
    if not binding:
        raise SaslError("not-authorized", "This channel binding type is not available.")
    return binding


def _is_proof(proof: bytes, stored_key: bytes, signed: bytes, hash_name: str) -> bool:
    signature = hmac.digest(stored_key, signed, hash_name)
    if len(proof) != len(signature):
        raise SaslError("malformed-request", "Proof has the wrong size.")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    return hmac.compare_digest(hashlib.new(hash_name, client_key).digest(), stored_key)


def _unescape(saslname: str) -> str:
    if _bad_escape(saslname):
        raise SaslError("malformed-request", "Wrong escape in a name.")
    return saslname.replace("=2C", ",").replace("=3D", "=")


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SaslError("malformed-request", "Not base64.") from None
