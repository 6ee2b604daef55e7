"""XEP-0198: Stream Management. Acknowledgements, and sessions that outlive their connection.

Data and owner: each session that is managed has a `Tracker` (tracking): the queue of what its
client has not acknowledged, as text, in numbers and size bounded. The sessions that can be resumed
are in the shared table "/*/smacks/resumption-tokens", by "user@host/token". The fields of the
session, the events and the names of the options are those of Prosody's module; `do_enable` and
`do_resume` serve those who do this inside of other exchanges (SASL2, Bind 2).

What is acknowledged is done: elements are worked off one after the other, and <a/> waits until
messages for clients that are not there, or have not acknowledged them, are on the disk (journal,
promises). What cannot be delivered goes
back when the session ends (hibernation), sessions survive a reload of this module and a restart
of the server (revival). A client that acknowledges too much, or nothing at all, is cut off.
"""

from __future__ import annotations

from functools import partial

import gevent

from prosody_py.api import Options, hook, integer, ns, period, size, stanza
from prosody_py.xmpp.writer import serialize

from . import hibernation, promises, resumption
from .journal import Journal
from .old_sessions import OldSessions
from .revival import Revival
from .tracking import Awaiting, Tracker

VERSIONS = ("urn:xmpp:sm:3", "urn:xmpp:sm:2")
STOPPING = 5  # seconds that all elements in hand may take when the server stops


class Config(Options):
    """How much is kept, for how long, and when acknowledgements are asked for."""

    smacks_hibernation_time = period(
        "10 minutes", min="0.1 seconds", max="30 days",
        doc="Time that a session waits for its client.")
    smacks_max_queue_size = integer(
        500, min=10, max=100_000,
        doc="Stanzas that are kept for a client until it has acknowledged them. A session that "
            "waits ends when there are more; its messages go to the offline store.")
    smacks_max_queue_bytes = size(
        "10 MB", min="100 KB", doc="The same, by the size of the stanzas.")
    smacks_max_unacked_stanzas = integer(
        0, min=0, doc="Stanzas that are sent before an acknowledgement is asked for.")
    smacks_max_inactive_unacked_stanzas = integer(
        256, min=0, doc="The same for what is no message while nobody looks at the client.")
    smacks_max_ack_delay = period(
        "30 seconds", min="0 seconds",
        doc="Time without an acknowledgement after which smacks-ack-delayed is fired.")
    smacks_max_hibernated_sessions = integer(
        10, min=1, max=64, doc="Sessions of one account that may wait at a time.")
    smacks_max_old_sessions = integer(
        10, min=0, max=1000,
        doc="Sessions of one account whose number of handled stanzas is known when they are over.")


# -- life ----------------------------------------------------------------------------------


def load(module):
    """Open the stores; revive sessions when everything else is loaded, before ports are open."""
    module.tokens = module.shared("/*/smacks/resumption-tokens")
    module.awaiting = Awaiting(module)
    module.journal = Journal(module)
    module.old_sessions = OldSessions(module)
    module.revival = Revival(module)
    module.end_hibernation = partial(hibernation.end, module)
    module.exports.do_enable = partial(resumption.enable, module)
    module.exports.do_resume = partial(resumption.resume, module)
    if not module.reloading:
        if module.server.started:
            module.on_ready(module.revival.revive)
        else:
            module.hook_global("hosts-activated", lambda _event: module.revival.revive())


def trackers(module):
    """Return the trackers of this host's sessions."""
    return [tracker for session in list(module.server.full_sessions.values())
            if session.host == module.host
            and (tracker := session.extras.get("smacks_tracker")) is not None]


def save(module):
    """Return what is left over; the rest is in the sessions."""
    return {"left": module.revival.left}


def restore(module, saved):
    """Look after the sessions of the instance before."""
    module.revival.left = saved.get("left") or {}
    for username in list(module.revival.left):
        module.add_timer(module.options.smacks_hibernation_time, module.revival.time_is_over,
                         username)
    for tracker in trackers(module):
        session = tracker.session
        tracker.__class__, tracker.module = Tracker, module
        session.keep = tracker.keep
        if tracker.suspended:
            hibernation.adopt(module, session)
        if tracker.awaiting:
            module.awaiting.add(tracker)


