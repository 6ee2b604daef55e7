"""Messages to accounts and resources: who of a user's sessions gets them (RFC 6121 section 8.5)."""

from __future__ import annotations

from prosody_py.api import Event, StanzaError, hook, jid
from prosody_py.hosts import users
from prosody_py.sessions.lifecycle import top_resources


@hook("message/full", priority=-1)
def to_resource(module, event):
    """Hand a message to the session that it is addressed to, or treat it as one to the account."""
    element = event.stanza
    to = element.attr["to"]
    session = module.server.full_sessions.get(to)
    if session is not None and session.send(element):
        return True
    if element.attr.get("type") in ("groupchat", "headline"):
        return without_resource(module, event, element.attr["type"])
    return for_account(module, event, jid.bare(to))


@hook("message/bare", priority=-1)
def to_account(module, event):
    """Hand a message to the sessions that speak for an account, or keep it for later."""
    return for_account(module, event, event.stanza.attr.get("to") or event.origin.bare_jid)


def without_resource(module, event, type: str) -> bool:
    """Deal with what is for one resource only, which is gone (section 8.5.3.2.1)."""
    if type == "groupchat":
        raise StanzaError("service-unavailable", "This resource is not connected")
    return True


def for_account(module, event, account: str) -> bool:
    """Deliver a message by its type (section 8.5.2); errors are never answered."""
    origin, element = event.origin, event.stanza
    type = element.attr.get("type")
    if type == "error":
        return True
    if type == "groupchat":
        result = module.fire_event("message/bare/groupchat", Event(origin=origin, stanza=element))
        if not result:
            raise StanzaError("service-unavailable", "This account is no room")
        return True
    user = module.server.bare_sessions.get(account)
    if type == "headline":
        for session in list(user.sessions.values()) if user is not None else ():
            if session.presence is not None and session.priority >= 0:
                session.send(element)
        return True
    delivered = False
    for session in top_resources(user) if user is not None else ():
        delivered = session.send(element) or delivered
    return delivered or keep(module, event, account)


def keep(module, event, account: str) -> bool:
    """Give a message for nobody who is there to those who keep them, or else send it back."""
    username = jid.node(account)
    if users.user_exists(module.server, username, module.host):
        kept = module.fire_event("message/offline/handle", Event(
            username=username, origin=event.origin, stanza=event.stanza))
        if kept:
            return True
    raise StanzaError("service-unavailable", "The user is not there")
