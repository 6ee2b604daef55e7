"""Presence (RFC 6121 sections 3 and 4): who is there, and who may know.

A session's presence goes to the user's other resources and to the contacts that are subscribed;
when it is the first one, the contacts' presence comes back. Subscriptions are asked for, granted
and ended here, by the tables in prosody_py.hosts.subscriptions.
"""

from __future__ import annotations

import time
from functools import partial

from prosody_py.api import Event, Stanza, StanzaError, datetime, hook, jid, stanza
from prosody_py.concurrency.turns import in_turns
from prosody_py.hosts import rostermanager, users
from prosody_py.hosts.roster import load_roster
from prosody_py.hosts.subscriptions import TYPES
from prosody_py.sessions import presence

PRE_APPROVAL = "urn:xmpp:features:pre-approval"
MAX_DIRECTED = 1000  # addresses outside the roster that a session may send presence to


def load(module):
    """Offer other modules the sending of presence, by Prosody's name."""
    module.exports.send_presence_of_available_resources = partial(send_of_all, module)


def send_of_all(module, user: str, host: str, to: str, _session=None,
                element: Stanza | None = None) -> int:
    """Send the presence of a user's available resources to an address, or `element` from each.

    Returns how many resources there are; 0 for a host that is not served here.
    """
    server, account = module.server, f"{user}@{host}"
    if element is None:
        return presence.send_available(server, account, to)
    sessions = presence.available_sessions(server, account)
    for session in sessions:
        server.post_stanza(session, addressed(element, session.full_jid, to), True)
    return len(sessions)


@hook("stream-features")
def features(module, event):
    """Say that subscriptions can be approved in advance."""
    if event.origin.username is not None:
        event.features.tag("sub", xmlns=PRE_APPROVAL).up()


# -- a client's own presence ---------------------------------------------------------------


def update(module, session, element: Stanza) -> None:
    """Take a presence without an address as the session's own (sections 4.2, 4.4 and 4.5)."""
    if session.destroyed and element.attr.get("type") is None:
        return  # it has ended while its presence waited for other handlers
    server, roster = module.server, session.roster
    resources = presence.available_sessions(server, session.bare_jid)
    initial, priority_before = session.presence is None, session.priority
    if element.attr.get("type") == "unavailable":
        become_unavailable(module, session, element, resources)
        return
    if initial:
        resources.append(session)
    session.priority = presence.parse_priority(element)
    session.presence = stamped(module, element)
    presence.send_to_resources(server, session, element, resources)
    presence.broadcast(server, session, element, roster.subscribers)
    if initial:
        first_presence(module, session, element, roster, resources)
    if session.presence is not None and session.priority >= 0 and (
            initial or (priority_before or 0) < 0):
        module.fire_event("message/offline/broadcast", Event(origin=session))


def stamped(module, element: Stanza) -> Stanza:
    """Return a presence as it is kept for later, with the time when it came (XEP-0203)."""
    kept = element.shallow()
    kept.children = [*element.children, datetime.delay(int(time.time()), module.host)]
    return kept


def first_presence(module, session, element: Stanza, roster, resources) -> None:
    """Let a resource that has just become available know what it has missed."""
    server = module.server
    module.fire_event("presence/initial", Event(origin=session, stanza=element))
    for other in resources:
        if other is not session and other.presence is not None:
            presence.send_to_resources(server, other, other.presence, (session,))
    presence.probe_contacts(server, session, roster.subscribed_to)
    if session.destroyed:
        return
    for contact, request in in_turns(list(roster.pending.items())):
        if not isinstance(request, Stanza):
            request = stanza.presence({"type": "subscribe"})
        session.send(addressed(request, contact, session.bare_jid))
    for contact in in_turns([contact for contact, item in roster.items() if item.ask]):
        server.post_stanza(session, stanza.presence(
            {"from": session.bare_jid, "to": contact, "type": "subscribe"}), True)


def become_unavailable(module, session, element: Stanza, resources) -> None:
    """Tell everybody who knows that the session was there that it is not any more."""
    was_available, directed, roster = session.presence is not None, session.directed, session.roster
    session.presence = session.priority = session.directed = None
    if was_available:
        presence.send_to_resources(module.server, session, element, resources)
        presence.broadcast(module.server, session, element, roster.subscribers)
    for address in in_turns(directed or ()):
        if not (was_available and roster.is_contact_subscribed(jid.bare(address))):
            copy = element.shallow()
            copy.attr["to"] = address
            module.server.post_stanza(session, copy, True)
    if was_available:
        module.fire_event("presence/final", Event(origin=session, stanza=element))


@hook("resource-unbind")
def leave(module, event):
    """Say that a session which has ended is unavailable."""
    session = event.session
    if session.presence is None and not session.directed:
        return
    element = stanza.presence({"type": "unavailable"})
    if event.error:
        element.text_tag("status", f"Disconnected: {event.error}")
    module.server.process_stanza(session, element)


# -- what clients send to others -----------------------------------------------------------


@hook("pre-presence/full")
@hook("pre-presence/bare")
@hook("pre-presence/host")
def outgoing(module, event):
    """Remember directed presence; act on subscription stanzas before they go out."""
    session, element = event.origin, event.stanza
    to, type = element.attr.get("to"), element.attr.get("type")
    if type is None and session.destroyed:
        return True  # it has ended meanwhile, and whoever has to know that knows it
    if to is None or session.roster is None:
        return None
    if type is None or type == "unavailable":
        remember_directed(session, to, type is None)
        return None
    if type in TYPES:
        contact = jid.bare(to)
        if contact != session.bare_jid:
            subscription_out(module, session, element, type, contact)
        return True
    if type in ("error", "probe"):
        return None
    raise StanzaError("bad-request", "This is not a type of presence")


