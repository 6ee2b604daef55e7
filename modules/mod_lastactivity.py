"""XEP-0012: Last Activity of accounts: how long ago somebody was here, and what they said last.

Only those who get an account's presence are told. The time is that of the end of the last session,
kept in the store "lastactivity" as {"time": seconds since 1970, "status": text}.
"""

from __future__ import annotations

import time

from prosody_py.api import StanzaError, bystander, hook, iq, jid, stanza
from prosody_py.hosts.rostermanager import is_contact_subscribed
from prosody_py.hosts.users import user_exists

XMLNS = "jabber:iq:last"
FEATURES = (XMLNS,)
MAX_STATUS = 1024  # characters of a status that are kept


def load(module):
    """Open the store."""
    module.store = module.open_store("lastactivity")


@hook("pre-presence/bare", priority=10)
@bystander("presence")  # what is to somebody is none of its business
def note_status(module, event):
    """Remember what a session says when it becomes unavailable."""
    attr = event.stanza.attr
    if attr.get("to") is None and attr.get("type") == "unavailable":
        status = event.stanza.get_child_text("status")
        event.origin.extras["last_status"] = status[:MAX_STATUS] if status else None


@hook("resource-unbind")
def note_time(module, event):
    """Store the time when a user's last session ends."""
    session = event.session
    if session.username not in module.host_object.sessions:
        last = {"time": int(time.time()), "status": session.extras.get("last_status")}
        # Who ends a session must not be held up by the disk.
        module.add_timer(0, store, module, session.username, last)


def store(_now, module, username, last):
    """Store what is known of an account, unless that is what has just been removed."""
    if user_exists(module.server, username, module.host):
        module.store.set(username, last)


def require_presence(module, event, username):
    """Raise StanzaError unless the sender gets the presence of an account.

    The answer is the same for an account that does not exist.
    """
    sender = jid.bare(event.stanza.attr.get("from"))
    if sender is None or not is_contact_subscribed(
            module.server, username, module.host, sender):
        raise StanzaError("forbidden")


@iq("get", XMLNS, "query", to="bare")
def last_activity(module, event):
    """Tell the seconds since an account's last session, 0 while there is one."""
    to = event.stanza.attr.get("to")
    username = event.origin.username if to is None else jid.node(to)
    if to is not None:
        require_presence(module, event, username)
    query = stanza.stanza("query", xmlns=XMLNS, seconds="0")
    if username in module.host_object.sessions:
        return query
    last = module.store.get(username)
    if last is None:
        raise StanzaError("item-not-found", "The user has not been here yet")
    query.attr["seconds"] = str(max(0, int(time.time() - last["time"])))
    return query.text(last.get("status"))


@hook("iq/full")
def protect_resources(module, event):
    """Let only those through to a resource who may know that it is there (section 4)."""
    request = event.stanza
    if request.attr.get("type") == "get" and request.get_child("query", XMLNS) is not None:
        require_presence(module, event, jid.node(request.attr["to"]))


@hook("user-deleted")
def forget(module, event):
    """Remove what is known of an account."""
    module.store.set(event.username, None)
