"""Rosters (RFC 6121 section 2), with versions so that clients need not fetch them anew.

Clients read and change their contacts; every change is stored, then told to all of the user's
resources that have asked for the roster. Subscriptions are the matter of mod_presence, which
hears of a contact that is removed by the event `roster-item-removed`; `roster-item-updated` says
that a client has added or changed one.
"""

from __future__ import annotations

from prosody_py.api import Event, Options, Stanza, StanzaError, hook, iq, jid, ns, stanza
from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import MAX_ITEMS, MAX_SIZE, RosterItem, load_roster

VERSIONING = "urn:xmpp:features:rosterver"
MAX_TEXT = 1023   # bytes of a contact's name, and of a group's
MAX_GROUPS = 64   # of one contact


class Config(Options):
    """How large a roster may get."""

    max_roster_items = MAX_ITEMS
    max_roster_size = MAX_SIZE


@hook("stream-features")
def features(module, event):
    """Offer versions to clients that are logged in."""
    if event.origin.username is not None:
        event.features.tag("ver", xmlns=VERSIONING).up()


@iq("get", ns.ROSTER, "query", to="self")
def get_roster(module, event):
    """Return the roster, or nothing if the client has this version already."""
    session = event.origin
    roster = session.roster
    session.interested = True
    version = None if roster.version is True else str(roster.version)
    if version is not None and event.stanza.tags[0].attr.get("ver") == version:
        return None
    query = stanza.stanza("query", xmlns=ns.ROSTER, ver=version)
    query.children += [rostermanager.item_element(contact, item)
                       for contact, item in roster.items()]
    return query


@hook(f"iq-set/self/{ns.ROSTER}:query")
def set_roster(module, event):
    """Add, change or remove one contact."""
    session = event.origin
    items = event.stanza.tags[0].tags
    if len(items) != 1 or items[0].name != "item":
        raise StanzaError("bad-request", "A roster set has exactly one item")
    element = items[0]
    node, host, resource = jid.prepped_split(element.attr.get("jid"), strict=True)
    contact = jid.join(node, host)
    if contact is None or resource is not None:
        raise StanzaError("bad-request", "An item needs the address of a contact, "
                          "without a resource")
    if contact == session.bare_jid:
        raise StanzaError("not-allowed", "Nobody is a contact of theirs")
    if element.attr.get("subscription") == "remove":
        return remove(module, event, contact)
    before = session.roster.get(contact)
    rostermanager.add_to_roster(module.server, session, contact, item_of(element))
    session.send(stanza.reply(event.stanza))
    rostermanager.roster_push(module.server, session.username, session.host, contact)
    module.fire_event("roster-item-updated", Event(
        username=session.username, jid=contact, item=session.roster.get(contact), before=before,
        origin=session, roster=session.roster))
    return True


def item_of(element: Stanza) -> RosterItem:
    """Return name and groups of an <item/>; raises StanzaError (section 2.3.3)."""
    name = element.attr.get("name")
    if name is not None and len(name.encode("utf-8", "replace")) > MAX_TEXT:
        raise StanzaError("not-acceptable", f"A name has at most {MAX_TEXT} bytes")
    groups: list[str] = []
    for child in element.tags:
        if child.name != "group":
            continue
        group = child.get_text()
        if not group or len(group.encode("utf-8", "replace")) > MAX_TEXT:
            raise StanzaError("not-acceptable", f"The name of a group has 1 to {MAX_TEXT} bytes")
        if group in groups:
            raise StanzaError("bad-request", "A group is named twice")
        groups.append(group)
    if len(groups) > MAX_GROUPS:
        raise StanzaError("not-acceptable", f"A contact is in at most {MAX_GROUPS} groups")
    return RosterItem(name=name or None, groups=groups)


def remove(module, event, contact: str) -> bool:
    """Remove a contact, and with it the subscriptions in both directions (section 2.5)."""
    session, server = event.origin, module.server
    roster = session.roster
    item = roster.get(contact)
    if item is None:
        raise StanzaError("item-not-found", "This is not a contact")
    # The subscriptions end while the roster still says which they are, as in Prosody.
    module.fire_event("roster-item-removed", Event(
        username=session.username, jid=contact, item=item, origin=session, roster=roster))
    rostermanager.remove_from_roster(server, session, contact)
    session.send(stanza.reply(event.stanza))
    rostermanager.roster_push(server, session.username, session.host, contact)
    return True


@hook("user-deleted", priority=300)
def forget_user(module, event):
    """Say of every contact of a removed account that it is removed, and forget them."""
    server, username = module.server, event.username
    roster = load_roster(server, username, module.host)
    for contact in dict.fromkeys([*roster, *roster.pending]):
        module.fire_event("roster-item-removed", Event(
            username=username, jid=contact, item=roster.get(contact),
            origin=module.host_object, roster=roster))
