"""What a session has read: check it, stamp it, hand it on (RFC 6120 sections 8.1 and 10).

Before a session is bound, and for elements that are not stanzas, the event is
`stanza/<xmlns>:<name>`, or `stanza/iq/<xmlns>:<name>` by the child of an iq; these are fired on
the session's host.

Stanzas of components and of other servers (sessions that modules make) say themselves where they
are from; whether a component may say so is its module's affair.
"""

from __future__ import annotations

import logging

from prosody_py.events.bus import StanzaEvent
from prosody_py.router.deliver import post_stanza
from prosody_py.router.unanswered import answer_error, unhandled
from prosody_py.xmpp.jid import prep, prepped_split

log = logging.getLogger("router")

_STANZAS = frozenset(("message", "presence", "iq"))
_PEERS = frozenset(("component", "s2sin", "s2sout"))
_IQ_TYPES = frozenset(("get", "set", "result", "error"))


def process_stanza(server, origin, stanza) -> None:
    """Work off one element that came in on the session `origin`."""
    attr = stanza.attr
    name = stanza.name
    if name not in _STANZAS or "xmlns" in attr:
        _process_element(server, origin, stanza)
        return
    if origin.type != "c2s":
        if origin.type in _PEERS:
            _process_from_peer(server, origin, stanza)
        else:
            _process_element(server, origin, stanza)
        return
    to = attr.get("to")
    if to is not None:
        prepared = prep(to)
        if prepared is None:
            attr["from"] = origin.full_jid
            answer_error(origin, stanza, "jid-malformed", "The address is not a valid JID")
            return
        if prepared != to:
            attr["to"] = prepared
    attr["from"] = origin.full_jid
    if name == "iq" and not _valid_iq(stanza):
        answer_error(origin, stanza, "bad-request", "Invalid iq: it needs an id, a type and, "
                     "for get and set, exactly one child")
        return
    _post(server, origin, stanza, True)
    if getattr(origin, "unfinished", None) is not None:
        origin.finish()


def _post(server, origin, stanza, preevents: bool) -> None:
    try:
        post_stanza(server, origin, stanza, preevents)
    except RecursionError as error:
        log.error("A stanza of %s makes handlers send without end: %s", stanza.attr["from"], error)
        answer_error(origin, stanza, "internal-server-error", type="wait")


def _process_from_peer(server, origin, stanza) -> None:
    """Check both addresses (RFC 6120 section 8.1) and hand the stanza on, without pre-events."""
    attr = stanza.attr
    for name in ("to", "from"):
        prepared = prep(attr.get(name) or "")
        if prepared is None:
            answer_error(origin, stanza, "jid-malformed", f"The address in '{name}' is not valid")
            return
        if prepared != attr[name]:
            attr[name] = prepared
    if stanza.name == "iq" and not _valid_iq(stanza):
        answer_error(origin, stanza, "bad-request", "Invalid iq")
        return
    if origin.type != "component" and not origin.dummy:
        from_host, to_host = prepped_split(attr["from"])[1], prepped_split(attr["to"])[1]
        known = (origin.hosts or {}).get(from_host)
        if not known or not known.get("authed"):
            log.warning("A stanza from %s came over a stream of %s", from_host, origin.from_host)
            origin.close("not-authorized")
            return
        if to_host not in server.hosts:
            origin.close("host-unknown")
            return
    _post(server, origin, stanza, False)


def _valid_iq(stanza) -> bool:
    """RFC 6120 section 8.2.3."""
    kind = stanza.attr.get("type")
    if kind not in _IQ_TYPES or not stanza.attr.get("id"):
        return False
    if kind in ("get", "set"):
        children = stanza.children
        if len(children) != 1 or type(children[0]) is str:
            return len(stanza.tags) == 1
    return True


def _process_element(server, origin, stanza) -> None:
    host = origin.host_object
    if host is None:
        unhandled(origin, stanza)
        return
    xmlns = stanza.attr.get("xmlns")
    if origin.negotiating is not None and origin.negotiating != xmlns:
        origin.close("not-authorized", "Nothing else is allowed while you authenticate")
        return
    name = f"stanza/{xmlns}:{stanza.name}"
    if xmlns is None:
        name = "stanza/" + stanza.name
        if stanza.name == "iq":
            if not _valid_iq(stanza):
                answer_error(origin, stanza, "bad-request", "Invalid iq")
                return
            if stanza.attr["type"] in ("get", "set"):
                child = stanza.tags[0]
                name = f"stanza/iq/{child.attr.get('xmlns')}:{child.name}"
    if not host.events.fire_event(name, StanzaEvent(origin, stanza)):
        unhandled(origin, stanza)
