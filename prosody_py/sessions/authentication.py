"""What logging in with SASL (RFC 6120 section 6) and with SASL 2 (XEP-0388) have in common.

The mechanisms are in prosody_py.xmpp.sasl; the accounts are those of the host's provider. Here is
which mechanisms a session is offered, what a mechanism asks about accounts and the connection,
and how an exchange is begun and gone on with. What is said in XML is the modules' affair.
"""

from __future__ import annotations

import base64
from weakref import WeakSet

from prosody_py.config.options import Options, array, integer
from prosody_py.events.bus import Event
from prosody_py.xmpp import jid, sasl
from prosody_py.xmpp.stanza import Stanza

CHANNEL_BINDING = "urn:xmpp:sasl-cb:0"
MAX_ATTEMPTS = 5


class LoginOptions(Options):
    """Which mechanisms are offered."""

    disable_sasl_mechanisms = array(
        (), doc="Mechanisms that are not offered although the accounts have them.")
    insecure_sasl_mechanisms = array(
        ("PLAIN",), doc="Mechanisms that are offered on encrypted connections only.")
    default_iteration_count = integer(
        10000, min=4096, doc="Iterations of SCRAM keys that are made from now on.")


_profiles: WeakSet[AccountProfile] = WeakSet()


def outdate(host: str, username: str) -> None:
    """Let nobody in who has begun to prove what does not hold any more: the account has changed.

    A client may take its time between two messages of an exchange.
    """
    for profile in list(_profiles):
        if profile.claimed == username and profile.host == host:
            profile.outdated = True


class AccountProfile:
    """Answers the questions of the SASL mechanisms for one session (xmpp.sasl.Profile).

    `proved` are the SCRAM keys that the client was asked to prove to know. `claimed` is the
    account that it says it is, `outdated` whether that has changed since (see `outdate`).
    """

    proved: sasl.ScramKeys | None = None
    claimed: str | None = None
    outdated = False

    def __init__(self, session):
        _profiles.add(self)
        self.session = session
        self.users = session.host_object.users.for_session(session)
        self.host = session.host

    @property
    def fake_salt_key(self) -> bytes:
        """Return the secret that salts of unknown users are made from."""
        return self.session.server.secret(f"sasl {self.host}")

    def scram_keys(self, username, hash):
        """Return the user's keys for one hash."""
        self.claimed = username
        self.proved = self.users.scram_keys(username, hash)
        return self.proved

    def test_password(self, username, authzid, password):
        """Check a password."""
        self.claimed = username
        return self.users.test_password(username, password)

    def is_enabled(self, username):
        """Whether the account may log in."""
        self.claimed = username
        return self.users.is_enabled(username)

    def external_usernames(self, authzid):
        """Return the accounts that the client's certificate is for (XEP-0178)."""
        if not self.session.encrypted:
            return []
        return self.users.external_usernames(self.session, authzid)

    def converse(self, mechanism):
        """Begin an exchange that the accounts' provider conducts."""
        return self.users.converse(mechanism)

    def anonymous_username(self, trace):
        """Return a fresh name for an anonymous client."""
        return self.users.anonymous_username()

    def channel_bindings(self):
        """Return what binds this TLS connection (RFC 5929, RFC 9266)."""
        session = self.session
        if not session.encrypted or session.conn is None:  # granted `secure` has no TLS of its own
            return {}
        if "channel_bindings" not in session.extras:
            session.extras["channel_bindings"] = session.server.tls.channel_bindings(session.conn)
        return session.extras["channel_bindings"]


def claimed_username(session, stream: dict[str, str] | None) -> str | None:
    """Return the account of the session's host that a stream header's 'from' names, if any."""
    address = (stream or {}).get("from")
    if not address:
        return None
    node, host, _resource = jid.prepped_split(address)
    return node if host == session.host else None


def offer(event, options: LoginOptions) -> list[str]:
    """Return the mechanisms for the session of a `stream-features`, the strongest first.

    They are kept as the session's field `sasl_mechanisms`, and in the event for who asks next.
    """
    found = event.__dict__.get("sasl_mechanisms") if type(event) is Event else None
    if found is None:
        session = event.origin
        found = _offer(session, getattr(event, "stream", None), options)
        session.extras["sasl_mechanisms"] = found
        if type(event) is Event:  # not that of a module in Lua, which is a table
            event.sasl_mechanisms = found
    return found


