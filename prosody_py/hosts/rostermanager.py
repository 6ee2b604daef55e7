"""Change subscriptions and tell clients about it. Names and meanings are Prosody's.

`outbound` and `inbound` apply the tables of prosody_py.hosts.subscriptions to a roster; the
functions below them are the single steps that modules know from Prosody's rostermanager. They
raise StorageError when a change cannot be stored, and then nothing has changed.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.hosts.roster import Roster, RosterItem, commit, load_roster
from prosody_py.hosts.roster_items import MAX_PENDING
from prosody_py.hosts.subscriptions import (
    INBOUND,
    OUTBOUND,
    State,
    approve_request,
    can_preapprove,
)
from prosody_py.xmpp.ns import ROSTER
from prosody_py.xmpp.stanza import Stanza


class Change(NamedTuple):
    """What a subscription stanza has done.

    `goes_on`: outbound it goes to the contact, inbound to the user's clients. `item_changed`: the
    user's clients are to be told with a push. `answered`: the server says "subscribed" itself.
    """

    goes_on: bool
    old: State
    new: State
    item_changed: bool = False
    answered: bool = False


def outbound(server, roster: Roster, type: str, jid: str) -> Change:
    """Apply a subscription stanza that the user sends to the bare JID of a contact."""
    with roster.lock:
        old = roster.state(jid)
        goes_on, new = OUTBOUND[type][old]
        item = roster.get(jid)
        approved = item is not None and item.approved
        if type == "subscribed" and can_preapprove(old):
            approved = True
        elif type == "unsubscribed":
            approved = False
        changed = _apply(server, roster, jid, new, approved)
    return Change(goes_on, old, new, changed)


def inbound(server, roster: Roster, type: str, jid: str, request: Stanza | None = None) -> Change:
    """Apply a subscription stanza that the bare JID of a contact has sent to the user.

    `request` is the stanza, to be shown to the user later when it is a request.
    """
    with roster.lock:
        old = roster.state(jid)
        goes_on, new = INBOUND[type][old]
        item = roster.get(jid)
        approved = item is not None and item.approved
        answered = False
        if type == "subscribe":
            if old.seen_by_contact:
                answered = True
            elif approved:
                goes_on, answered, new = False, True, approve_request(old)
            elif not old.pending_in and len(roster.pending) >= MAX_PENDING:
                return Change(False, old, old)
        changed = _apply(server, roster, jid, new, approved, request)
    return Change(goes_on, old, new, changed, answered)


def _apply(server, roster: Roster, jid: str, state: State, approved: bool,
           request: Stanza | None = None) -> bool:
    """Bring a contact into a state; return whether the item is another one than before."""
    item = roster.get(jid)
    wanted = item.copy() if item is not None else RosterItem()
    wanted.subscription = state.subscription
    wanted.ask = "subscribe" if state.pending_out else None
    wanted.approved = approved
    before = item if item is not None else RosterItem()
    item_changed = wanted != before
    pending_changed = state.pending_in != (jid in roster.pending)
    if not item_changed and not pending_changed:
        return False
    pending = dict(roster.pending)
    if state.pending_in and pending_changed:
        pending[jid] = roster.keep_request(jid, request)
    elif not state.pending_in:
        pending.pop(jid, None)
    keep = item is not None or item_changed
    commit(server, roster, jid, wanted if keep else None, pending)
    return item_changed


# -- pushes --------------------------------------------------------------------------------


def item_element(jid: str, item: RosterItem | None) -> Stanza:
    """Return the <item/> of a roster result or push (RFC 6121 section 2.1.2)."""
    if item is None:
        return Stanza("item", {"jid": jid, "subscription": "remove"})
    attr = {"jid": jid, "subscription": item.subscription}
    if item.name:
        attr["name"] = item.name
    if item.ask:
        attr["ask"] = item.ask
    if item.approved:
        attr["approved"] = "true"
    element = Stanza("item", attr)
    for group, wanted in item.groups.items():
        if wanted:
            child = Stanza("group")
            child.children.append(group)
            element.children.append(child)
    return element


def roster_push(server, username: str, host: str, jid: str) -> None:
    """Send a contact as it is now to the user's interested resources (RFC 6121 section 2.1.6)."""
    user = server.bare_sessions.get(f"{username}@{host}")
    if user is None or user.roster is None:
        return
    interested = [session for session in user.sessions.values() if session.interested]
    if not interested:
        return
    push = Stanza("iq", {"type": "set", "id": "push-" + secrets.token_urlsafe(6)})
    query = Stanza("query", {"xmlns": ROSTER})
    if user.roster.version is not True:
        query.attr["ver"] = str(user.roster.version)
    query.children.append(item_element(jid, user.roster.get(jid)))
    push.children.append(query)
    to_many = OneToMany(push)
    for session in interested:
        to_many.send(session, session.full_jid)