def unload(module):
    """End what waits, and leave the others alone; a reload keeps both."""
    if module.reloading:
        return
    for tracker in trackers(module):
        if tracker.suspended:
            hibernation.end(module, tracker.session, "stream management is switched off")
        else:
            module.tokens.pop(f"{tracker.session.bare_jid}/{tracker.token}", None)
            module.revival.forget(tracker)
            tracker.end()


# -- negotiation ---------------------------------------------------------------------------


@hook("stream-features")
def features(module, event):
    """Offer stream management to who has logged in."""
    if resumption.may_enable(event.origin, advertise=True) is None:
        for xmlns in VERSIONS:
            event.features.tag("sm", xmlns=xmlns).tag("optional").up().up()


@hook("stanza/urn:xmpp:sm:3:enable")
@hook("stanza/urn:xmpp:sm:2:enable")
def enable(module, event):
    """Answer <enable/> (section 3)."""
    session, element = event.origin, event.stanza
    result = resumption.enable(module, session, element)
    if isinstance(result, tuple):
        return fail(session, element, result[1])
    attr = {"xmlns": element.attr["xmlns"]}
    if "id" in result:
        attr.update(id=result["id"], resume="true", max=result["resume_max"])
    session.send(stanza.stanza("enabled", attr))
    result["finish"]()
    return True


@hook("stanza/urn:xmpp:sm:3:resume")
@hook("stanza/urn:xmpp:sm:2:resume")
def resume(module, event):
    """Answer <resume/> (section 5)."""
    session, element = event.origin, event.stanza
    result = resumption.resume(module, session, element)
    if isinstance(result, tuple):
        return fail(session, element, result[1])
    original = result["session"]
    original.send(stanza.stanza("resumed", xmlns=element.attr["xmlns"], previd=result["id"],
                                h=str(original.handled_stanza_count)))
    result["finish"]()
    return True


def fail(session, element, refusal) -> bool:
    """Send <failed/>, or a stream error (section 6)."""
    session.log.debug("<%s/> failed: %s", element.name, refusal.text)
    if refusal.stream_error is not None:
        session.rawsend(refusal.stream_error)
        session.close()
        return True
    answer = stanza.stanza("failed", xmlns=element.attr["xmlns"],
                           h=None if refusal.h is None else str(refusal.h))
    session.send(answer.tag(refusal.condition, xmlns=ns.STANZA_ERRORS).up())
    return True


# -- acknowledgements ----------------------------------------------------------------------


@hook("stanza/urn:xmpp:sm:3:r")
@hook("stanza/urn:xmpp:sm:2:r")
def asked(module, event):
    """Say how much is handled, once all of it is durable."""
    session = event.origin
    if not session.extras.get("smacks"):
        return None
    if not module.journal.wait(session.extras.get("smacks_tracker")):
        session.log.warning("Does not get an acknowledgement: what it has sent is not stored")
        return True
    if not session.destroyed and session.handled_stanza_count is not None:
        session.send(stanza.stanza("a", xmlns=event.stanza.attr["xmlns"],
                                   h=str(session.handled_stanza_count)))
    return True


@hook("stanza/urn:xmpp:sm:3:a")
@hook("stanza/urn:xmpp:sm:2:a")
def acknowledged(module, event):
    """The client has handled so much (section 4)."""
    session = event.origin
    tracker = session.extras.get("smacks_tracker")
    if tracker is None:
        return True if session.extras.get("smacks") else None
    h = resumption.number(event.stanza.attr.get("h"))
    if h is None:
        session.log.warning("<a/> without a number that could be understood")
        return True
    try:
        tracker.acknowledged(h)
    except ValueError:
        session.log.warning("Acknowledges %d of %d stanzas", h, tracker.queue.head)
        session.rawsend(tracker.too_high(h))
        session.close()
        return True
    session.extras.pop("smacks_silent", None)
    tracker.ask_now()
    return True


@hook("csi-client-active")
@hook("csi-client-inactive")
def state_changed(module, event):
    """Note whether somebody looks at the client."""
    tracker = event.origin.extras.get("smacks_tracker")
    if tracker is not None:
        tracker.inactive = event.origin.extras.get("state") == "inactive"
        if not tracker.inactive:
            tracker.ask_now()


