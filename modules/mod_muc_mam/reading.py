"""Who reads a room's archive, and what they see (XEP-0313 section 6.1.2)."""

from __future__ import annotations

from prosody_py.api import Stanza, StanzaError, datetime, hook, iq, jid
from prosody_py.sessions.archive_results import send_page
from prosody_py.storage.archive_page import ends, read_page
from prosody_py.xmpp import mam, retraction, stanza_ids

from .keeping import MESSAGES, USER, is_archived, node_of
from .lua_rooms import room_of

MOST_OF_HISTORY = 5000


def readable_room(module, event):
    """Return the room of a request; raises StanzaError for who may not enter it."""
    element = event.stanza
    found = module.muc.get_room_from_jid(element.attr["to"])
    room = None if found is None else room_of(found)
    if room is None or room._data.get("destroyed"):
        raise StanzaError("item-not-found", "There is no such room")
    if not is_archived(module, room):
        raise StanzaError("feature-not-implemented", "This room has no archive")
    asking = element.attr["from"]
    affiliation = room.get_affiliation(jid.bare(asking))
    if room.get_occupant_by_real_jid(asking) is None and not may_enter(room, affiliation):
        raise StanzaError("forbidden", "You may not enter this room")
    return room


def may_enter(room, affiliation: str | None) -> bool:
    """Whether somebody who is not in a room could enter it, password and lock aside."""
    if affiliation == "outcast":
        return False
    if affiliation in ("owner", "admin"):
        return True
    if room._data.get("locked"):
        return False
    if affiliation == "member":
        return not room.get_password()
    return not room.get_members_only() and not room.get_password()


def knows_addresses(room, asking: str) -> bool:
    """Whether somebody may know who is behind a nickname."""
    if room.get_whois() == "anyone" or room.get_affiliation(jid.bare(asking)) in (
            "owner", "admin"):
        return True
    occupant = room.get_occupant_by_real_jid(asking)
    return occupant is not None and occupant.role == "moderator"


@iq("set", mam.XMLNS, "query", to="bare")
def query_archive(module, event):
    """Send a page of a room's archive."""
    room, request = readable_room(module, event), event.stanza
    query = mam.parse_query(request.tags[0], module.fulltext)
    shown = knows_addresses(room, request.attr["from"])
    keep = by_author(query.with_, shown) if query.with_ is not None else None
    page = read_page(module.archive, node_of(room), query,
                     module.options.max_archive_query_results, with_=MESSAGES, keep=keep)
    if not shown:
        for _id, element, _when, _with in page.items:
            hide_author(element)
    return send_page(event.origin, request, room.jid, query, page)


def by_author(address: str, shown: bool):
    """Return what tells whether an item is by somebody: an occupant, or (if shown) an account."""
    bare = jid.bare(address) == address

    def matches(item):
        element = item[1]
        sender = element.attr.get("from")
        if sender == address or bare and jid.bare(sender) == address:
            return True
        x = element.get_child("x", USER) if shown else None
        item = x.get_child("item") if x is not None else None
        real = item.attr.get("jid") if item is not None else None
        return real == address or bare and real is not None and jid.bare(real) == address

    return matches


def hide_author(element: Stanza) -> None:
    """Take away who is behind the nickname."""
    element.children[:] = [child for child in element.children if type(child) is str
                           or (child.name, child.attr.get("xmlns")) != ("x", USER)]


@iq("get", mam.XMLNS, "query", to="bare")
def tell_fields(module, event):
    """Tell the fields of a query."""
    readable_room(module, event)
    return mam.query_form(module.fulltext)


@iq("get", mam.XMLNS, "metadata", to="bare")
def tell_metadata(module, event):
    """Tell where the archive begins and ends."""
    room = readable_room(module, event)
    return mam.metadata(ends(module.archive, node_of(room), **{"with": MESSAGES}))


@hook("muc-disco#info")
def tell_features(module, event):
    """Say that a room has an archive."""
    if not is_archived(module, room_of(event.room)):
        return
    features = [mam.XMLNS, mam.EXTENDED, mam.GROUPCHAT_FIELD, stanza_ids.XMLNS, retraction.XMLNS]
    if module.options.muc_log_tombstones:
        features.append(retraction.TOMBSTONE)
    if module.fulltext:
        features.append(mam.FULLTEXT)
    for feature in features:
        event.reply.tag("feature", var=feature).up()


# -- history -----------------------------------------------------------------------------------


@hook("muc-get-history", priority=1)
def give_history(module, event):
    """Let who enters have its history from the archive, so that no restart shortens it."""
    room = room_of(event.room)
    if not is_archived(module, room):
        return None
    most = min(event.maxstanzas if event.maxstanzas is not None else 20, MOST_OF_HISTORY)
    items, _total = module.archive.find(node_of(room), {
        "with": MESSAGES, "start": event.since, "reverse": True, "limit": most})
    chosen, chars = [], event.maxchars
    for id, element, when, _with in items:
        if retraction.is_tombstone(element) or is_subject(element):
            continue
        message = as_history(room, id, element, when, event.to)
        if chars is not None:
            chars -= len(str(message))
            if chars < 0:
                break
        chosen.append(message)
    event.next_stanza = lambda *_state: chosen.pop() if chosen else None
    return True


def is_subject(element: Stanza) -> bool:
    """Whether a kept message only sets a subject."""
    return element.get_child("subject") is not None and element.get_child("body") is None


def as_history(room, id: str, element: Stanza, when: float, to: str) -> Stanza:
    """Return a kept message as it is told to who enters (XEP-0045 sections 7.2.13 and 7.9)."""
    x = element.get_child("x", USER)
    author = x.get_child("item") if x is not None else None
    brought = element.get_child("delay", datetime.DELAY) is not None and (
        author is not None and author.attr.get("affiliation") == "owner")
    hide_author(element)
    element.attr["to"] = to
    if not brought:
        element.children.append(datetime.delay(int(when), room.jid))
    element.children.append(stanza_ids.stanza_id(id, room.jid))
    return element
