"""XEP-0313: an archive of each user's messages.

A message that is worth keeping (`rules`) and wanted by the user (`preferences`) is in the archive
before it is delivered, and is delivered with the id that it has there (XEP-0359). What a client
sends is being written to its own archive while it goes its way; before the next stanza of that
client is handled, and so before anything confirms it, it is on the disk (at once if a module wants
to hear of it). So both archives of one message are one wait, the messages of different senders
share a transaction, and those of one sender stay in order.

Data and owner: the stores "archive" (items by user, `with` is the partner's bare address) and
"archive_prefs"; both are emptied when the account goes. `module.newest` is the time of the newest
item, so that a small step back of the clock does not change the order.

What fails: a message that cannot be written is delivered without an id, and the log says why. A
failing store refuses queries with the condition that it gives.
"""

from __future__ import annotations

import time
from functools import partial

from prosody_py.api import (
    Event,
    Options,
    Stanza,
    boolean,
    bystander,
    hook,
    integer,
    jid,
    period,
    set_,
    string,
)
from prosody_py.config.option import Option
from prosody_py.config.values import Wrong
from prosody_py.hosts import users
from prosody_py.sessions.session import Session
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp import retraction, stanza_ids

from . import configuring
from .preferences import CACHED, POLICIES, is_wanted
from .preferences import change as change_preferences
from .preferences import tell as tell_preferences
from .reading import features, query_archive, refuse, tell_features, tell_fields, tell_metadata
from .retracting import bury
from .rules import should_store, without

__all__ = ["change_preferences", "query_archive", "refuse", "tell_features", "tell_fields",
           "tell_metadata", "tell_preferences"]  # marked: the loader finds them here

DAY = 86400
STEP_BACK = 60  # seconds that the clock may step back without a change of order


def policy(value) -> bool | str:
    """Read a policy: true, false, or a word of XEP-0441."""
    if isinstance(value, bool):
        return value
    if value not in POLICIES:
        raise Wrong
    return POLICIES[value]


class Config(Options):
    """What is kept, and for how long."""

    default_archive_policy = Option(
        "policy", "true, false or roster", policy, default=True,
        doc="What is kept for users who have not chosen: everything, nothing, or messages with "
        "the contacts of the roster.")
    mam_smart_enable = boolean(
        False, doc="Keep nothing for a user before a client has asked for the archive.")
    max_archive_query_results = integer(
        50, min=1, max=1000, doc="Messages in one page of an archive.")
    archive_expires_after = period(
        "1 week", min=60, doc="How long messages are kept; never means for ever.")
    archive_cleanup_interval = period(
        "1 day", min=1, max="1 day", doc="How often old messages are looked for.")
    storage_archive_item_limit = integer(
        None, min=1, doc="Messages kept for each user; a new one takes the place of the oldest. "
        "Without it there is no limit.")
    archive_fulltext = boolean(
        True, doc="Keep an index of what was said, so that clients can search for words.")
    archive_store = string("archive", doc="The name of the store.")
    dont_archive_namespaces = set_(
        ("http://jabber.org/protocol/chatstates",),
        doc="Payloads that are left out of what is kept, by namespace.")
    mam_tombstones = boolean(
        True, doc="Replace a message that its sender has retracted by a note that it was there.")


def load(module):
    """Open the stores."""
    options = module.options
    module.archive = module.open_store(options.archive_store, "archive")
    module.prefs = module.open_store("archive_prefs")
    module.newest = 0.0
    index_words = getattr(module.archive, "index_words", None)
    module.fulltext = index_words(options.archive_fulltext) if index_words else False
    module.ids = options.mam_tombstones and hasattr(module.archive, "index_ids")
    if module.ids:
        module.archive.index_ids()
    if options.storage_archive_item_limit is not None:
        if hasattr(module.archive, "limit_items"):
            module.archive.limit_items(options.storage_archive_item_limit)
        else:
            module.daily("Trim archives", lambda _task: trim(module))
    for feature in features(module):
        module.add_feature(feature)
    module.add_item("adhoc", configuring.command(module))
    for user in module.host_object.sessions.values():
        user.extras.pop(CACHED, None)  # the policy of the host may be another one now
    if options.archive_expires_after != float("inf"):
        if options.archive_cleanup_interval < DAY:
            module.add_timer(options.archive_cleanup_interval, clean_up_often, module)
        else:
            module.daily("Delete old messages", lambda _task: clean_up(module))


# -- keeping ---------------------------------------------------------------------------------


def to_keep(module, event, username: str, partner: str) -> Stanza | None:
    """Return a message as it is to be kept for a user, None when it is not to be kept."""
    element = without(event.stanza, module.options.dont_archive_namespaces)
    if "archive-should-store" in module.events.index:
        asked = Event(session=event.origin, stanza=element)
        result = module.fire_event("archive-should-store", asked)
        reason = getattr(asked, "reason", None)
    else:
        result = None
    if result is None:
        result, reason = should_store(element)
    if not result:
        module.log("debug", "Not archiving a message of %s: %s", username, reason)
        return None
    return element if is_wanted(module, username, partner) else None


