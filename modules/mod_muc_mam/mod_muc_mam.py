"""XEP-0313 for rooms: an archive of what is said in them.

A message is in the archive before it is sent to everybody, and is sent with the id that it has
there (XEP-0359). Who may enter the room may read it; who is behind a nickname is told to those who
may know (keeping.py, reading.py). The history for who enters comes from here, too. What is
retracted by its author or a moderator leaves a tombstone.

Data and owner: the store "muc_log", by the room's name; `with` is "message<groupchat", or
"presence" and "presence<unavailable" of those who come and go. It is emptied when the room is
destroyed. Whether a room is archived is in the room's settings, under `archiving`.

What fails: a message that cannot be written is sent without an id, and the log says why.
"""

from __future__ import annotations

import time
from functools import partial

from prosody_py.api import Options, boolean, hook, integer, period, string

from . import keeping
from .keeping import is_archived, node_of
from .lua_rooms import add_field, room_of
from .reading import (
    give_history,
    query_archive,
    tell_features,
    tell_fields,
    tell_metadata,
)

__all__ = ["give_history", "query_archive", "tell_features", "tell_fields",
           "tell_metadata"]  # marked: the loader finds them here

DEPENDS = ("muc",)
FIELD = "muc#roomconfig_enablearchiving"
LOGGED, NOT_LOGGED = "170", "171"
DAY = 86400


class Config(Options):
    """What is kept of rooms, and for how long."""

    muc_log_by_default = boolean(True, doc="Archive rooms whose owners have not chosen.")
    muc_log_all_rooms = boolean(False, doc="Archive all rooms, whatever their owners choose.")
    muc_log_presences = boolean(False, doc="Keep also who comes and goes.")
    muc_log_expires_after = period(
        None, min=60, doc="How long messages in rooms are kept; archive_expires_after by default.")
    archive_expires_after = period(
        "1 week", min=60, doc="How long messages are kept; never means for ever.")
    muc_log_cleanup_interval = period(
        "1 day", min=1, max="1 day", doc="How often old messages are looked for.")
    muc_log_store = string("muc_log", doc="The name of the store.")
    muc_log_tombstones = boolean(
        True, doc="Replace a message that was retracted by a note that it was there.")
    max_archive_query_results = integer(
        50, min=1, max=1000, doc="Messages in one page of an archive.")
    storage_archive_item_limit = integer(
        None, min=1, doc="Messages kept for each room; a new one takes the place of the oldest. "
        "Without it there is no limit.")
    archive_fulltext = boolean(
        True, doc="Keep an index of what was said, so that clients can search for words.")


def load(module):
    """Open the store and hook the events of rooms."""
    options = module.options
    module.muc = module.depends("muc")
    module.archive = module.open_store(options.muc_log_store, "archive")
    module.newest = 0.0
    index_words = getattr(module.archive, "index_words", None)
    module.fulltext = index_words(options.archive_fulltext) if index_words else False
    if options.storage_archive_item_limit is not None and hasattr(module.archive, "limit_items"):
        module.archive.limit_items(options.storage_archive_item_limit)
    for name, handler, priority in (
            ("muc-broadcast-message", keeping.strip_forged, 100),
            ("muc-message-is-historic", keeping.is_historic, 0),
            ("muc-add-history", keeping.keep, 0),
            ("muc-broadcast-message", keeping.keep_subject, -10),
            ("muc-moderated", keeping.moderated, 0),
            ("muc-occupant-joined", keeping.keep_presence, 0),
            ("muc-occupant-left", keeping.keep_presence, 0)):
        module.hook(name, partial(handler, module), priority)
    module.expires_after = options.muc_log_expires_after or options.archive_expires_after
    if module.expires_after != float("inf"):
        if options.muc_log_cleanup_interval < DAY:
            module.add_timer(options.muc_log_cleanup_interval, clean_up_often, module)
        else:
            module.daily("Delete old messages of rooms", lambda _task: clean_up(module))


# -- the owner's choice ----------------------------------------------------------------------


@hook("muc-config-form")
def offer(module, event):
    """Let the owner choose whether the room is archived."""
    if not module.options.muc_log_all_rooms:
        add_field(event.form, {"name": FIELD, "type": "boolean", "label": "Archive what is said",
                               "value": is_archived(module, room_of(event.room))})


@hook(f"muc-config-submitted/{FIELD}")
def choose(module, event):
    """Archive the room from now on, or no more (status codes 170 and 171)."""
    room, wanted = room_of(event.room), bool(event.value)
    if module.options.muc_log_all_rooms or wanted == is_archived(module, room):
        return
    room._data["archiving"] = wanted
    event.status_codes["104"] = True
    event.status_codes[LOGGED if wanted else NOT_LOGGED] = True


@hook("muc-join-status")
def warn(module, event):
    """Tell who enters that what is said is kept (XEP-0045 section 7.2.12)."""
    if is_archived(module, event.room):
        event.x.tag("status", code=LOGGED).up()


# -- forgetting ------------------------------------------------------------------------------


def clean_up(module) -> None:
    """Delete what is too old."""
    count = module.archive.delete(True, {"end": time.time() - module.expires_after})
    if count:
        module.log("info", "Deleted %d old messages of rooms", count)


def clean_up_often(_now: float, module) -> float:
    """Delete what is too old; return the seconds until the next time."""
    clean_up(module)
    return module.options.muc_log_cleanup_interval


@hook("muc-room-pre-create", priority=-1000)
@hook("muc-room-created", priority=1000)
def begin_anew(module, event):
    """Leave a new room nothing of one before it, which has ended with the server and not in order.

    Whoever makes the room is an owner, and may be somebody else.
    """
    node = node_of(room_of(event.room))
    items, _total = module.archive.find(node, {"limit": 1})
    if any(True for _item in items):
        module.archive.delete(node)


@hook("muc-room-destroyed")
def forget_room(module, event):
    """Delete the archive of a room that is gone."""
    module.archive.delete(node_of(room_of(event.room)))
