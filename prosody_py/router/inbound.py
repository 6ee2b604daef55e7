"""What a session has read: check it, stamp it, hand it on (RFC 6120 sections 8.1 and 10).

Before a session is bound, and for elements that are not stanzas, the event is
`stanza/<xmlns>:<name>`, or `stanza/iq/<xmlns>:<name>` by the child of an iq; these are fired on
the session's host.
"""

from __future__ import annotations

import logging

from prosody_py.events.bus import StanzaEvent
from prosody_py.router.deliver import post_stanza
from prosody_py.router.unanswered import answer_error, unhandled
from prosody_py.xmpp.jid import prep

log = logging.getLogger("router")

_STANZAS = frozenset(("message", "presence", "iq"))
_IQ_TYPES = frozenset(("get", "set", "result", "error"))


def process_stanza(server, origin, stanza) -> None:
    """Work off one element that came in on the session `origin`."""
    attr = stanza.attr
    name = stanza.name
    if name not in _STANZAS or "xmlns" in attr or origin.type != "c2s":
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
    try:
        post_stanza(server, origin, stanza, True)
    except RecursionError as error:
        log.error("A stanza of %s makes handlers send without end: %s", attr["from"], error)
        answer_error(origin, stanza, "internal-server-error", type="wait")


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