def now(module) -> float:
    """Return the time for a new item, which is not before that of the one before it."""
    moment = time.time()
    if module.newest - STEP_BACK < moment < module.newest:
        return module.newest
    module.newest = moment
    return moment


def begin(module, username: str, element: Stanza, partner: str):
    """Begin to write an item; return its id and what waits for it."""
    arguments = (username, None, element, now(module), jid.bare(partner))
    if hasattr(module.archive, "begin_append"):
        return module.archive.begin_append(*arguments)
    return module.archive.append(*arguments), lambda: None


def finish(module, username: str, wait) -> bool:
    """Wait until an item is on the disk; return whether it is, and log why not."""
    try:
        wait()
    except StorageError as error:
        module.log("error", "A message of %s could not be archived: %s", username, error)
        return False
    return True


def confirm(module, event, wait) -> None:
    """Wait for what was begun for a message of a client; it has no id if that fails."""
    if not finish(module, event.origin.username, wait):
        event.archived = None


def added(module, event, username: str, id: str, element: Stanza, partner: str) -> None:
    """Do what an item that has come into an archive leads to."""
    event.stanza.children.append(stanza_ids.stanza_id(id, f"{username}@{module.host}"))
    retracted = retraction.retracted_id(element)
    if retracted and "id" in element.attr and module.options.mam_tombstones:
        bury(module, username, retracted, element, jid.bare(partner))
    if "archive-message-added" in module.events.index:
        module.fire_event("archive-message-added", Event(
            origin=event.origin, stanza=event.stanza, for_user=username, id=id))


@hook("pre-message/full")
@hook("pre-message/bare")
def outgoing(module, event):
    """Keep what a client sends in its user's archive."""
    session, element = event.origin, event.stanza
    if session.type != "c2s":
        return
    account = session.bare_jid
    stanza_ids.strip_ids(element, account)
    partner = element.attr.get("to") or account
    kept = to_keep(module, event, session.username, partner)
    if kept is None:
        return
    try:
        id, wait = begin(module, session.username, kept, partner)
    except StorageError as error:
        module.log("error", "A message of %s could not be archived: %s", account, error)
        return
    if isinstance(session, Session) and "archive-message-added" not in module.events.index:
        session.finish_before_next(partial(confirm, module, event, wait))
    elif not finish(module, session.username, wait):
        return
    event.archived = id
    added(module, event, session.username, id, kept, partner)


@hook("pre-message/full", priority=-1)
@hook("pre-message/bare", priority=-1)
def leave(module, event):
    """Take the id of the sender's archive away before others see it (section 3.4)."""
    if event.origin.type == "c2s":
        stanza_ids.strip_ids(event.stanza, event.origin.bare_jid)


def is_asked(module, account: str, peer: str) -> bool:
    """Whether other modules say what happens, also with messages that are nobody's business."""
    return "archive-should-store" in module.events.index


@hook("message/full")
@hook("message/bare")
@bystander("room", "headline", unless=is_asked)
def incoming(module, event):
    """Keep what comes for a user, and mark it with the id that it has in the archive."""
    element = event.stanza
    to, sender = element.attr.get("to"), element.attr.get("from")
    account = jid.bare(to or event.origin.bare_jid)
    stanza_ids.strip_ids(element, account)
    if jid.bare(sender) == account:  # from oneself: it is there already, once
        if getattr(event.origin, "unfinished", None) is not None:
            event.origin.finish()
        id = getattr(event, "archived", None)
        if id is not None:
            element.children.append(stanza_ids.stanza_id(id, account))
        return
    username = jid.node(account)
    if username not in module.host_object.sessions and not users.user_exists(
            module.server, username, module.host):
        return
    kept = to_keep(module, event, username, sender)
    if kept is None:
        return
    try:
        id, wait = begin(module, username, kept, sender)
    except StorageError as error:
        module.log("error", "A message of %s could not be archived: %s", username, error)
        return
    if finish(module, username, wait):
        added(module, event, username, id, kept, sender)


@hook("message/offline/handle", priority=-2)
def is_kept(module, event):
    """Call a message handled that nobody keeps for later, but that is in the archive."""
    account = f"{event.username}@{module.host}"
    return True if stanza_ids.find_id(event.stanza, account) is not None else None


# -- forgetting ------------------------------------------------------------------------------


def clean_up(module) -> None:
    """Delete what is too old."""
    count = module.archive.delete(
        True, {"end": time.time() - module.options.archive_expires_after})
    if count:
        module.log("info", "Deleted %d old messages", count)


def trim(module) -> None:
    """Delete the oldest of too many messages, where the driver does not do it by itself."""
    for username in list(module.archive.users()):
        module.archive.delete(username, {"truncate": module.options.storage_archive_item_limit})


def clean_up_often(_now: float, module) -> float:
    """Delete what is too old; return the seconds until the next time."""
    clean_up(module)
    return module.options.archive_cleanup_interval


@hook("user-deleted")
def forget_user(module, event):
    """Delete what was kept for an account that is gone."""
    module.archive.delete(event.username)
    module.prefs.set(event.username, None)
    user = module.host_object.sessions.get(event.username)
    if user is not None:
        user.extras.pop(CACHED, None)
