"""XEP-0191: Blocking Command. Nothing goes to or comes from the addresses that a user has blocked.

Data and owner: `module.lists` (lists.py) owns the lists, in the store and in memory. A session
that has asked for the list has `interested_blocklist` and is told of changes. Who is blocked sees
a user who is not there (visibility.py). The own account and the host itself are never blocked:
a user could not get out of that again.

Cost: an account without a list costs one look into a dict for each stanza. What is sent to many
without the bus (events.bystanders) asks `concerns` whether a handler here would stop it.

What fails: a list that cannot be read is an error in the handler, which is logged, and the stanza
goes on: a broken disk does not silence everybody.
"""

from __future__ import annotations

import secrets
from functools import partial

from prosody_py.api import (
    Options,
    Stanza,
    StanzaError,
    boolean,
    bystander,
    hook,
    integer,
    iq,
    jid,
    stanza,
)
from prosody_py.hosts.one_to_many import OneToMany

from .lists import Lists, blocks
from .visibility import disappear, reappear

XMLNS, XMLNS_ERRORS = "urn:xmpp:blocking", "urn:xmpp:blocking:errors"
MUC_USER = "http://jabber.org/protocol/muc#user"
FEATURES = (XMLNS,)
FIRST = 100  # before all who would act on a stanza


class Config(Options):
    """How much is kept."""

    blocklist_cache_size = integer(
        256, min=1, max=1_000_000,
        doc="Lists of accounts without a session that are kept in memory.")
    blocklist_max_items = integer(
        5000, min=1, max=100_000, doc="Addresses that an account may block.")
    migrate_legacy_blocking = boolean(
        True, doc="Take over what the default privacy list (XEP-0016) of an account denies.")


def load(module):
    """Open the lists; other modules may ask `is_blocked(username, address)`."""
    options = module.options
    module.lists = Lists(module.open_store, module.host_object.sessions,
                         options.blocklist_cache_size, options.migrate_legacy_blocking)
    module.exports.is_blocked = partial(account_blocks, module)


def account_blocks(module, username: str, address: str | None) -> bool:
    """Whether an account of this host wants nothing to do with an address (prepared)."""
    blocked = module.lists.of(username)
    return bool(blocked) and covers(module, blocked, username, address)


def covers(module, blocked: frozenset[str], username: str, address: str | None) -> bool:
    """Whether a list covers an address that may be blocked at all."""
    return (blocks(blocked, address) and address != module.host
            and jid.bare(address) != f"{username}@{module.host}")


# -- the list itself -----------------------------------------------------------------------


@iq("get", XMLNS, "blocklist", to="self")
def tell(module, event):
    """Return the list; from now on the session hears of changes."""
    session = event.origin
    blocked = module.lists.of(session.username)
    session.extras["interested_blocklist"] = True
    return command("blocklist", sorted(blocked))


@iq("set", XMLNS, "block", to="self")
def block(module, event):
    """Add addresses to the list."""
    session = event.origin
    wanted = addresses(event.stanza.tags[0])
    if not wanted:
        raise StanzaError("bad-request", "There is no address to block")
    most = module.options.blocklist_max_items
    changed = module.lists.change(session.username, add=wanted, most=most)
    if changed is None:
        raise StanzaError("policy-violation", f"At most {most} addresses can be blocked")
    push(session, command("block", wanted))
    if changed[0]:
        disappear(module, session.username, changed[0])


@iq("set", XMLNS, "unblock", to="self")
def unblock(module, event):
    """Take addresses from the list, all of them if none is named."""
    session = event.origin
    wanted = addresses(event.stanza.tags[0])
    _added, gone = module.lists.change(session.username, remove=wanted or None)
    push(session, command("unblock", wanted))
    if gone:
        reappear(module, session.username, gone)


def addresses(query: Stanza) -> list[str]:
    """Return the addresses in a request; raises StanzaError for what is no address."""
    found = [jid.prep(item.attr.get("jid") or "") for item in query.childtags("item")]
    if None in found:
        raise StanzaError("jid-malformed", "An item has no valid address")
    return list(dict.fromkeys(found))


def command(name: str, items) -> Stanza:
    """Return a <block/>, <unblock/> or <blocklist/>."""
    element = stanza.stanza(name, xmlns=XMLNS)
    for address in items:
        element.tag("item", jid=address).up()
    return element


def push(session, element: Stanza) -> None:
    """Tell the sessions of an account that have asked for the list what has changed."""
    user = session.host_object.sessions.get(session.username)
    request = stanza.iq({"type": "set", "id": "blocklist-" + secrets.token_urlsafe(6)})
    to_many = OneToMany(request.add_child(element))
    for other in list(user.sessions.values()) if user is not None else ():
        if other.extras.get("interested_blocklist"):
            to_many.send(other, other.full_jid)


@hook("resource-unbind")
def leave(module, event):
    """Keep the list of an account without sessions for a while only."""
    username = event.session.username
    if username not in module.host_object.sessions:
        module.lists.disconnected(username)


