"""XEP-0199: XMPP Ping. Answers pings, and asks silent clients whether they are still there."""

from __future__ import annotations

import secrets
import time

from prosody_py.api import CommandError, Options, StanzaError, command, hook, iq, period, stanza
from prosody_py.concurrency.timer import Timer
from prosody_py.events import filters

XMLNS = "urn:xmpp:ping"
FEATURES = (XMLNS,)


class Config(Options):
    """How long a client may take."""

    ping_timeout = period("1 minute", min="1 second",
                          doc="Time that a silent client has to say something when it is pinged.")


@iq("get", XMLNS, "ping", to=("host", "bare"))
def pong(module, event):
    """Answer with an empty result."""


@hook("c2s-read-timeout", priority=-1)
def ping_silent_client(module, event):
    """Ping the client instead of dropping it at once.

    Anything it sends counts as an answer. The priority leaves the first word to those who ask
    in other ways, such as stream management.
    """
    session = event.session
    if session.type != "c2s" or session.conn is None:
        return None
    if session.extras.get("ping_timer") is None:
        filters.add_filter(session, "bytes/in", heard, 1000)
        # Not a timer of the module: it is to fire even if the module is reloaded meanwhile.
        session.extras["ping_timer"] = Timer(module.options.ping_timeout, give_up, session)
        session.send(stanza.iq(type="get", id="ping-" + secrets.token_urlsafe(6),
                               to=session.full_jid).tag("ping", xmlns=XMLNS))
        session.log.debug("Silent for long: pinged")
    return True


def heard(data, session):
    """The client is there: stop waiting."""
    timer = session.extras.pop("ping_timer", None)
    if timer is not None:
        timer.stop()
    filters.remove_filter(session, "bytes/in", heard)
    return data


def give_up(_now, session):
    """The client has not answered."""
    session.extras.pop("ping_timer", None)
    session.close("connection-timeout", "No answer to a ping")


@hook("resource-unbind")
def stop(module, event):
    """Wait no longer for a client that is gone."""
    timer = event.session.extras.pop("ping_timer", None)
    if timer is not None:
        timer.stop()


@command("xmpp", "ping", "from:host", "to:jid", "seconds:integer?", help="Other entities")
def ping(module, call, sender, to, seconds):
    """Ping an address from one of our hosts, for at most so many seconds (10)."""
    begun = time.monotonic()
    request = stanza.iq(type="get", id=secrets.token_urlsafe(9), to=to).tag("ping", xmlns=XMLNS)
    try:
        module.send_iq(request, timeout=min(max(1, seconds or 10), 120))
    except StanzaError as error:
        taken = time.monotonic() - begun
        raise CommandError(f"{to} has answered with an error after {taken:.3f} s, or not at all: "
                           f"{error}") from None
    return f"{to} has answered in {time.monotonic() - begun:.3f} s"
