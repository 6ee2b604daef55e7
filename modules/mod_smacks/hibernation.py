"""Sessions whose connection is gone: they wait for their client, and end if it does not come.

What was not acknowledged when a session ends for good goes back (XEP-0198 section 4): a message to
those of the user who are there or to the offline store, an iq as an error to its sender; presence
is forgotten, for everybody will be told that the session is gone. What another session of the
user has had already is not delivered once more.
"""

from __future__ import annotations

import time

from prosody_py.api import Event, StanzaError, stanza
from prosody_py.concurrency.timer import Timer
from prosody_py.hosts import users
from prosody_py.sessions import lifecycle
from prosody_py.sessions.archive_results import reads_archive
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp import importance
from prosody_py.xmpp.parser import parse_fragment

from . import promises

TOLERANCE = 2  # what a connected client left unacknowledged may be so much more than allowed
CARBONS = "urn:xmpp:carbons:2"
STANZA_ID = "urn:xmpp:sid:0"


class Watchdog:
    """Calls `callback(watchdog)` unless it is reset or cancelled in time (Prosody's object).

    Other modules may give a session more time with `reset(seconds)`, or put a function of their
    own into `callback`; if that returns true, the time begins anew.
    """

    def __init__(self, seconds: float, callback):
        self.timeout, self.callback = seconds, callback
        self.due = time.monotonic() + seconds
        self.timer = Timer(seconds, self.bark)

    def bark(self, _now: float) -> float | None:
        """The time is over."""
        return self.timeout if self.callback(self) is True else None

    def reset(self, seconds: float | None = None) -> None:
        """Begin anew, with another time if one is given."""
        if seconds is not None:
            self.timeout = seconds
        self.due = time.monotonic() + self.timeout
        self.timer.reschedule(self.timeout)

    def left(self) -> float:
        """Return the seconds until it calls."""
        return max(0.0, self.due - time.monotonic())

    def cancel(self) -> None:
        """Call nothing any more."""
        self.timer.stop()

    reset.never_blocks = cancel.never_blocks = True


def call_off(session) -> None:
    """Let no watchdog of a session bark, whoever has set it."""
    dog = session.extras.pop("hibernating_watchdog", None)
    tracker = session.extras.get("smacks_tracker")
    if tracker is not None and tracker.watchdog is not None:
        tracker.watchdog.cancel()
    if dog is not None and dog.left is None:
        dog.cancel(dog)  # it is one of util.watchdog, in Lua


def time_left(session) -> float:
    """Return the seconds that a session will still wait; of others' watchdogs all their time."""
    dog = session.extras.get("hibernating_watchdog")
    if dog is None:
        return session.extras["smacks_tracker"].patience
    return dog.left() if dog.left is not None else float(dog.timeout or 0)


def watch(module, session, seconds: float) -> None:
    """End a session that waits, after so many seconds."""
    call_off(session)
    session.extras["hibernating_watchdog"] = session.extras["smacks_tracker"].watchdog = Watchdog(
        seconds, lambda _dog: end(module, session, "resumption timeout"))


def hibernate(module, session, reason: str | None) -> None:
    """Let a session wait for its client."""
    tracker = session.extras["smacks_tracker"]
    session.log.info("Waits for its client to come back (%s)", reason or "connection closed")
    tracker.suspended, tracker.awaiting, tracker.delayed = True, False, False
    module.awaiting.pop(tracker)
    session.awaiting_ack = None
    if session.conn is not None:
        session.conn.write_last(None)
    session.conn = None
    session.extras["hibernating"] = time.time()
    session.extras.pop("smacks_silent", None)
    watch(module, session, tracker.patience)
    promises.work_off(tracker.reached)  # the client will hear how much is handled
    module.revival.remember(tracker)
    if "smacks-hibernation-start" in module.events.index:
        module.fire_event("smacks-hibernation-start", Event(
            origin=session, queue=tracker.queue.table()))
    if not tracker.queue.thin() and tracker.queue.exceeds(TOLERANCE):
        end(module, session, "the queue is full")
    limit(module, session)


def limit(module, session) -> None:
    """End the session that waits longest if the user has too many of them."""
    user = module.host_object.sessions.get(session.username)
    waiting = [other for other in user.sessions.values()
               if other.extras.get("hibernating") is not None] if user is not None else []
    waiting.sort(key=lambda other: other.extras["hibernating"])
    for other in waiting[:max(0, len(waiting) - module.options.smacks_max_hibernated_sessions)]:
        end(module, other, "too many sessions wait")