def remember_directed(session, to: str, available: bool) -> None:
    """Note who has to be told when the session becomes unavailable (section 4.6.3)."""
    if not available:
        if session.directed:
            session.directed.pop(to, None)
        return
    if session.roster.is_contact_subscribed(jid.bare(to)):
        return
    if session.directed is None:
        session.directed = {}
    if to not in session.directed and len(session.directed) >= MAX_DIRECTED:
        raise StanzaError("resource-constraint", "Presence was sent to too many addresses")
    session.directed[to] = True


def subscription_out(module, session, element: Stanza, type: str, contact: str) -> None:
    """Act on a subscription stanza of a user and send it on where the tables say so."""
    server = module.server
    change = rostermanager.outbound(server, session.roster, type, contact)
    if change.item_changed:
        rostermanager.roster_push(server, session.username, session.host, contact)
    if not change.goes_on:
        return
    account = session.bare_jid
    if type == "unsubscribed" and change.old.seen_by_contact:
        presence.send_unavailable(server, account, contact)
    server.post_stanza(session, addressed(element, account, contact))
    if type == "subscribed":
        presence.send_available(server, account, contact)


def addressed(element: Stanza, sender: str, to: str) -> Stanza:
    """Return a copy of a stanza with other addresses."""
    copy = element.shallow()
    copy.attr["from"], copy.attr["to"] = sender, to
    return copy


# -- what comes for an account -------------------------------------------------------------


@hook("presence/bare")
def to_account(module, event):
    """Act on presence to an account: the sender's own, a subscription, or a contact's."""
    element = event.stanza
    attr = element.attr
    to, type = attr.get("to"), attr.get("type")
    if to is None:
        if type is None or type == "unavailable":
            update(module, event.origin, element)
        return True
    if type in TYPES or type == "probe":
        return for_account(module, event.origin, element, type, to)
    for session in presence.available_sessions(module.server, to):
        session.send(element)
    return True


@hook("presence/full")
def to_resource(module, event):
    """Hand presence to the session that it is addressed to; nobody is told if it is gone."""
    element = event.stanza
    type, to = element.attr.get("type"), element.attr["to"]
    if type in TYPES or type == "probe":
        return for_account(module, event.origin, element, type, jid.bare(to))
    session = module.server.full_sessions.get(to)
    if session is not None:
        session.send(element)
    return True


@hook("presence/host")
def to_host(module, event):
    """Answer for the server itself: anybody may know that it is there."""
    element = event.stanza
    type, sender = element.attr.get("type"), jid.bare(element.attr.get("from"))
    if sender is not None and type in ("probe", "subscribe"):
        if type == "subscribe":
            module.send(stanza.presence(
                {"from": module.host, "to": sender, "type": "subscribed"}))
        module.send(stanza.presence({"from": module.host, "to": sender}))
    return True


def for_account(module, origin, element: Stanza, type: str, account: str) -> bool:
    """Act on a probe or a subscription stanza from a contact."""
    sender = element.attr.get("from")
    contact = jid.bare(sender)
    if contact is None or contact == account:
        return True
    if type == "probe":
        presence.answer_probe(module.server, account, sender)
    else:
        subscription_in(module, addressed(element, contact, account), type, account, contact)
    return True


def subscription_in(module, element: Stanza, type: str, account: str, contact: str) -> None:
    """Act on a subscription stanza from a contact (sections 3.1.3, 3.1.6, 3.2.3, 3.3.3)."""
    server, username = module.server, jid.node(account)
    if type == "subscribe" and not users.user_exists(server, username, module.host):
        return
    roster = load_roster(server, username, module.host)
    change = rostermanager.inbound(server, roster, type, contact, element)
    if change.goes_on:
        user = server.bare_sessions.get(account)
        for session in list(user.sessions.values()) if user is not None else ():
            if session.presence is not None if type == "subscribe" else session.interested:
                session.send(element)
    if change.new.pending_in and not change.old.pending_in:
        module.fire_event("subscription-requested", Event(
            username=username, contact=contact, stanza=element))
    if change.item_changed:
        rostermanager.roster_push(server, username, module.host, contact)
    if type == "unsubscribe" and change.old.seen_by_contact:
        presence.send_unavailable(server, account, contact)
    if change.answered:
        module.send(stanza.presence({"from": account, "to": contact, "type": "subscribed"}))
        if not presence.send_available(server, account, contact):
            module.send(stanza.presence({"from": account, "to": contact, "type": "unavailable"}))


# -- contacts that are removed -------------------------------------------------------------


@hook("roster-item-removed", priority=-1)
def end_subscriptions(module, event):
    """End what there is of subscriptions with a contact who is removed (section 2.5)."""
    server, contact, item = module.server, event.jid, event.item
    account = f"{event.username}@{module.host}"
    subscription, asked = (item.subscription, item.ask) if item is not None else ("none", None)
    if subscription in ("both", "from"):
        presence.send_unavailable(server, account, contact)
    waits = event.roster is not None and contact in event.roster.pending
    for type, needed in (("unsubscribe", subscription in ("both", "to") or asked),
                         ("unsubscribed", subscription in ("both", "from") or waits)):
        if needed:
            server.post_stanza(event.origin or module.host_object, stanza.presence(
                {"from": account, "to": contact, "type": type}))
