"""The service of one account: prosody_py.pubsub's, with the account's stores, rights and limits."""

from __future__ import annotations

from typing import Any

from prosody_py.api import Event, jid
from prosody_py.pubsub.service import Service
from prosody_py.pubsub.setup import Setup

from .sending import addresses_of, deliver, roster_of, tell
from .stores import Nodes

DEFAULTS = {"max_items": 1, "access_model": "presence", "itemreply": "none",
            "send_last_published_item": "on_sub_and_presence"}
EXPOSING = {**DEFAULTS, "itemreply": "publisher"}


def make_service(module, username: str, stored: Any) -> Service:
    """Return the service of an account with the nodes that are stored."""
    account, options = f"{username}@{module.host}", module.options
    setup = Setup(
        jid=account, user=username,
        node_store=Nodes(module.nodes, module.moved, username, stored),
        open_items=lambda node: items_of_node(module, node),
        node_defaults=EXPOSING if options.expose_publisher else DEFAULTS,
        max_items=options.pep_max_items, add_timer=module.add_timer,
        may_add=lambda _actor, who, _node: is_contact(module, username, who),
        max_nodes=options.pep_max_nodes, max_subscriptions=options.pep_max_subscriptions,
        max_payload_size=options.pep_max_payload_size or 0,
        expose_publisher=options.expose_publisher,
        has_room=lambda: has_room(module, username),
        autocreate_on_publish=True, autocreate_on_subscribe=False,
        get_affiliation=lambda who, _node, _action: "owner" if who == account else None,
        has_access=lambda model, who, node: has_access(module, username, model, who, node),
        tell=lambda to, message: tell(module, username, to, message))
    service = Service(setup)
    setup.deliver = lambda notice, receivers: deliver(module, service, notice, receivers)
    setup.audience = lambda node: addresses_of(module, service, node, {})
    setup.config_for = lambda node: config_for(module, node)
    setup.published = lambda node, item: happened(
        module, "pep-published/", service, node, {"item": item})
    setup.retracted = lambda node, id: happened(
        module, "pep-retracted/", service, node, {"id": id})
    return service


def has_room(module, username: str) -> bool:
    """Whether others may still subscribe to nodes of an account: half of the room is its own."""
    counted = getattr(module.nodes, "counted", None)  # not in stores of drivers in Lua
    return counted is None or counted(username) <= module.options.pep_max_nodes_size // 2


def items_of_node(module, node: str) -> Any:
    """Return the archive with the items that all accounts have in their nodes of a name."""
    return module.open_counted_store("pep_" + node, "archive", made_up=True)


def config_for(module, node: str) -> Any:
    """Return what a new node has beside the defaults: what modules offer for its name."""
    return next((item["config"] for item in module.get_host_items("pep-node")
                 if item["node"] == node), None)


def happened(module, event: str, service: Service, node, fields: dict[str, Any]) -> None:
    """Tell other modules what has happened to a node of an account."""
    name = event + node.name
    if name in module.events.index:
        module.fire_event(name, Event(username=service.setup.user, service=service, node=node,
                                      **fields))


def has_access(module, username: str, model: str, who: str, node) -> bool:
    """Whether a contact may see a node, by the account's roster."""
    roster = roster_of(module, username)
    if not roster.is_contact_subscribed(who):
        return False
    if model == "presence":
        return True
    item = roster.get(who)
    return item is not None and any(item.groups.get(group)
                                    for group in node["roster_groups_allowed"] or ())


def is_contact(module, username: str, address: str) -> bool:
    """Whether an address is that of a contact who gets the account's presence."""
    return roster_of(module, username).is_contact_subscribed(jid.bare(address))
