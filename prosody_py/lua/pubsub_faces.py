"""Publish-subscribe services in Lua: the methods of Prosody's util.pubsub.

They return `true, ...`, or `false, error` where the error is the name that Prosody has for it.
Items are <item/> elements. What a module must see changing (nodes, events, subscriptions) are the
service's own objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prosody_py.lua.proxies import Face
from prosody_py.pubsub import node_config
from prosody_py.pubsub.access import CAN, bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.items import keys_of
from prosody_py.pubsub.namespaces import PUBSUB
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.service import Service
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.rsm import PageRequest
from prosody_py.xmpp.stanza import Stanza

# What Prosody has no name for is what it would have said.
_NAMES = {
    "presence-subscription-required": "forbidden", "not-in-roster-group": "forbidden",
    "closed-node": "forbidden", "not-subscribed": "forbidden", "invalid-jid": "forbidden",
    "no-such-subscriber": "not-subscribed", "gone": "item-not-found",
    "payload-required": "invalid-item", "item-required": "invalid-item",
    "unsupported-access-model": "not-acceptable", "payload-too-big": "invalid-item",
    "no-such-tree": "not-allowed", "no-place": "forbidden", "too-many-children": "not-allowed",
    "subid-required": "bad-request", "invalid-subid": "not-acceptable",
}


def _name(error: StanzaError) -> str:
    if not isinstance(error, PubsubError):
        return error.condition
    if error.feature == "persistent-items":
        return "persistent-items-unsupported"
    return _NAMES.get(error.name, error.name)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of the face: `function(service, *args)` gives the results after `true`."""
    most = function.__code__.co_argcount - 1  # Lua does not mind more of them

    def call(border, service: Service, *raw: Any) -> Any:
        try:
            results = function(service, *[border.copy_to_python(value) for value in raw[:most]])
        except StanzaError as error:
            return False, _name(error)
        except StorageError as error:
            service.setup.log_failure(error)
            return None, "internal-server-error"
        return (True, *[border.copy_to_lua(value) for value in results or ()])
    return call


def _item(service: Service, item: Any) -> Stanza:
    return item.element(PUBSUB, service.setup.expose_publisher)


def _create(service, name, actor, config=None):
    service.create(name, actor, config)


def _publish(service, name, actor, id, item=None, required=None):
    payload = item
    if isinstance(item, Stanza) and item.name == "item":
        payload = item.tags[0] if item.tags else None
    if not isinstance(payload, Stanza | None):
        raise PubsubError("payload-required")
    service.publish(name, actor, id, payload, required)


def _retract(service, name, actor, id, notify=None):
    service.retract(name, actor, id, bool(notify))


def _purge(service, name, actor, notify=None):
    service.purge(name, actor, bool(notify))


def _get_items(service, name, actor, ids=None, page=None):
    if isinstance(ids, str):
        ids = [ids]
    request = None
    if isinstance(page, Mapping):
        request = PageRequest(*[page.get(key) or None for key in ("max", "after")],
                              page.get("before") if page.get("before") is not True else "")
    found = service.get_items(name, actor, ids, request)
    return [{key: value if isinstance(key, int) else _item(service, value)
             for key, value in keys_of(found.items).items()}]


def _get_last_item(service, name, actor):
    item = service.get_last_item(name, actor)
    return [None] if item is None else [item.id, _item(service, item)]


def _add_subscription(service, name, actor, jid=None, options=None):
    service.add_subscription(name, actor, jid, options or True)


def _get_subscription(service, name, actor, jid):
    node = service.node(name)
    service.require_own(node, actor, jid, "forbidden")
    return [node.subscribers.get(jid)]


def _get_subscriptions(service, name=None, actor=None, jid=None):
    node = None if name is None else service.node(name)
    if jid is None:
        if node is not None:
            service.require(node, actor, "manage")
        elif actor is not True:
            raise PubsubError("forbidden")
        nodes = service.nodes.values() if node is None else [node]
        return [[{"node": each.name, "jid": one, "subscription": options}
                 for each in list(nodes) for one, options in each.subscribers.items()]]
    service.require_own(node, actor, jid, "forbidden")
    return [[{"node": each.name, "jid": one, "subscription": options}
             for each, one, state, options, _subid in service.subscriptions_of(jid, name)
             if state == "subscribed"]]


def _may(border, service, raw_name, raw_actor, raw_action=None):
    name, actor, action = map(border.to_python, (raw_name, raw_actor, raw_action))
    return service.may(service.nodes.get(name), actor, action)


