"""Nodes and items in service discovery (XEP-0060 sections 5.2 to 5.5), for all who have a service.

Each function adds to a reply in which building stands inside of <query/>.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from prosody_py.pubsub.access import Actor
from prosody_py.pubsub.namespaces import META_DATA, PUBSUB, SHIM
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.service import Service
from prosody_py.xmpp.dataforms import Form
from prosody_py.xmpp.datetime import format_datetime
from prosody_py.xmpp.stanza import Stanza

MAX_LISTED = 1000  # nodes or items in one answer

_METADATA = Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": META_DATA},
    {"name": "payload_type", "var": "pubsub#type", "label": "Payload semantic type information"},
    {"name": "creator", "var": "pubsub#creator", "type": "jid-single", "label": "Node creator"},
    {"name": "creation_date", "var": "pubsub#creation_date", "label": "Creation date"},
    {"name": "title", "var": "pubsub#title", "label": "A short name for the node"},
    {"name": "description", "var": "pubsub#description", "label": "A description of the node"},
    {"name": "language", "var": "pubsub#language", "label": "Default language"},
    {"name": "contact", "var": "pubsub#contact", "type": "jid-multi",
     "label": "People to contact with questions"},
    {"name": "access_model", "var": "pubsub#access_model", "label": "Access model"},
    {"name": "publish_model", "var": "pubsub#publish_model", "label": "Publish model"},
    {"name": "max_items", "var": "pubsub#max_items", "label": "Max # of items to persist"},
    {"name": "owner", "var": "pubsub#owner", "type": "jid-multi", "label": "Node owners"},
    {"name": "publisher", "var": "pubsub#publisher", "type": "jid-multi",
     "label": "Publishers to this node"},
    {"name": "num_subscribers", "var": "pubsub#num_subscribers",
     "label": "Number of subscribers to this node"},
])


def list_in(reply: Stanza, service: Service, actor: Actor) -> None:
    """List the nodes that somebody may see."""
    _list(reply, service, (node for node in service.get_nodes(actor).values() if not any(
        service.may_see(parent, actor) for parent in service.parents(node)[:1])))


def _list(reply: Stanza, service: Service, nodes: Iterable[Node]) -> None:
    for node in islice(nodes, MAX_LISTED):
        reply.tag("item", jid=service.setup.jid, node=node.name, name=node["title"]).up()


def info_of_node(reply: Stanza, service: Service, name: str, actor: Actor) -> bool:
    """Tell what a node is; return whether there is one that the actor may see."""
    node = service.nodes.get(name)
    if node is None and name == SHIM:  # the headers that there are (XEP-0131 section 3.2)
        reply.tag("feature", var=SHIM + "#SubID").up()
        if service.setup.collections:
            reply.tag("feature", var=SHIM + "#Collection").up()
        return True
    if node is None or not service.may_see(node, actor):
        return False
    known: dict[str, Any] = service.get_node_metadata(name, actor)
    if "creation_date" in known:
        known["creation_date"] = format_datetime(int(known["creation_date"]))
    reply.tag("identity", category="pubsub", type=node["node_type"], name=node["title"]).up()
    reply.tag("feature", var=PUBSUB).up()
    form = _METADATA.element(known, "result")
    form.children = [field for field in form.children
                     if field.attr["var"] == "FORM_TYPE" or field.children]
    reply.add_child(form)
    return True


def items_of_node(reply: Stanza, service: Service, name: str, actor: Actor) -> bool:
    """List the items of a node; return whether there is one that the actor may see."""
    node = service.nodes.get(name)
    if node is None or not service.may_see(node, actor):
        return False
    if node.is_collection:
        inside = [service.nodes[child] for child in service.children_of(node)]
        _list(reply, service, (child for child in inside if service.may_see(child, actor)))
        return True
    if node["persist_items"] and service.may_read(node, actor):
        for item in service.items(node).newest(MAX_LISTED):
            reply.tag("item", jid=service.setup.jid, name=item.id).up()
    return True