# -- the steps, by Prosody's names ---------------------------------------------------------


def add_to_roster(server, session, jid: str, item: RosterItem) -> None:
    """Set a contact's name and groups; the subscription and what goes with it stays.

    Raises StanzaError when the roster is full.
    """
    roster = session.roster
    with roster.lock:
        old = roster.get(jid)
        new = old.copy() if old is not None else RosterItem()
        new.name, new.groups = item.name, dict(item.groups)
        commit(server, roster, jid, new)


def remove_from_roster(server, session, jid: str) -> RosterItem | None:
    """Remove a contact and a request of it; return what was there, None for no contact."""
    roster = session.roster
    with roster.lock:
        old = roster.get(jid)
        if old is None:
            return None
        pending = dict(roster.pending)
        pending.pop(jid, None)
        commit(server, roster, jid, None, pending)
    return old


def is_contact_subscribed(server, username: str, host: str, jid: str) -> bool:
    """Whether the contact gets the user's presence."""
    return load_roster(server, username, host).is_contact_subscribed(jid)


def is_user_subscribed(server, username: str, host: str, jid: str) -> bool:
    """Whether the user gets the contact's presence."""
    return load_roster(server, username, host).is_user_subscribed(jid)


def is_contact_pending_in(server, username: str, host: str, jid: str) -> bool:
    """Whether the contact waits for the user's approval."""
    return jid in load_roster(server, username, host).pending


def is_contact_pending_out(server, username: str, host: str, jid: str) -> bool:
    """Whether the user waits for the contact's approval."""
    return load_roster(server, username, host).state(jid).pending_out


def is_contact_preapproved(server, username: str, host: str, jid: str) -> bool:
    """Whether the user has approved a request that may come from the contact."""
    item = load_roster(server, username, host).get(jid)
    return item is not None and item.approved


def set_contact_pending_in(server, username: str, host: str, jid: str,
                           stanza: Stanza | None = None) -> bool:
    """Note a request of the contact; false when it is subscribed or too many wait."""
    roster = load_roster(server, username, host)
    with roster.lock:
        state = roster.state(jid)
        full = not state.pending_in and len(roster.pending) >= MAX_PENDING
        if state.seen_by_contact or full:
            return False
        item = roster.get(jid)
        _apply(server, roster, jid, state._replace(pending_in=True),
               item is not None and item.approved, stanza)
    return True


def set_contact_pending_out(server, username: str, host: str, jid: str) -> bool:
    """Note a request to the contact; true, also when there was one."""
    outbound(server, load_roster(server, username, host), "subscribe", jid)
    return True


def process_outbound_subscription_request(server, username: str, host: str, jid: str) -> bool:
    """Note a request to the contact; false when it changes nothing."""
    return outbound(server, load_roster(server, username, host), "subscribe", jid).item_changed


def process_outbound_subscription_approval(server, username: str, host: str, jid: str) -> bool:
    """As `subscribed`."""
    return subscribed(server, username, host, jid)


def subscribed(server, username: str, host: str, jid: str) -> bool:
    """Approve the contact's request, or one to come; false when it changes nothing."""
    return outbound(server, load_roster(server, username, host), "subscribed", jid).item_changed


def unsubscribed(server, username: str, host: str, jid: str) -> tuple[bool, bool, bool]:
    """Refuse the contact's request or end its subscription.

    Return whether there was either, whether there was a request, whether a subscription.
    """
    change = outbound(server, load_roster(server, username, host), "unsubscribed", jid)
    return change.goes_on, change.old.pending_in, change.old.seen_by_contact


def unsubscribe(server, username: str, host: str, jid: str) -> bool:
    """End the user's subscription or request; false for who is no contact."""
    roster = load_roster(server, username, host)
    known = jid in roster
    outbound(server, roster, "unsubscribe", jid)
    return known


def process_inbound_subscription_approval(server, username: str, host: str, jid: str) -> bool:
    """The contact has approved the user's request; false when there was none."""
    return inbound(server, load_roster(server, username, host), "subscribed", jid).goes_on


def process_inbound_subscription_cancellation(server, username: str, host: str,
                                              jid: str) -> bool:
    """The contact has ended the user's subscription; false when there was none."""
    return inbound(server, load_roster(server, username, host), "unsubscribed", jid).goes_on


def process_inbound_unsubscribe(server, username: str, host: str, jid: str) -> bool:
    """The contact does not want the user's presence any more; false when it got none."""
    return inbound(server, load_roster(server, username, host), "unsubscribe", jid).goes_on
