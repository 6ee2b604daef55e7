"""Offer mechanisms and run one exchange of any of them."""

from collections.abc import Generator, Sequence

from prosody_py.xmpp.sasl.anonymous import anonymous
from prosody_py.xmpp.sasl.conversation import conversation
from prosody_py.xmpp.sasl.external import external
from prosody_py.xmpp.sasl.ht import BINDINGS, HT_HASHES, ht
from prosody_py.xmpp.sasl.keys import DEFAULT_ITERATIONS, HASHES
from prosody_py.xmpp.sasl.outcome import Challenge, Failure, Outcome, SaslError, Success
from prosody_py.xmpp.sasl.plain import plain
from prosody_py.xmpp.sasl.profile import Profile
from prosody_py.xmpp.sasl.scram import Offer, scram

__all__ = ["MAX_MESSAGE_BYTES", "Exchange", "mechanisms"]

MAX_MESSAGE_BYTES = 16_384
"""Largest message of a client, decoded: names of full size, escaped, in base64, and some air."""

_SIMPLE = {"PLAIN": plain, "EXTERNAL": external, "ANONYMOUS": anonymous}
_SCRAM = {f"SCRAM-{hash}{plus}" for hash in HASHES for plus in ("", "-PLUS")}
_HT = {f"HT-{hash}-{binding}" for hash in HT_HASHES for binding in BINDINGS}


def mechanisms(
    profile: Profile,
    *,
    secure: bool,
    scram_hashes: Sequence[str] = (),
    plain: bool = False,
    external: bool = False,
    anonymous: bool = False,
    others: Sequence[str] = (),
) -> list[str]:
    """Return the mechanisms to advertise on this connection, strongest first.

    ``secure`` says that the connection is encrypted. ``scram_hashes`` are keys of HASHES in any
    order. The flags say what the authentication provider can do; on top of that, EXTERNAL needs a
    certificate that allows somebody, -PLUS needs channel bindings, and both, like PLAIN, need
    encryption. So do ``others``, which the provider speaks itself. Raises ValueError for an
    unknown hash.
    """
    if unknown := set(scram_hashes) - HASHES.keys():
        raise ValueError(f"no such SCRAM hash: {', '.join(sorted(unknown))}")
    scrams = [f"SCRAM-{hash}" for hash in reversed(HASHES) if hash in scram_hashes]
    offered = []
    if secure and external and profile.external_usernames(""):
        offered.append("EXTERNAL")
    if secure and scrams and profile.channel_bindings():
        offered += [f"{name}-PLUS" for name in scrams]
    offered += scrams
    if secure:
        offered += others
    if secure and plain:
        offered.append("PLAIN")
    if anonymous:
        offered.append("ANONYMOUS")
    return offered


class Exchange:
    """One attempt of one client to authenticate."""

    def __init__(
        self,
        mechanism: str,
        profile: Profile,
        *,
        advertised: Sequence[str],
        advertised_bindings: Sequence[str] | None = None,
        downgrade_protection: bool = True,
        iterations: int = DEFAULT_ITERATIONS,
    ):
        """Prepare an exchange; nothing is asked of the profile yet.

        ``mechanism`` is the client's choice, any text; what is not among ``advertised`` fails with
        ``invalid-mechanism``. ``advertised_bindings`` are the types listed with XEP-0440, None if
        that list was not sent. ``downgrade_protection`` adds the hash of XEP-0474 to SCRAM.
        ``iterations`` is the count of new accounts, which unknown users seem to have too.

        ``username`` is the account once the exchange has succeeded, and ``role`` what the client
        may act as, None for the account's own.
        """
        self.mechanism = mechanism
        self.selected = mechanism  # Prosody's name for it
        self.profile = profile
        self.username: str | None = None
        self.role: str | None = None
        bindings = None if advertised_bindings is None else tuple(advertised_bindings)
        self._offer = Offer(tuple(advertised), bindings, downgrade_protection, iterations)
        self._run: Generator[Challenge, bytes, Success] | None = None
        self._finished = False

    def step(self, data: bytes | None) -> Outcome:
        """Take the client's next message and return what to answer.

        ``data`` is the decoded message. None means that the client sent no initial response,
        which differs from an empty one. A finished exchange only fails.
        """
        if self._finished:
            return Failure("malformed-request", "The exchange is over.")
        self._finished = True  # stays so if an exception of the profile passes through
        try:
            challenge = self._advance(data)
        except StopIteration as end:
            self.username, self.role = end.value.username, end.value.role
            return end.value
        except SaslError as error:
            return Failure(error.condition, error.text)
        self._finished = False
        return challenge

    def abort(self) -> Failure:
        """End the exchange at the client's wish."""
        self._finished = True
        return Failure("aborted")

    def _advance(self, data: bytes | None) -> Challenge:
        if data is not None and len(data) > MAX_MESSAGE_BYTES:
            raise SaslError("malformed-request", "Message is too long.")
        if self._run is None:
            self._run = self._start(data)
            return next(self._run)
        return self._run.send(b"" if data is None else data)

    def _start(self, data: bytes | None) -> Generator[Challenge, bytes, Success]:
        if self.mechanism in self._offer.mechanisms:
            if self.mechanism in _SCRAM:
                return scram(self.profile, self.mechanism, self._offer, data)
            if self.mechanism in _HT:
                return ht(self.profile, self.mechanism, data)
            if self.mechanism in _SIMPLE:
                return _SIMPLE[self.mechanism](self.profile, data)
            return conversation(self.profile, self.mechanism, data)
        raise SaslError("invalid-mechanism", "This mechanism is not offered.")