def _offer(session, stream: dict[str, str] | None, options: LoginOptions) -> list[str]:
    if session.host_object.users is None:
        return []
    secure = bool(session.secure)
    required = session.server.config.get(session.host, "c2s_require_encryption")
    if not secure and required is not False:
        return []
    profile = AccountProfile(session)
    users = profile.users
    names = sasl.mechanisms(
        profile, secure=secure, scram_hashes=_hashes(session, users, stream),
        plain=users.has_passwords(), external=users.allows_external(),
        anonymous=users.allows_anonymous(), others=users.other_mechanisms())
    return [name for name in names if name not in options.disable_sasl_mechanisms
            and (secure or name not in options.insecure_sasl_mechanisms)]


def _hashes(session, users, stream) -> tuple[str, ...]:
    """Return the SCRAM hashes to offer: those that the account has, once the client names it."""
    hashes = users.scram_hashes()
    if len(hashes) > 1 and (username := claimed_username(session, stream)):
        own = users.hashes_of(username)
        if own:
            return tuple(name for name in hashes if name in own)
    return hashes


def advertise_bindings(event) -> None:
    """Tell which channel bindings the connection has (XEP-0440), unless that is told already."""
    features = event.features
    bindings = AccountProfile(event.origin).channel_bindings()
    if not bindings or features.get_child("sasl-channel-binding", CHANNEL_BINDING) is not None:
        return
    told = Stanza("sasl-channel-binding", {"xmlns": CHANNEL_BINDING})
    for name in bindings:
        told.tag("channel-binding", type=name).up()
    features.add_child(told)


def begin(session, mechanism: str, options: LoginOptions) -> sasl.Failure | None:
    """Give the session an exchange of a mechanism (`sasl_handler`); return why there is none."""
    if session.host_object.users is None:
        return sasl.Failure("temporary-auth-failure", "There are no accounts on this host")
    offered = session.extras.get("sasl_mechanisms") or []
    if not session.secure and (not offered or mechanism in options.insecure_sasl_mechanisms):
        return sasl.Failure("encryption-required")
    profile = AccountProfile(session)
    bindings = list(profile.channel_bindings()) or None
    session.sasl_handler = sasl.Exchange(
        mechanism, profile, advertised=offered, advertised_bindings=bindings,
        iterations=options.default_iteration_count)
    return None


def step(session, text: str | None) -> sasl.Outcome:
    """Take a client's message, in base64, None for none, which is not the same as an empty one.

    An error of the accounts' provider is a failure like others. May wait, and the session may be
    gone after it.
    """
    handler = session.sasl_handler
    try:
        data = None if text is None else base64.b64decode(text, validate=True)
    except ValueError:  # also what is not ASCII
        return sasl.Failure("incorrect-encoding")
    try:
        outcome = handler.step(data)
        if isinstance(outcome, sasl.Success) and handler.profile.outdated:
            return sasl.Failure("not-authorized", "The account was changed meanwhile")
        return outcome
    except Exception:
        session.log.exception("Error of the accounts' provider while a client logged in")
        return sasl.Failure("temporary-auth-failure")


def fire_failure(session, failure: sasl.Failure, event: Event | None = None) -> Event:
    """Say that an attempt has failed (`authentication-failure`); return what is left to tell.

    Handlers may change the event's `condition` and `text`.
    """
    session.sasl_handler = None
    event = event or Event(session=session)
    event.condition, event.text = failure.condition, failure.text or None
    session.host_object.events.fire_event("authentication-failure", event)
    session.log.info("Authentication failed: %s%s", event.condition,
                     f" ({event.text})" if event.text else "")
    return event


def count_failure(session) -> None:
    """Close the stream of a client that has failed too often (RFC 6120 section 6.4.5)."""
    attempts = session.extras["sasl_attempts"] = session.extras.get("sasl_attempts", 0) + 1
    if attempts >= MAX_ATTEMPTS:
        session.close("policy-violation", "Too many attempts to log in")
