"""Knows what the clients of this host can do (XEP-0115 and 0390), for who asks in their place.

A client whose presence carries capabilities that nobody has announced before is asked for them.
What it answers is kept if it is what the presence has promised, for all who announce the same
later, on all hosts (section 8: a hash that does not fit poisons nothing). The session has it in
its field `caps_cache` (a disco#info <query/>); then `c2s-capabilities-changed` (origin) is fired.

Data and owner: the shared table "known" has what was learned, at most so many as `MAX_KNOWN`,
those that were wanted last.
"""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict

from prosody_py.api import Event, StanzaError, bystander, hook, stanza
from prosody_py.xmpp import caps

DISCO = "http://jabber.org/protocol/disco#info"
TIMEOUT = 60       # seconds for an answer
MAX_LENGTH = 300   # characters of a node or a hash
MAX_KNOWN = 1000   # capabilities that are kept for all
MAX_ASKED = 8      # questions to the clients of one account that wait for an answer
MAX_SIZE = 16_384  # characters of such ones; larger ones are kept for the session alone


def load(module):
    """Take what was learned before."""
    table = module.shared("/*/cache_c2s_caps/known")
    module.known = table.setdefault("by_node", OrderedDict())
    module.asked = Counter()  # questions that wait, by account


@hook("pre-presence/bare", priority=-1)
@bystander("presence")
def announced(module, event):
    """Ask a client whose capabilities are new; without capabilities forget the old ones."""
    session, presence = event.origin, event.stanza
    if presence.attr.get("to") is not None or getattr(session, "type", None) != "c2s":
        return
    node = node_of(presence) if "type" not in presence.attr else None
    if node == session.extras.get("caps_node"):
        return
    session.extras["caps_node"] = node
    if node is None:
        forget(module, session)
        return
    query = lookup(module, node)
    if query is not None:
        keep(module, session, query)
    elif module.asked[session.bare_jid] >= MAX_ASKED:
        session.extras["caps_node"] = None  # when its presence comes again
        forget(module, session)
    else:
        module.asked[session.bare_jid] += 1
        module.add_timer(0, ask_client, module, session, node, session.bare_jid)


@hook("smacks-session-revived")
def revived(module, event):
    """Know again what was known of a session before the server's restart, once for all."""
    fields = event.session.extras
    node, query = fields.get("caps_node"), fields.get("caps_cache")
    if node is None or query is None:
        return
    if lookup(module, node) is None and caps.is_true(node, query):
        remember(module, node, query)
    fields["caps_cache"] = lookup(module, node) or query


def node_of(presence) -> str | None:
    """Return the node that a presence's capabilities are asked of; None where it is no use."""
    node = caps.announced(presence)
    return node if node is not None and len(node) <= MAX_LENGTH else None


def lookup(module, node: str):
    """Return the <query/> that is known for a node with its hash, else None."""
    query = module.known.get(node)
    if query is not None:
        module.known.move_to_end(node)
    return query


def keep(module, session, query) -> None:
    """Note what a client can do."""
    session.extras["caps_cache"] = query
    module.fire_event("c2s-capabilities-changed", Event(origin=session))


def forget(module, session) -> None:
    """Note that nothing is known of a client."""
    if session.extras.pop("caps_cache", None) is not None:
        module.fire_event("c2s-capabilities-changed", Event(origin=session))


def ask_client(_now, module, session, node: str, account: str) -> None:
    """Ask a client, and keep what it answers if it is true to its word."""
    try:
        query = learn(module, node, module.host, session.full_jid)
    finally:
        module.asked[account] -= 1
        if not module.asked[account]:
            del module.asked[account]
    if session.extras.get("caps_node") != node:
        return
    if query is not None:
        keep(module, session, query)
    else:
        forget(module, session)


def learn(module, node: str, asker: str, address: str, sender=None):
    """Ask a full JID what it can do, as `asker`; return the <query/>, None if it is not true.

    `sender` is the module whose request it is, if that is another one: so its requests that wait
    are counted apart from those to clients here.
    """
    request = stanza.iq(type="get", id=secrets.token_urlsafe(9), to=address, **{"from": asker})
    request.tag("query", xmlns=DISCO, node=node).up()
    try:
        answer = (sender or module).send_iq(request, timeout=TIMEOUT)
    except StanzaError as error:
        module.log("debug", "No capabilities of %s: %s", address, error)
        return None
    query = answer.stanza.get_child("query", DISCO)
    if query is None:
        return None
    if not caps.is_true(node, query):
        module.log("debug", "The capabilities of %s are not those of its presence", address)
        return None
    query.attr["node"] = node
    remember(module, node, query)
    return query


def remember(module, node: str, query) -> None:
    """Keep for all what somebody can do."""
    if len(str(query)) <= MAX_SIZE:
        module.known[node] = query
        while len(module.known) > MAX_KNOWN:
            module.known.popitem(last=False)