def _get_affiliation(border, service, raw_jid, raw_name=None, raw_action=None):
    jid, name, action = map(border.to_python, (raw_jid, raw_name, raw_action))
    return service.affiliation(service.nodes.get(name), jid, action or "")


def _jids_equal(border, service, raw_one, raw_other):
    return bare(border.to_python(raw_one)) == bare(border.to_python(raw_other))


def _broadcast(border, service, *raw):
    kind, name, jids, item = ([border.copy_to_python(value) for value in raw] + [None] * 4)[:4]
    service.broadcast(kind, name, list(jids or ()), item)
    return True


class Nodes(Mapping):
    """A service's nodes by name, as they are at any time."""

    def __init__(self, service: Service):
        self._nodes = service.nodes

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._nodes))

    def __len__(self) -> int:
        return len(self._nodes)


def _get_nodes(border, service, raw_actor=None):
    actor = border.to_python(raw_actor)
    return True, Nodes(service) if actor is True else border.copy_to_lua(
        service.get_nodes(actor))


def _config(border, service: Service) -> Any:
    setup = service.setup

    def broadcaster(kind: str, name: str, jids: Any, item: Any = None, *_more: Any) -> None:
        service.broadcast(kind, name, list(jids or ()), item)

    return border.copy_to_lua({
        "broadcaster": broadcaster,
        "jid": setup.jid, "max_items": setup.max_items, "normalize_jid": bare,
        "expose_publisher": setup.expose_publisher,
        "autocreate_on_publish": setup.autocreate_on_publish,
        "autocreate_on_subscribe": setup.autocreate_on_subscribe,
        "get_affiliation": lambda jid, node=None, action="": setup.get_affiliation(
            jid, node, action),
        "capabilities": {name: dict.fromkeys(actions, True) for name, actions in CAN.items()},
        "node_defaults": dict(setup.node_defaults),
    })


class ServiceFace(Face):
    """A service; its methods are called with a colon."""

    fields = {
        "config": _config, "events": lambda border, service: service.events,
        "nodes": lambda border, service: Nodes(service),
        "node_defaults": lambda border, service: border.copy_to_lua(
            {**node_config.DEFAULTS, **service.setup.node_defaults}),
        "subscriptions": lambda border, service: border.copy_to_lua({
            account: {jid: dict.fromkeys(names, True) for jid, names in own.items()}
            for account, own in service.by_account.items()}),
        "affiliations": lambda border, service: border.copy_to_lua({}),
    }
    names = tuple(fields)
    functions = {
        "create": _method(_create),
        "delete": _method(lambda service, name, actor: service.delete(name, actor)),
        "publish": _method(_publish), "retract": _method(_retract), "purge": _method(_purge),
        "get_items": _method(_get_items), "get_last_item": _method(_get_last_item),
        "get_nodes": _get_nodes, "may": _may, "jids_equal": _jids_equal,
        "get_affiliation": _get_affiliation, "broadcast": _broadcast,
        "add_subscription": _method(_add_subscription),
        "remove_subscription": _method(
            lambda service, name, actor, jid=None: service.remove_subscription(name, actor, jid)),
        "get_subscription": _method(_get_subscription),
        "get_subscriptions": _method(_get_subscriptions),
        "set_affiliation": _method(
            lambda service, name, actor, jid=None, affiliation=None: service.set_affiliation(
                name, actor, jid, affiliation)),
        "get_affiliations": _method(
            lambda service, name, actor: [service.get_affiliations(name, actor)]),
        "set_node_config": _method(
            lambda service, name, actor, config=None: service.set_node_config(
                name, actor, {**dict.fromkeys(service.node(name).config), **(config or {})})),
        "get_node_config": _method(
            lambda service, name, actor: [service.get_node_config(name, actor)]),
        "get_node_metadata": _method(
            lambda service, name, actor: [service.get_node_metadata(name, actor)]),
        "set_node_capabilities": _method(
            lambda service, name, actor, rules=None: service.set_node_capabilities(
                name, actor, rules)),
    }


class NodeFace(Face):
    """A node: `name`, `config`, `affiliations`, `subscribers`."""

    fields = {
        "name": lambda border, node: node.name,
        "config": lambda border, node: border.copy_to_lua(node.settings()),
        "affiliations": lambda border, node: node.affiliations,
        "subscribers": lambda border, node: node.subscribers,
        "capabilities": lambda border, node: border.copy_to_lua(node.capabilities),
    }
    names = tuple(fields)


FACES: dict[type, Face] = {Service: ServiceFace(), Node: NodeFace()}
