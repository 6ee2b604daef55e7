"""Give a stanza to the host that answers for its address.

The events are Prosody's. On the sender's host `pre-stanza` and `pre-<name>/<kind>`; then on the
addressed host `<name>/<kind>` and, for a user's own account, `<name>/self`; kind is "full",
"bare" or "host" by the form of the address. Who handles an event returns something that is not
None. What nobody handles goes to router/unanswered; other servers' domains are fired as
`route/remote` on the sender's host.

No event data is made while nobody listens, so a stanza costs only the handlers it has.
"""

from __future__ import annotations

import logging

from prosody_py.events.bus import Event, StanzaEvent
from prosody_py.router.unanswered import answer_error, unhandled
from prosody_py.xmpp.jid import prepped_split

log = logging.getLogger("router")

_NAMES = ("message", "presence", "iq")
_KINDS = ("full", "bare", "host")
_PRE = {(name, kind): f"pre-{name}/{kind}" for name in _NAMES for kind in _KINDS}
_EVENT = {(name, kind): f"{name}/{kind}" for name in _NAMES for kind in _KINDS}
_SELF = {name: name + "/self" for name in _NAMES}


def post_stanza(server, origin, stanza, preevents: bool = False) -> None:
    """Deliver `stanza` (its `to` is valid) on behalf of `origin`, a session or a host."""
    attr = stanza.attr
    to = attr.get("to")
    hosts = server.hosts
    to_self = False
    if not to:
        node, host_name, kind, bare = None, origin.host, "bare", None
        to_self = True
    else:
        node, host_name, resource = prepped_split(to)
        if host_name is None:
            if attr.get("type") != "error":
                answer_error(origin, stanza, "jid-malformed", "The address is not a valid JID")
            return
        bare = f"{node}@{host_name}" if node else host_name
        if not node:
            kind = "host"
        elif resource:
            kind = "full"
        else:
            kind = "bare"
            if bare == getattr(origin, "bare_jid", None):
                del attr["to"]
                to = None
                to_self = True
    name = stanza.name
    event = None
    if preevents:
        events = origin.host_object.events
        wrapped, index = events.wrapped, events.index
        pre = _PRE[name, kind]
        if wrapped or pre in index or "pre-stanza" in index:
            event = StanzaEvent(origin, stanza, to_self)
            if (events.fire_event("pre-stanza", event) is not None
                    or events.fire_event(pre, event) is not None):
                return
    host = hosts.get(bare) or hosts.get(host_name)
    if host is None:
        route_remote(server, origin, stanza, host_name)
        return
    events = host.events
    fired = _EVENT[name, kind]
    if fired in events.index or events.wrapped:
        if event is None:
            event = StanzaEvent(origin, stanza, to_self)
        if events.fire_event(fired, event) is not None:
            return
    if to_self and events.fire_event(
            _SELF[name], event or StanzaEvent(origin, stanza, True)) is not None:
        return
    unhandled(origin, stanza)


def route_remote(server, origin, stanza, to_host: str) -> None:
    """Hand a stanza for another server's domain to who speaks with it."""
    from_host = origin.host
    host = server.hosts.get(from_host)
    if host is not None:
        event = Event(origin=origin, stanza=stanza, from_host=from_host, to_host=to_host)
        if host.events.fire_event("route/remote", event):
            return
    log.debug("No route from %s to %s", from_host, to_host)
    answer_error(origin, stanza, "not-allowed",
                 "Communication with remote domains is not enabled", type="cancel")
