"""Logging in: SASL (RFC 6120 section 6), then resource binding (section 7).

The mechanisms are in prosody_py.xmpp.sasl; the accounts come from the host's authentication
provider. XEP-0440 tells clients which channel bindings this connection has.
"""

from __future__ import annotations

import base64

from prosody_py.api import Event, StanzaError, hook, ns, stanza
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import lifecycle
from prosody_py.sessions.authentication import (
    LoginOptions,
    advertise_bindings,
    begin,
    count_failure,
    fire_failure,
    offer,
    outdate,
    step,
)
from prosody_py.xmpp import sasl


class Config(LoginOptions):
    """Which mechanisms are offered."""


@hook("stream-features")
def features(module, event):
    """Offer authentication, and binding once it is done."""
    session = event.origin
    if session.username is None:
        names = offer(event, module.options)
        if not names:
            return
        list_of = event.features.tag("mechanisms", xmlns=ns.SASL)
        for name in names:
            list_of.text_tag("mechanism", name)
        list_of.up()
        advertise_bindings(event)
    elif session.resource is None:
        event.features.tag("bind", xmlns=ns.BIND).tag("required").up().up()
        event.features.tag("session", xmlns=ns.SESSION).tag("optional").up().up()


@hook(f"stanza/{ns.SASL}:auth")
def auth(module, event):
    """Begin an exchange."""
    session, element = event.origin, event.stanza
    if session.type != "c2s_unauthed" or session.notopen:
        return None
    failure = begin(session, element.attr.get("mechanism", ""), module.options)
    if failure is not None:
        return fail(module, session, failure)
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
    """Take one message of the client, "=" for an empty one, and answer it."""
    outcome = step(session, "" if text == "=" else text)
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
    lifecycle.make_authenticated(session, outcome.username, outcome.role)
    if session.destroyed:
        return
    session.extras["sasl_mechanism"] = mechanism
    session.log.info("Authenticated as %s by %s", session.bare_jid, mechanism)
    module.fire_event("authentication-success", Event(session=session))
    session.sasl_handler = None
    answer = stanza.stanza("success", xmlns=ns.SASL)
    if outcome.data is not None:
        answer.text(encode(outcome.data))
    session.send(answer)
    session.reset_stream()


def fail(module, session, failure) -> bool:
    """Turn the client away; after a few attempts for good."""
    event = fire_failure(session, failure)
    answer = stanza.stanza("failure", xmlns=ns.SASL).tag(event.condition).up()
    if event.text:
        answer.text_tag("text", event.text)
    session.send(answer)
    count_failure(session)
    return True


def encode(data: bytes) -> str:
    """Return the base64 of a message, "=" for an empty one."""
    return base64.b64encode(data).decode() or "="


@hook("user-password-changed", priority=1000)
@hook("user-disabled", priority=1000)
@hook("user-deleted", priority=1000)
def account_changed(module, event):
    """Let nobody in by what was the account's before."""
    outdate(module.host, event.username)


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

