"""Logging in: SASL (RFC 6120 section 6), then resource binding (section 7).

The mechanisms are in prosody_py.xmpp.sasl; the accounts come from the host's authentication
provider. XEP-0440 tells clients which channel bindings this connection has.
"""

from __future__ import annotations

import base64
import binascii

from prosody_py.api import Event, Options, StanzaError, array, hook, integer, ns, stanza
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import lifecycle
from prosody_py.xmpp import sasl

CHANNEL_BINDING = "urn:xmpp:sasl-cb:0"
MAX_ATTEMPTS = 5


class Config(Options):
    """Which mechanisms are offered."""

    disable_sasl_mechanisms = array(
        (), doc="Mechanisms that are not offered although the accounts have them.")
    insecure_sasl_mechanisms = array(
        ("PLAIN",), doc="Mechanisms that are offered on encrypted connections only.")
    default_iteration_count = integer(
        10000, min=4096, doc="Iterations of SCRAM keys that are made from now on.")


class Profile:
    """Answers the questions of the SASL mechanisms for one session."""

    def __init__(self, module, session):
        self.module, self.session = module, session
        self.users = module.host_object.users
        self.host = module.host
        self.fake_salt_key = module.server.secret(f"sasl {module.host}")

    def scram_keys(self, username, hash):
        """Return the user's keys for one hash."""
        return self.users.scram_keys(username, hash)

    def test_password(self, username, authzid, password):
        """Check a password."""
        return self.users.test_password(username, password)

    def is_enabled(self, username):
        """Whether the account may log in."""
        return self.users.is_enabled(username)

    def external_usernames(self, authzid):
        """Return the accounts that the client's certificate is for (XEP-0178)."""
        if not self.session.encrypted:
            return []
        return self.module.server.tls.client_usernames(self.session.conn, self.host)

    def anonymous_username(self, trace):
        """Return a fresh name for an anonymous client."""
        return self.users.anonymous_username()

    def channel_bindings(self):
        """Return what binds this TLS connection (RFC 5929, RFC 9266)."""
        session = self.session
        if not session.encrypted or session.conn is None:  # granted `secure` has no TLS of its own
            return {}
        if "channel_bindings" not in session.extras:
            session.extras["channel_bindings"] = self.module.server.tls.channel_bindings(
                session.conn)
        return session.extras["channel_bindings"]


def offer(module, session) -> list[str]:
    """Return the mechanisms for a session, the strongest first."""
    users, options = module.host_object.users, module.options
    if users is None:
        return []
    secure = bool(session.secure)
    required = module.server.config.get(module.host, "c2s_require_encryption")
    if not secure and required is not False:
        return []
    names = sasl.mechanisms(
        Profile(module, session), secure=secure, scram_hashes=users.scram_hashes(),
        plain=users.has_passwords(), external=users.allows_external(),
        anonymous=users.allows_anonymous())
    return [name for name in names if name not in options.disable_sasl_mechanisms
            and (secure or name not in options.insecure_sasl_mechanisms)]


@hook("stream-features")
def features(module, event):
    """Offer authentication, and binding once it is done."""
    session = event.origin
    if session.username is None:
        names = session.extras["sasl_mechanisms"] = offer(module, session)
        if not names:
            return
        list_of = event.features.tag("mechanisms", xmlns=ns.SASL)
        for name in names:
            list_of.text_tag("mechanism", name)
        list_of.up()
        bindings = Profile(module, session).channel_bindings()
        if bindings:
            event.features.tag("sasl-channel-binding", xmlns=CHANNEL_BINDING)
            for name in bindings:
                event.features.tag("channel-binding", type=name).up()
            event.features.up()
    elif session.resource is None:
        event.features.tag("bind", xmlns=ns.BIND).tag("required").up().up()
        event.features.tag("session", xmlns=ns.SESSION).tag("optional").up().up()


@hook(f"stanza/{ns.SASL}:auth")
def auth(module, event):
    """Begin an exchange."""
    session, element = event.origin, event.stanza
    if session.type != "c2s_unauthed" or session.notopen:
        return None
    if module.host_object.users is None:
        return fail(module, session, sasl.Failure("temporary-auth-failure",
                                                  "There are no accounts on this host"))
    mechanism = element.attr.get("mechanism", "")
    offered = session.extras.get("sasl_mechanisms") or []
    if not session.secure and (
            not offered or mechanism in module.options.insecure_sasl_mechanisms):
        return fail(module, session, sasl.Failure("encryption-required"))
    profile = Profile(module, session)
    bindings = list(profile.channel_bindings()) or None
    session.sasl_handler = sasl.Exchange(
        mechanism, profile, advertised=offered, advertised_bindings=bindings,
        iterations=module.options.default_iteration_count)
    text = element.get_text()
    return advance(module, session, text if text else None)