@hook("user-deleted")
def forget(module, event):
    """Remove the list of an account that is gone."""
    module.lists.forget(event.username)


# -- what comes in -------------------------------------------------------------------------


def list_for(module, event) -> frozenset[str] | None:
    """Return what the receiver of a stanza has blocked, None for nothing."""
    to = event.stanza.attr.get("to")
    if to is None:  # to the own account
        return None
    lists, username = module.lists, to.partition("@")[0]
    blocked = lists.known(username)
    return lists.of(username) if blocked is None else blocked or None


def comes_in(module, event) -> bool:
    """Whether a stanza comes from somebody whom its receiver has blocked."""
    blocked = list_for(module, event)
    if not blocked:
        return False
    attr = event.stanza.attr
    return covers(module, blocked, attr["to"].partition("@")[0], attr.get("from"))


def concerns(module, account: str, peer: str) -> bool:
    """Whether what is between an account of this host and somebody may be stopped here."""
    username = account.partition("@")[0]
    blocked = module.lists.known(username)
    return blocked is None or bool(blocked) and covers(module, blocked, username, peer)


@hook("message/bare", priority=FIRST)
@hook("message/full", priority=FIRST)
@bystander("room", "headline", unless=concerns)
def message_in(module, event):
    """Answer as for a user who is not there; what is from a room or wants no answer is dropped."""
    blocked = list_for(module, event)
    if not blocked:
        return None
    element = event.stanza
    username, sender = element.attr["to"].partition("@")[0], element.attr.get("from")
    x = element.get_child("x", MUC_USER)
    if covers(module, blocked, username, sender):
        if (x is not None or element.attr.get("type") in ("error", "groupchat", "headline")
                or is_in_room(module, username, sender)):
            return True
        raise StanzaError("service-unavailable", "The user is not there")
    # An invitation to a room that comes from somebody who is blocked.
    invite = x.get_child("invite") if x is not None else None
    sender = jid.prep(invite.attr.get("from") or "") if invite is not None else None
    return True if sender and covers(module, blocked, username, sender) else None


def is_in_room(module, username: str, address: str) -> bool:
    """Whether an account may be in the room that an address is of: rooms turn out who sends errors.

    A session that is in a room has sent it presence.
    """
    user, room = module.host_object.sessions.get(username), jid.bare(address)
    return any(jid.bare(to) == room for session in list(user.sessions.values())
               for to in session.directed or ()) if user is not None else False


@hook("iq/bare", priority=FIRST)
@hook("iq/full", priority=FIRST)
def iq_in(module, event):
    """Answer requests as for a user who is not there, and drop answers."""
    if not comes_in(module, event):
        return None
    if event.stanza.attr.get("type") in ("get", "set"):
        raise StanzaError("service-unavailable")
    return True


@hook("presence/bare", priority=FIRST)
@hook("presence/full", priority=FIRST)
@bystander("presence", "room", unless=concerns)
def presence_in(module, event):
    """Drop presence of all kinds."""
    return True if comes_in(module, event) else None


# -- what goes out -------------------------------------------------------------------------


def goes_out(module, event) -> bool:
    """Whether a stanza is for somebody whom its sender has blocked."""
    to, username = event.stanza.attr.get("to"), getattr(event.origin, "username", None)
    if to is None or username is None:
        return False
    blocked = module.lists.known(username)
    if blocked is None:
        blocked = module.lists.of(username)
    return bool(blocked) and covers(module, blocked, username, to)


def refusal() -> StanzaError:
    """Return the error for who sends something to somebody who is blocked (section 3.3)."""
    return StanzaError("not-acceptable", "You have blocked this address", type="cancel",
                       extra=Stanza("blocked", {"xmlns": XMLNS_ERRORS}))


@hook("pre-message/bare", priority=FIRST)
@hook("pre-message/full", priority=FIRST)
@hook("pre-message/host", priority=FIRST)
@hook("pre-iq/bare", priority=FIRST)
@hook("pre-iq/full", priority=FIRST)
@hook("pre-iq/host", priority=FIRST)
def refuse(module, event):
    """Send nothing to somebody who is blocked."""
    if goes_out(module, event):
        raise refusal()


@hook("pre-presence/bare", priority=FIRST)
@hook("pre-presence/full", priority=FIRST)
@hook("pre-presence/host", priority=FIRST)
@bystander("presence", unless=concerns)
def presence_out(module, event):
    """As `refuse`, but what the server sends by itself for a session is dropped in silence."""
    if not goes_out(module, event):
        return None
    type, roster = event.stanza.attr.get("type"), event.origin.roster
    contact = jid.bare(event.stanza.attr["to"])
    if type in ("probe", "unavailable") or roster is None:
        return True
    item = roster.get(contact)
    by_itself = roster.is_contact_subscribed(contact) if type is None else (
        type == "subscribe" and item is not None and item.ask)
    if by_itself:
        return True
    raise refusal()
