"""Knows what the clients of this host can do (XEP-0115), for modules that ask in their place.

A client whose presence carries capabilities is asked for them once. What it answers is in the
session's field `caps_cache` (a disco#info <query/>) if it is what the presence has promised; then
`c2s-capabilities-changed` (origin) is fired.
"""

from __future__ import annotations

import secrets

from prosody_py.api import Event, StanzaError, hook, stanza
from prosody_py.xmpp import caps

DISCO = "http://jabber.org/protocol/disco#info"
TIMEOUT = 60      # seconds for an answer
MAX_LENGTH = 300  # characters of a node or a hash


@hook("pre-presence/bare", priority=-1)
def announced(module, event):
    """Ask a client whose capabilities are new; without capabilities forget the old ones."""
    session, presence = event.origin, event.stanza
    if presence.attr.get("to") is not None or getattr(session, "type", None) != "c2s":
        return
    element = presence.get_child("c", caps.XMLNS)
    node = node_of(element) if element is not None and "type" not in presence.attr else None
    if node == session.extras.get("caps_node"):
        return
    session.extras["caps_node"] = node
    if node is None:
        forget(module, session)
    else:
        module.add_timer(0, ask, module, session, node)


def node_of(element) -> str | None:
    """Return the node that a client's capabilities are asked of; None where it is no use."""
    node, ver = element.attr.get("node"), element.attr.get("ver")
    if element.attr.get("hash") != caps.HASH or not node or not ver:
        return None
    return f"{node}#{ver}" if len(node) + len(ver) <= MAX_LENGTH else None


def forget(module, session) -> None:
    """Note that nothing is known of a client."""
    if session.extras.pop("caps_cache", None) is not None:
        module.fire_event("c2s-capabilities-changed", Event(origin=session))


def ask(_now, module, session, node: str) -> None:
    """Ask a client, and keep what it answers if it is true to its word."""
    request = stanza.iq(type="get", id=secrets.token_urlsafe(9), to=session.full_jid,
                        **{"from": module.host})
    request.tag("query", xmlns=DISCO, node=node).up()
    try:
        answer = module.send_iq(request, timeout=TIMEOUT)
    except StanzaError as error:
        session.log.debug("No capabilities: %s", error)
        return
    query = answer.stanza.get_child("query", DISCO)
    if query is None or session.extras.get("caps_node") != node:
        return
    if caps.verification_string(query) != node.rpartition("#")[2]:
        session.log.debug("The capabilities are not those of the presence; they are not kept")
        forget(module, session)
        return
    query.attr["node"] = node
    session.extras["caps_cache"] = query
    module.fire_event("c2s-capabilities-changed", Event(origin=session))