@hook(f"stanza/{ns.SASL}:response")
def response(module, event):
    """Go on with an exchange."""
    session = event.origin
    if session.type != "c2s_unauthed":
        return None
    if session.sasl_handler is None:
        return fail(module, session, sasl.Failure("malformed-request"))
    return advance(module, session, event.stanza.get_text())


@hook(f"stanza/{ns.SASL}:abort")
def abort(module, event):
    """End an exchange at the client's wish."""
    if event.origin.type != "c2s_unauthed":
        return None
    return fail(module, event.origin, sasl.Failure("aborted"))


def advance(module, session, text: str | None) -> bool:
    """Take one message of the client and answer it."""
    try:
        data = None if text is None else b"" if text == "=" else base64.b64decode(
            text, validate=True)
    except (binascii.Error, ValueError):
        return fail(module, session, sasl.Failure("incorrect-encoding"))
    try:
        outcome = session.sasl_handler.step(data)
    except Exception:
        session.log.exception("Error of the accounts' provider while a client logged in")
        outcome = sasl.Failure("temporary-auth-failure")
    if session.destroyed:  # the accounts took longer than the client or its time
        return True
    if isinstance(outcome, sasl.Challenge):
        session.send(stanza.stanza("challenge", xmlns=ns.SASL).text(encode(outcome.data)))
    elif isinstance(outcome, sasl.Success):
        succeed(module, session, outcome)
    else:
        fail(module, session, outcome)
    return True


def succeed(module, session, outcome) -> None:
    """Log the session in."""
    mechanism = session.sasl_handler.mechanism
    session.sasl_handler = None
    lifecycle.make_authenticated(session, outcome.username)
    session.extras["sasl_mechanism"] = mechanism
    session.log.info("Authenticated as %s by %s", session.bare_jid, mechanism)
    module.fire_event("authentication-success", Event(session=session))
    answer = stanza.stanza("success", xmlns=ns.SASL)
    if outcome.data is not None:
        answer.text(encode(outcome.data))
    session.send(answer)
    session.reset_stream()


def fail(module, session, failure) -> bool:
    """Turn the client away; after a few attempts for good."""
    session.sasl_handler = None
    event = Event(session=session, condition=failure.condition, text=failure.text or None)
    module.fire_event("authentication-failure", event)
    session.log.info("Authentication failed: %s%s", event.condition,
                     f" ({event.text})" if event.text else "")
    answer = stanza.stanza("failure", xmlns=ns.SASL).tag(event.condition).up()
    if event.text:
        answer.text_tag("text", event.text)
    session.send(answer)
    attempts = session.extras["sasl_attempts"] = session.extras.get("sasl_attempts", 0) + 1
    if attempts >= MAX_ATTEMPTS:
        session.close("policy-violation", "Too many attempts to log in")
    return True


def encode(data: bytes) -> str:
    """Return the base64 of a message, "=" for an empty one."""
    return base64.b64encode(data).decode() or "="


@hook(f"stanza/iq/{ns.BIND}:bind")
def bind(module, event):
    """Bind a resource (RFC 6120 section 7)."""
    session, iq = event.origin, event.stanza
    if session.type != "c2s_unbound" or iq.attr.get("type") != "set":
        return None
    server = module.server
    wanted = iq.tags[0].get_child_text("resource")
    try:
        lifecycle.bind_resource(session, wanted, lambda username, host: load_roster(
            server, username, host.host))
    except StanzaError as error:
        session.send(stanza.error_reply(iq, error))
        return True
    session.send(stanza.reply(iq).tag("bind", xmlns=ns.BIND).text_tag("jid", session.full_jid))
    return True


@hook(f"iq-set/self/{ns.SESSION}:session")
@hook(f"iq-set/host/{ns.SESSION}:session")
def session_request(module, event):
    """Answer RFC 3921's session request, which means nothing any more."""
    event.origin.send(stanza.reply(event.stanza))
    return True