@hook("csi-flushing")
def flushing(module, event):
    """What was held back goes out: that is a good moment to ask."""
    tracker = event.session.extras.get("smacks_tracker")
    if tracker is not None and tracker.queue.count_unacked():
        tracker.ask_now(force=True)


@hook("c2s-read-timeout")
def silent(module, event):
    """Ask a silent client for an acknowledgement; one that does not answer is gone."""
    session = event.session
    tracker = session.extras.get("smacks_tracker")
    if tracker is None:
        return None
    if tracker.awaiting:
        session.log.debug("Silent for too long, and no answer to <r/>")
        session.conn.destroy("no acknowledgement")
    else:
        session.extras["smacks_silent"] = True
        tracker.ask_now(force=True)
    return True


# -- the end -------------------------------------------------------------------------------


@hook("pre-session-close")
def closing(module, event):
    """A stream that is closed in good order, or for an error, is not resumed."""
    session = event.session
    tracker = session.extras.get("smacks_tracker")
    if tracker is not None:
        session.extras["resumption_token"] = None
        module.tokens.pop(f"{session.bare_jid}/{tracker.token}", None)
        if session.conn is not None:
            session.conn.write_last(None)


@hook("pre-resource-unbind")
def connection_lost(module, event):
    """Let a session wait for its client if it can be resumed."""
    session = event.session
    tracker = session.extras.get("smacks_tracker")
    if tracker is None or session.extras.get("resumption_token") is None:
        return None
    if session.extras.get("hibernating") is None or session.extras.pop("smacks_moved", None):
        hibernation.hibernate(module, session, event.error)
    return True


@hook("resource-unbind", priority=1)
def over(module, event):
    """A session has ended for good."""
    tracker = event.session.extras.get("smacks_tracker")
    if tracker is not None:
        hibernation.give_back(module, event.session, tracker)
        tracker.end()


@hook("delivery/failure", priority=-1)
def not_delivered(module, event):
    """Keep a message that a client has not acknowledged."""
    return hibernation.keep(module, event)


@hook("message/offline/broadcast", priority=10)
def somebody_comes(module, event):
    """Give what was left over to who comes."""
    module.revival.release(event.origin.username, event.origin)


@hook("message/offline/delivered")
def was_kept(module, event):
    """Keep what comes from the offline store until the client has acknowledged it."""
    tracker = event.session.extras.get("smacks_tracker")
    if tracker is not None:
        promises.note(tracker, {serialize(element, ns.CLIENT).encode("utf-8", "replace"): id
                                for id, element in event.items})
        if not module.journal.wait():
            return False
    return None


@hook("user-password-changed")
@hook("user-disabled")
def end_waiting(module, event):
    """A session that waits was let in with the old password, or may not come back: it ends."""
    user = module.host_object.sessions.get(event.username)
    for session in list(user.sessions.values()) if user is not None else ():
        if (session.extras.get("hibernating") is not None
                and session.resource != getattr(event, "resource", None)):
            session.close("not-authorized", "The account was changed")


@hook("user-deleted")
def forget_user(module, event):
    """Keep nothing of an account that is gone."""
    module.old_sessions.forget(event.username)
    module.revival.left.pop(event.username, None)
    module.journal.users.set(event.username, None)


@hook("server-stopping", priority=-70, on="global")
def wait_for_the_next_start(module, event):
    """Let all sessions wait that can be resumed, before the others are closed."""
    able = [tracker for tracker in trackers(module)
            if not tracker.suspended and tracker.session.extras.get("resumption_token")]
    working = [gevent.spawn(tracker.session.finish_work, STOPPING) for tracker in able
               if hasattr(tracker.session, "finish_work")]
    gevent.joinall(working, STOPPING + 1)
    for tracker in able:
        session, conn = tracker.session, tracker.session.conn
        if session.destroyed or conn is None:
            continue
        hibernation.hibernate(module, session, "the server stops")
        conn.close("the server stops")


@hook("server-stopping", priority=-90, on="global")
def put_down(module, event):
    """Put down all sessions that wait, with what has come for them up to now."""
    for tracker in trackers(module):
        if tracker.suspended:
            module.revival.remember(tracker)
            hibernation.call_off(tracker.session)
    module.journal.wait()
