"""XEP-0160: messages for users who are not there, kept until somebody is.

A message is in the store before its sender is told nothing is wrong, and leaves the store only
when it has been given to a session of the receiver, and to whoever looks after it there. XEP-0203
says when it came, XEP-0334 what is not to be kept. What is in the user's archive, too, is not
delivered to a client that has read that.
"""

from __future__ import annotations

import time

import gevent
import gevent.event

from prosody_py.api import Event, Options, Stanza, datetime, hook, integer, size
from prosody_py.sessions.archive_results import reads_archive
from prosody_py.sessions.draining import is_crowded, is_out, let_drain
from prosody_py.sessions.lifecycle import top_resources
from prosody_py.storage.interface import CountedTooMuch, StorageError
from prosody_py.xmpp import importance, stanza_ids

FEATURES = ("msgoffline",)
HINTS = "urn:xmpp:hints"
BATCH = 100  # messages that are read, delivered and deleted at a time


class Config(Options):
    """How much is kept."""

    offline_message_limit = integer(
        1000, min=0, max=1_000_000,
        doc="Messages that are kept for one user; further ones go back to their senders.")
    offline_size_limit = size(
        "50 MB", min="10 KB", doc="Bytes that the messages kept for one user may have.")


def load(module):
    """Open the store."""
    module.store = module.open_counted_store(
        "offline", "archive", "offline", lambda: module.options.offline_size_limit)
    module.delivering = {}  # user names -> the session that is served next
    module.halted = set()  # user names of clients that took no more


def save(module):
    """Return who is served now, so that nobody is served twice."""
    return {"delivering": module.delivering, "halted": module.halted}


def restore(module, saved):
    """Go on where the instance before is."""
    module.delivering = saved.get("delivering", {})
    module.halted = saved.get("halted", set())


def hinted(element: Stanza, hint: str) -> bool:
    """Whether a message carries a processing hint (XEP-0334)."""
    return element.get_child(hint, HINTS) is not None


@hook("message/offline/handle", priority=-1)
def keep(module, event):
    """Store a message; None leaves it to others, who send it back."""
    element, username = event.stanza, event.username
    if element.attr.get("type") in ("groupchat", "headline", "error"):
        return None
    if not importance.matters_later(element):
        return True
    if hinted(element, "no-store"):
        return None
    if count(module, username) >= module.options.offline_message_limit:
        module.log("info", "No room for another message to %s", username)
        return None
    try:
        # Who tries again after a kill gives the same key, so that nothing is there twice.
        module.store.append(username, getattr(event, "key", None), element,
                            getattr(event, "when", None) or time.time(), "")
    except StorageError as error:
        if error.condition != "quota-limit" and not isinstance(error, CountedTooMuch):
            raise
        module.log("info", "No room for another message to %s: %s", username, error)
        return None
    # The user may have come while the message was being written.
    user = module.host_object.sessions.get(username)
    for session in top_resources(user)[:1] if user is not None else ():
        deliver(module, session)
    return True


def count(module, username: str) -> int:
    """Return the number of messages that wait for a user."""
    _items, total = module.store.find(username, {"total": True, "limit": 0})
    return total or 0


@hook("message/offline/broadcast", priority=-1)
def arrive(module, event):
    """Deliver what waits for a user who has come."""
    deliver(module, event.origin)
    return True


def deliver(module, session) -> None:
    """Give a session the messages that wait, each deleted after it is in the out-queue.

    One greenlet at a time does it for a user; who comes meanwhile is served after that. It goes on
    beside the client's other stanzas once it has to wait for the client.
    """
    username, delivering = session.username, module.delivering
    if username in delivering:
        delivering[username] = session
        return
    delivering[username] = None
    done = gevent.event.Event()
    gevent.spawn(deliver_all, module, session, done.set)
    done.wait()


def deliver_all(module, session, go_on) -> None:
    """Deliver until nothing is left, or the client takes no more; call `go_on()` before waiting."""
    username, delivering = session.username, module.delivering
    try:
        while session is not None:
            delivering[username] = None
            module.halted.discard(username)
            while deliver_batch(module, session, go_on):
                pass
            session = delivering.pop(username)
    except Exception as error:
        module.log("error", "Messages to %s could not be delivered: %s", username, error)
    finally:
        delivering.pop(username, None)
        go_on()


def deliver_batch(module, session, go_on) -> bool:
    """Deliver the oldest messages; return whether there may be more for this session.

    A client that does not take them as fast as they can be sent is waited for. If it takes no more,
    what it may not have got stays.
    """
    items, _total = module.store.find(session.username, {"limit": BATCH})
    sent, given, crowded = [], [], False
    has_read = reads_archive(session)
    for id, element, when, _with in items:
        known = has_read and stanza_ids.find_id(element, session.bare_jid) is not None
        if not known:
            if session.destroyed or not session.send(
                    datetime.delayed(element, when, module.host)):
                break
            given.append((id, element))
        sent.append(id)
        crowded = is_crowded(session, acknowledged=True)
        if crowded:
            break
    kept = session.keep is not None
    if crowded and not kept and not is_taken(module, session, go_on) or not is_out(session):
        return False
    if given and "message/offline/delivered" in module.events.index and module.fire_event(
            "message/offline/delivered", Event(session=session, items=given)) is False:
        return False
    if sent:
        module.store.delete(session.username, {"ids": sent})
    if crowded and kept and not is_taken(module, session, go_on):
        return False
    return crowded or len(sent) == BATCH


def is_taken(module, session, go_on) -> bool:
    """Wait until a client has taken what it was sent; note one that takes nothing, or is gone."""
    go_on()
    while True:
        conn = session.conn
        if let_drain(session, acknowledged=True):
            return True
        if session.conn is conn or session.conn is None:
            module.halted.add(session.username)
            return False
        # It has come back over another connection already.


@hook("c2s-session-updated")
def go_on_after_resumption(module, event):
    """Deliver what a client could not take before it lost its connection."""
    session = event.session
    if session.username in module.halted and session.presence is not None and session.priority >= 0:
        gevent.spawn(deliver, module, session)


@hook("user-deleted")
def forget_user(module, event):
    """Delete what waits for a removed account."""
    module.halted.discard(event.username)
    module.store.delete(event.username)
