"""XEP-0160: messages for users who are not there, kept until somebody is.

A message is in the store before its sender is told nothing is wrong, and leaves the store only
when it has been given to a session of the receiver, and to whoever looks after it there. XEP-0203
says when it came, XEP-0334 what is not to be kept. What is in the user's archive, too, is not
delivered to a client that has read that.
"""

from __future__ import annotations

import time

from prosody_py.api import Event, Options, Stanza, datetime, hook, integer
from prosody_py.sessions.lifecycle import top_resources
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp import importance, stanza_ids

FEATURES = ("msgoffline",)
HINTS = "urn:xmpp:hints"
BATCH = 100  # messages that are read, delivered and deleted at a time


class Config(Options):
    """How much is kept."""

    offline_message_limit = integer(
        1000, min=0, max=1_000_000,
        doc="Messages that are kept for one user; further ones go back to their senders.")


def load(module):
    """Open the store."""
    module.store = module.open_store("offline", "archive")
    module.delivering = {}


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
        if error.condition != "quota-limit":
            raise
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

    One greenlet at a time does it for a user; who comes meanwhile is served after that.
    """
    username, delivering = session.username, module.delivering
    if username in delivering:
        delivering[username] = session
        return
    while session is not None:
        delivering[username] = None
        try:
            while deliver_batch(module, session, username):
                pass
        finally:
            session = delivering.pop(username)


def deliver_batch(module, session, username: str) -> bool:
    """Deliver the oldest messages; return whether there may be more."""
    items, _total = module.store.find(username, {"limit": BATCH})
    sent, given = [], []
    has_read = session.extras.get("mam_requested")
    for id, element, when, _with in items:
        known = has_read and stanza_ids.find_id(element, session.bare_jid) is not None
        if not known:
            if session.destroyed or not session.send(
                    datetime.delayed(element, when, module.host)):
                break
            given.append((id, element))
        sent.append(id)
    if given and "message/offline/delivered" in module.events.index and module.fire_event(
            "message/offline/delivered", Event(session=session, items=given)) is False:
        return False
    if sent:
        module.store.delete(username, {"ids": sent})
    return len(sent) == BATCH


@hook("user-deleted")
def forget_user(module, event):
    """Delete what waits for a removed account."""
    module.store.delete(event.username)