def end(module, session, reason: str) -> None:
    """End a session that waits; its number of handled stanzas is kept for who comes too late."""
    if session.destroyed or session.extras.get("hibernating") is None:
        return
    tracker = session.extras.get("smacks_tracker")
    if tracker is None or tracker.lock.locked():
        return  # its client has come in time
    session.log.info("Is given up: %s", reason)
    session.extras["resumption_token"] = None
    module.tokens.pop(f"{session.bare_jid}/{tracker.token}", None)
    module.old_sessions.add(session.username, tracker.token, session.handled_stanza_count)
    lifecycle.destroy(session, reason)


def give_back(module, session, tracker) -> None:
    """Deal with what a session that has ended leaves behind."""
    call_off(session)
    queue = tracker.queue
    while queue.entries:
        number, when, text = queue.entries[0]
        undelivered(module, session, parse_fragment(text), when, tracker.journaled.get(number))
        queue.take()
        module.journal.forget(tracker, [number])
    module.revival.forget(tracker)


def undelivered(module, session, element, when: float, key: str | None) -> None:
    """Deal with a stanza that a session has not acknowledged."""
    if had_by_others(module, session, element, when):
        return
    # A handler that fails, because of a store for instance, counts as one that has not taken it.
    if module.fire_event("delivery/failure", Event(
            session=session, stanza=element, key=key, when=when)):
        return
    type, sender = element.attr.get("type"), element.attr.get("from")
    answered = (element.name == "iq" and type in ("get", "set")
                or element.name == "message" and type not in ("error", "groupchat", "headline"))
    if answered and sender is not None and sender != session.full_jid:
        module.send(stanza.error_reply(element, StanzaError("recipient-unavailable")))


def had_by_others(module, session, element, when: float) -> bool:
    """Whether other sessions that are there have got a message when this one was sent it."""
    if element.name != "message":
        return False
    to_account = element.attr.get("to") in (None, session.bare_jid)
    user = module.host_object.sessions.get(session.username)
    for other in list(user.sessions.values()) if user is not None else ():
        if other is session or other.presence is None or (other.conntime or 0) > when:
            continue
        if to_account and other.priority >= max(0, session.priority or 0):
            return True
        if other.extras.get("want_carbons") and has_carbon(element):
            return True
    return False


def has_carbon(element) -> bool:
    """Whether a message is one that other resources get a copy of (XEP-0280 section 6.1)."""
    if element.get_child("private", CARBONS) or element.get_child("no-copy", "urn:xmpp:hints"):
        return False
    type = element.attr.get("type", "normal")
    return type == "chat" or type == "normal" and element.get_child("body") is not None


def keep(module, event):
    """Keep a message that could not be delivered; None leaves it to go back to its sender."""
    session, element = event.session, event.stanza
    username = session.username
    if username is None or element.name != "message" or element.attr.get(
            "type", "normal") not in ("chat", "normal"):
        return None
    if element.get_child("result", "urn:xmpp:mam:2") is not None:
        return True  # asked for by a client that is gone
    if importance.carbon_of(element) is not None:
        return True  # a copy: whom the message itself was for has got it
    archived = element.get_child_with_attr("stanza-id", STANZA_ID, "by", session.bare_jid)
    if archived is not None and reads_archive(session):
        return True  # the client will find it in the archive
    return keep_for(module, username, element, getattr(event, "when", None),
                    getattr(event, "key", None), session)


def keep_for(module, username: str, element, when: float | None, key: str | None, origin=None):
    """Give a message, sent at `when`, to who keeps it for later; true when it is kept.

    `key` is the same each time that this is tried with the same message.
    """
    try:
        if not users.user_exists(module.server, username, module.host):
            return None
    except StorageError as error:
        module.log("error", "Nobody knows whether there is an account %s: %s", username, error)
    return module.fire_event("message/offline/handle", Event(
        username=username, origin=origin or module.host_object, stanza=element, key=key,
        when=when))


def adopt(module, session) -> None:
    """Look after a session that waits, in the place of an instance of this module before."""
    dog = session.extras.get("hibernating_watchdog")
    if dog is not None and dog.left is None:  # in Lua: it asks for `callback` when it barks
        return
    left, timeout = time_left(session), dog.timeout if dog is not None else None
    watch(module, session, left)
    if timeout is not None:
        session.extras["hibernating_watchdog"].timeout = timeout
