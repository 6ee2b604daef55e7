"""Real-time block lists: keep those out of rooms who are on a list that a service publishes.

The list is a pubsub node (XEP-0060) whose items have the SHA-256 of addresses or domains in
hexadecimal as their ids. It is read when the module starts, and again while the service cannot be
reached; from then on the service tells of changes. Who is on it cannot enter or make rooms, and
nothing that it says in a room or to somebody there is passed on.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from prosody_py.api import Options, StanzaError, hook, jid, period, stanza, string

DEPENDS = ("muc",)
PUBSUB, EVENT = "http://jabber.org/protocol/pubsub", "http://jabber.org/protocol/pubsub#event"
MAX_ENTRIES = 1_000_000
AGAIN = 60  # seconds until the next attempt to read the list
REASON = "You are banned from this service"


class Config(Options):
    """Where the list is."""

    muc_rtbl_jid = string(None, required=True, doc="The address of the service with the list.")
    muc_rtbl_node = string("muc_bans_sha256", doc="The node that is the list.")
    muc_rtbl_refresh = period("1 day", min="1 minute",
                              doc="How often the whole list is read again.")


@lru_cache(maxsize=4096)
def digest(text: str) -> str:
    """Return how an address or domain is on the list."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def load(module):
    """Begin with an empty list."""
    module.entries = set()
    module.service = jid.prep(module.options.muc_rtbl_jid)


def save(module):
    """Return the list."""
    return {"entries": module.entries}


def restore(module, saved):
    """Go on with the list until it is read again."""
    module.entries = set(saved.get("entries") or ())


def ready(module):
    """Read the list as soon as the service may be there."""
    module.add_timer(0, refresh, module)


def refresh(now, module):
    """Subscribe and read the whole list; returns when to do it again."""
    node = module.options.muc_rtbl_node
    try:
        ask(module, "set", stanza.stanza("subscribe", node=node, jid=module.host))
        answer = ask(module, "get", stanza.stanza("items", node=node))
    except StanzaError as error:
        module.log("warn", "The block list of %s cannot be read: %s", module.service, error)
        return AGAIN
    items = answer.stanza.tags[0].get_child("items") if answer.stanza.tags else None
    if items is not None:
        entries = {item.attr.get("id", "") for item in items.childtags("item")}
        module.entries = {entry for entry in list(entries)[:MAX_ENTRIES] if is_entry(entry)}
        module.log("info", "The block list of %s has %d entries", module.service,
                   len(module.entries))
    return module.options.muc_rtbl_refresh


def ask(module, type: str, payload):
    """Send a request of XEP-0060 and return the event of its answer; raises StanzaError."""
    request = stanza.iq({"type": type, "to": module.service, "id": f"rtbl-{payload.name}",
                         "from": module.host})
    request.tag("pubsub", xmlns=PUBSUB).add_child(payload)
    return module.send_iq(request.reset())


def is_entry(text: str) -> bool:
    """Whether something can be an entry of the list."""
    return len(text) == 64 and text.isalnum()


@hook("message/host", priority=10)
def changed(module, event):
    """Follow the list."""
    message = event.stanza
    told = message.get_child("event", EVENT)
    if told is None or message.attr.get("from") != module.service:
        return None
    items = told.get_child("items") or told.get_child("purge")
    if items is None or items.attr.get("node") != module.options.muc_rtbl_node:
        return None
    if items.name == "purge":
        module.entries.clear()
    for change in items.tags:
        entry = change.attr.get("id", "")
        if change.name == "retract":
            module.entries.discard(entry)
        elif is_entry(entry) and len(module.entries) < MAX_ENTRIES:
            module.entries.add(entry)
    return True


def is_listed(module, address: str) -> bool:
    """Whether an account or its domain is on the list."""
    entries = module.entries
    return bool(entries) and (digest(address) in entries or digest(jid.host(address)) in entries)


@hook("muc-occupant-pre-join", priority=20)
def keep_out(module, event):
    """Let nobody in who is on the list, but those whom the room knows."""
    address = jid.bare(event.stanza.attr["from"])
    if is_listed(module, address) and event.room.get_affiliation(address) in (None, "none"):
        raise StanzaError("forbidden", REASON)


@hook("muc-room-pre-create", priority=20)
def keep_from_creating(module, event):
    """Let nobody who is on the list make a room; its own affiliation there would let it in."""
    if is_listed(module, jid.bare(event.stanza.attr["from"])):
        raise StanzaError("forbidden", REASON)


@hook("muc-occupant-groupchat", priority=66)
@hook("muc-private-message", priority=66)
def keep_silent(module, event):
    """Pass nothing on from those who were there before they were on the list."""
    if not module.entries:
        return None
    occupant = event.room.get_occupant_by_real_jid(event.stanza.attr["from"])
    if occupant is None or event.room.get_affiliation(occupant.bare_jid) not in (None, "none") or (
            not is_listed(module, occupant.bare_jid)):
        return None
    event.origin.send(stanza.error_reply(event.stanza, "cancel", "forbidden", REASON))
    return "recipient" not in event.__dict__
