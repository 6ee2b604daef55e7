"""Who is online, for what depends on it: temporary subscriptions, delivery by presence, last items.

Of accounts of this server it is seen in their sessions. Others let the service know by sending it
presence, as to a room; so many addresses are remembered, those that were heard of last.
"""

from __future__ import annotations

from collections import OrderedDict

from prosody_py.api import hook, jid
from prosody_py.pubsub.subscribe_options import STATES

MOST = 20_000  # full addresses elsewhere that are known to be online


class Elsewhere:
    """The states of addresses on other servers, by account and by full JID."""

    def __init__(self):
        self.states: OrderedDict[str, str] = OrderedDict()
        self.of_account: dict[str, set[str]] = {}

    def put(self, address: str, state: str) -> str | None:
        """Note that an address is online; return another one that has to be forgotten for it."""
        self.states[address] = state
        self.states.move_to_end(address)
        self.of_account.setdefault(jid.bare(address), set()).add(address)
        if len(self.states) <= MOST:
            return None
        oldest = next(iter(self.states))
        self.remove(oldest)
        return oldest

    def remove(self, address: str) -> None:
        """Note that an address is offline."""
        if self.states.pop(address, None) is None:
            return
        own = self.of_account[jid.bare(address)]
        own.discard(address)
        if not own:
            del self.of_account[jid.bare(address)]

    def shows(self, address: str) -> list[str]:
        """Return the states of a full JID, or of all of an account."""
        if jid.resource(address):
            return [self.states[address]] if address in self.states else []
        return [self.states[full] for full in self.of_account.get(address, ())]


def state_of(presence) -> str:
    """Return the state that a presence tells, as subscriptions name it."""
    show = presence.get_child_text("show")
    return show if show in STATES else "online"


def is_local(module, address: str) -> bool:
    """Whether an address is one of an account of this server."""
    host = module.server.hosts.get(jid.host(address))
    return host is not None and host.type == "local" and jid.node(address) is not None


def shows(module, address: str) -> list[str]:
    """Return the states in which an address is online."""
    if not is_local(module, address):
        return module.elsewhere.shows(address)
    if jid.resource(address):
        session = module.server.full_sessions.get(address)
        sessions = [] if session is None else [session]
    else:
        user = module.server.bare_sessions.get(address)
        sessions = list(user.sessions.values()) if user is not None else []
    return [state_of(session.presence) for session in sessions if session.presence is not None]


@hook("presence/host")
def hear(module, event):
    """Take the presence that somebody elsewhere sends to the service."""
    element = event.stanza
    sender, type = element.attr.get("from"), element.attr.get("type")
    if not jid.resource(sender) or is_local(module, sender):
        return None
    gone = None
    if type is None:
        gone = module.elsewhere.put(sender, state_of(element))
    elif type in ("unavailable", "error"):
        module.elsewhere.remove(sender)
        gone = sender
    if gone is not None:
        module.service.went_offline(gone)
    return True if type in (None, "unavailable") else None


def follow(module, name: str) -> None:
    """Hear of the accounts of a host of ours that come online and go."""
    host = module.server.hosts[name]
    if host.type == "local":
        module.hook_object_event(host.events, "presence/initial",
                                 lambda event: welcome(module, event.origin))
        module.hook_object_event(
            host.events, "presence/final",
            lambda event: module.service.went_offline(event.origin.full_jid))


def welcome(module, session) -> None:
    """Send a session the last items of nodes that say so (send_last_published_item)."""
    own = module.service.by_account.get(session.bare_jid)
    if own is None:
        return
    for address in (session.bare_jid, session.full_jid):
        for name in list(own.get(address, ())):
            node = module.service.nodes.get(name)
            if node is not None and node["send_last_published_item"] == "on_sub_and_presence" \
                    and address in node.subscribers:
                module.service.greet(node, address, session.full_jid)
