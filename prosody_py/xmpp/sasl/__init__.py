"""SASL for servers (RFC 4422): bytes in, outcomes out, no sockets.

    offered = mechanisms(profile, secure=True, scram_hashes=("SHA-1", "SHA-256"), plain=True)
    exchange = Exchange(chosen, profile, advertised=offered)
    outcome = exchange.step(initial_response)    # Challenge, Success or Failure
"""

from prosody_py.xmpp.sasl.exchange import MAX_MESSAGE_BYTES, Exchange, mechanisms
from prosody_py.xmpp.sasl.ht import HT_HASHES, ht_mechanisms
from prosody_py.xmpp.sasl.keys import (
    DEFAULT_ITERATIONS,
    HASHES,
    MIN_ITERATIONS,
    ScramKeys,
    derive,
    fake_keys,
    keys_of_salted_password,
    verify_password,
)
from prosody_py.xmpp.sasl.outcome import (
    CONDITIONS,
    Challenge,
    Failure,
    Outcome,
    SaslError,
    Success,
)
from prosody_py.xmpp.sasl.profile import Profile

__all__ = [
    "CONDITIONS",
    "DEFAULT_ITERATIONS",
    "HASHES",
    "HT_HASHES",
    "MAX_MESSAGE_BYTES",
    "MIN_ITERATIONS",
    "Challenge",
    "Exchange",
    "Failure",
    "Outcome",
    "Profile",
    "SaslError",
    "ScramKeys",
    "Success",
    "derive",
    "fake_keys",
    "ht_mechanisms",
    "keys_of_salted_password",
    "mechanisms",
    "verify_password",
]
