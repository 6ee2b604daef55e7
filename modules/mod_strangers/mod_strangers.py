"""What strangers may send to the users of this host: nothing, a little, or what they like.

A stranger is who is no contact (in either direction, or asked to be one), was not spoken to first,
and has not got directed presence, as rooms have that one is in. Each kind of approach has its own
rule: "allow", "limit" (so many in a time, by sender and by sender's domain) or "block".

A service for publishing may send notifications to who has asked it for a subscription, uncounted;
whatever else it sends is a stranger's message (subscriptions).

Data and owner: `module.senders` and `module.domains` count, each a bounded table that forgets who
has been silent longest. Whom a session has spoken to is kept with the session (`spoken_to`).

What is refused comes back as an error, for requests to become a contact it is dropped in silence.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from prosody_py.api import (
    Options,
    StanzaError,
    boolean,
    bystander,
    enum,
    hook,
    integer,
    jid,
    period,
    set_,
    string,
)
from prosody_py.hosts.roster import load_roster

from .subscriptions import Subscriptions, is_notification, request_in

MUC_USER, CONFERENCE = "http://jabber.org/protocol/muc#user", "jabber:x:conference"
FIRST = 50  # after blocks, before everybody who delivers
MAX_SPOKEN_TO = 200  # addresses that a session remembers to have written to


class Config(Options):
    """The rules."""

    strangers_messages = enum("limit", "allow", "block", doc="Messages from strangers.")
    strangers_invites = enum("limit", "allow", "block",
                             doc="Invitations to rooms that come from or by way of strangers.")
    strangers_subscriptions = enum("limit", "allow", "block",
                                   doc="Requests of strangers to become contacts.")
    strangers_requests = enum("allow", "limit", "block",
                              doc="Requests (iq) of strangers to a user's clients.")
    strangers_limit = integer(10, min=1, max=100_000,
                              doc="What one stranger may send in strangers_period.")
    strangers_limit_domain = integer(
        100, min=1, max=1_000_000, doc="What all strangers of one domain may send in that time.")
    strangers_period = period("1 hour", min="1 second", max="30 days",
                              doc="The time that the limits are for.")
    strangers_trust_local = boolean(
        True, doc="The users of this host and the components of the server are no strangers.")
    strangers_trust_domains = set_((), of=string(), doc="Domains whose users are no strangers.")
    strangers_cache_size = integer(10_000, min=100, max=1_000_000,
                                   doc="Senders, and domains, that are remembered.")


class Allowance:
    """So much for each name in a period; the names that were quiet longest are forgotten."""

    def __init__(self, most: int, seconds: float, size: int):
        self.most, self.seconds, self.size = most, seconds, size
        self.left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, when

    def has(self, name: str, now: float) -> bool:
        """Whether there is something left for a name."""
        left, then = self.left.get(name, (float(self.most), now))
        return min(self.most, left + (now - then) * self.most / self.seconds) >= 1

    def take(self, name: str, now: float) -> None:
        """Take one."""
        left, then = self.left.pop(name, (float(self.most), now))
        left = min(float(self.most), left + (now - then) * self.most / self.seconds)
        self.left[name] = (left - 1, now)
        if len(self.left) > self.size:
            self.left.popitem(last=False)


def load(module):
    """Make the counts."""
    options = module.options
    module.senders, module.domains = (
        Allowance(most, options.strangers_period, options.strangers_cache_size)
        for most in (options.strangers_limit, options.strangers_limit_domain))
    module.subscriptions = Subscriptions(
        module.open_store("strangers_subscriptions", "keyval+"), options.strangers_cache_size)


def save(module):
    """Keep the counts over a reload."""
    return {"senders": module.senders.left, "domains": module.domains.left}


def restore(module, saved):
    """Go on counting."""
    module.senders.left.update(saved.get("senders", {}))
    module.domains.left.update(saved.get("domains", {}))


# -- who is a stranger -----------------------------------------------------------------------


def is_trusted(module, username: str, sender: str) -> bool:
    """Whether an account has nobody for a stranger at an address, by the options."""
    contact, domain = jid.bare(sender), jid.host(sender)
    options = module.options
    host = module.server.hosts.get(domain)
    return (domain in options.strangers_trust_domains or contact == module.host
            or contact == f"{username}@{module.host}"
            or options.strangers_trust_local and (
                domain == module.host or host is not None and host.type == "component"))


def is_stranger(module, username: str, sender: str) -> bool:
    """Whether an account knows nothing of a sender (a full or bare JID)."""
    if is_trusted(module, username, sender):
        return False
    contact = jid.bare(sender)
    item = load_roster(module.server, username, module.host).get(contact)
    if item is not None and (item.subscription != "none" or item.ask):
        return False
    user = module.host_object.sessions.get(username)
    for session in list(user.sessions.values()) if user is not None else ():
        if contact in (session.extras.get("spoken_to") or ()):
            return False
        if any(jid.bare(to) == contact for to in session.directed or ()):
            return False
    return True


@hook("pre-message/bare")
@hook("pre-message/full")
def speak(module, event):
    """Remember whom a session writes to: these may answer."""
    session, element = event.origin, event.stanza
    contact = jid.bare(element.attr.get("to"))
    if (element.attr.get("type") in ("error", "groupchat") or contact is None
            or getattr(session, "extras", None) is None):
        return
    spoken_to = session.extras.setdefault("spoken_to", OrderedDict())
    spoken_to[contact] = True
    spoken_to.move_to_end(contact)
    if len(spoken_to) > MAX_SPOKEN_TO:
        spoken_to.popitem(last=False)


@hook("pre-iq/bare", priority=-1)
@hook("pre-iq/host", priority=-1)
def ask_for_subscription(module, event):
    """Remember which services a user asks for subscriptions: these may notify."""
    element, username = event.stanza, getattr(event.origin, "username", None)
    if username is None or element.attr.get("type") != "set":
        return
    found = request_in(element)
    if found is not None and not is_trusted(module, username, found[0]):
        module.subscriptions.note(username, *found)


@hook("user-deleted")
def forget(module, event):
    """Know nothing of an account that is gone."""
    module.subscriptions.forget(event.username)


def unload(module):
    """Leave nothing with the sessions, unless the next instance goes on with it."""
    if not module.reloading:
        for user in module.host_object.sessions.values():
            for session in user.sessions.values():
                session.extras.pop("spoken_to", None)


# -- the rules -------------------------------------------------------------------------------


def refused(module, event, rule: str, sender: str | None = None) -> str | None:
    """Return why a stanza is refused by a rule, None when it may pass; it counts if so.

    `sender` is who it comes from if that is not who has sent it.
    """
    if rule == "allow":
        return None
    attr = event.stanza.attr
    username, sender = jid.node(attr.get("to")), sender or attr.get("from")
    if username is None or sender is None or not is_stranger(module, username, sender):
        return None
    if rule == "block":
        return "The user wants to hear of contacts only"
    now, contact, domain = time.monotonic(), jid.bare(sender), jid.host(sender)
    if not (module.senders.has(contact, now) and module.domains.has(domain, now)):
        module.log("info", "%s has sent too much to people who do not know it", contact)
        return "You have sent too much to people who do not know you"
    module.senders.take(contact, now)
    module.domains.take(domain, now)
    return None


def concerns(module, account: str, peer: str) -> bool:
    """Whether there is a rule for what a service for publishing sends to an account."""
    username = jid.node(account)
    return (module.options.strangers_messages != "allow" and is_stranger(module, username, peer)
            and jid.bare(peer) not in module.subscriptions.services(username))


@hook("message/bare", priority=FIRST)
@hook("message/full", priority=FIRST)
@bystander("room")
@bystander("headline", unless=concerns)
def message(module, event):
    """Let a message through, or send it back."""
    element, options = event.stanza, module.options
    if element.attr.get("to") is None or element.attr.get("type") in ("error", "groupchat"):
        return None
    if is_notification(element) and jid.bare(element.attr.get("from")) in (
            module.subscriptions.services(jid.node(element.attr["to"]) or "")):
        return None
    muc = element.get_child("x", MUC_USER)
    invite = muc.get_child("invite") if muc is not None else None
    direct = element.get_child("x", CONFERENCE) is not None
    rule = options.strangers_invites if direct or invite is not None else options.strangers_messages
    reason = refused(module, event, rule)
    if reason is None and invite is not None:  # what a strange room says of others is worth nothing
        sender = jid.prep(invite.attr.get("from") or "")
        reason = refused(module, event, rule, sender) if sender else None
    if reason is None:
        return None
    if rule == "block":
        raise StanzaError("policy-violation", reason, type="cancel")
    raise StanzaError("policy-violation", reason, type="wait")


@hook("presence/bare", priority=FIRST)
@bystander("presence")  # it only says how somebody is
def subscription(module, event):
    """Let a request to become a contact through, or drop it."""
    if event.stanza.attr.get("type") != "subscribe":
        return None
    return True if refused(module, event, module.options.strangers_subscriptions) else None


@hook("iq/full", priority=FIRST)
def request(module, event):
    """Let a request to a client through, or answer as if it were not there."""
    if event.stanza.attr.get("type") in ("get", "set") and refused(
            module, event, module.options.strangers_requests):
        raise StanzaError("service-unavailable")
