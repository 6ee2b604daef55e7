"""What anybody asks about the own relations with a service (XEP-0060 section 5)."""

from __future__ import annotations

from prosody_py.pubsub.access import bare
from prosody_py.pubsub.notices import subscription_element
from prosody_py.pubsub.requests.request import Request
from prosody_py.pubsub.service import Service
from prosody_py.xmpp.stanza import Stanza


def subscriptions(service: Service, request: Request) -> Stanza:
    """List the sender's subscriptions, in one node or in all (section 5.6)."""
    name = request.action.attr.get("node")
    if name is not None:
        service.node(name)
    element = Stanza("subscriptions", {} if name is None else {"node": name})
    for node, jid, state, _options, subid in service.subscriptions_of(request.actor, name):
        element.children.append(subscription_element(node.name, jid, state, subid))
    return element


def affiliations(service: Service, request: Request) -> Stanza:
    """List the sender's affiliations, with one node or with all (section 5.7)."""
    name = request.action.attr.get("node")
    nodes = service.nodes.values() if name is None else [service.node(name)]
    element = Stanza("affiliations", {} if name is None else {"node": name})
    account = bare(request.actor)
    for node in list(nodes):
        affiliation = service.affiliation(node, account)
        if affiliation != "none":
            element.children.append(Stanza("affiliation", {"node": node.name,
                                                           "affiliation": affiliation}))
    return element
