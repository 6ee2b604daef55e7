"""XEP-0060: Publish-Subscribe, as a component or on a host.

The service itself is prosody_py.pubsub; this module gives it stores, says who may make nodes, and
carries what it has to say. All nodes are in memory, their items are not.

Administrators (the permission ":service-admin") own all nodes; who else may make nodes is the
permission ":create-node" and the option `pubsub_create_nodes`. A payload becomes the text of a
message, for subscribers who want one, by the event `pubsub-summary/<namespace>`.

Exports, as Prosody's: service, get_service, handle_pubsub_iq, is_item_stanza, check_node_config,
and for who offers commands list_nodes, read_node, create_node, delete_node, configure_node.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import gevent
from gevent.lock import RLock

from prosody_py.api import (
    Event,
    Options,
    Stanza,
    boolean,
    dataforms,
    enum,
    hook,
    integer,
    period,
    size,
    string,
)
from prosody_py.api.pubsub_commands import offer
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.pubsub import approval, commands, requests
from prosody_py.pubsub.discovery import info_of_node, items_of_node, list_in
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import OWNER, PUBSUB
from prosody_py.pubsub.notices import Notice, Wish, by_wish
from prosody_py.pubsub.service import Service
from prosody_py.pubsub.setup import Setup
from prosody_py.router.to_many import send_headline

from .access import affiliation_of, has_access, may_add
from .pending import answer_command
from .presence import Elsewhere, follow, hear, shows
from .stores import Nodes

__all__ = ["hear"]  # marked: the loader finds it here
DEPENDS = ("disco",)
FEATURES = (PUBSUB, *requests.FEATURES, *(PUBSUB + "#" + name for name in (
    "access-authorize", "access-open", "access-presence", "access-roster", "access-whitelist",
    "collections", "get-pending", "presence-notifications")))
PART = 500  # receivers of a notification that are served without a break
service: Any = None  # the Service of this instance


class Config(Options):
    """Who may do what, and how much."""

    name = string("PubSub", doc="The name of the service, for people.")
    autocreate_on_publish = boolean(False, doc="Make a node when somebody who may make nodes "
                                    "publishes to it.")
    autocreate_on_subscribe = boolean(False, doc="Make a node when somebody subscribes to it.")
    expose_publisher = boolean(False, doc="Tell who has published an item.")
    default_admin_affiliation = enum(
        "owner", "publisher", "publish-only", "member", "none",
        doc="What administrators are to all nodes.")
    pubsub_create_nodes = enum("admins", "accounts", "anybody",
                               doc="Who may make nodes: administrators, accounts of this server, "
                               "or anybody.")
    pubsub_max_items = integer(256, min=1, max=100_000, doc="Items that a node may keep.")
    pubsub_max_nodes = integer(10_000, min=1, max=10_000_000, doc="Nodes of the service.")
    pubsub_max_subscriptions = integer(1000, min=1, max=1_000_000,
                                       doc="Subscriptions of one account, all nodes together.")
    pubsub_max_subscribers = integer(10_000, min=1, max=10_000_000,
                                     doc="Subscriptions to one node.")
    pubsub_max_subids = integer(10, min=1, max=1000, doc="Subscriptions of one address to one "
                                "node, each with options of its own.")
    pubsub_max_lease = period(None, min="1 minute", max="10 years", doc="The longest time after "
                              "which a subscription may end that is to end by itself.")
    pubsub_subscribe_others = enum(
        "contacts", "anybody", "nobody", doc="Whom owners of nodes may subscribe, if they are no "
        "administrators: who gets the presence of an owner, anybody, or nobody.")
    pubsub_max_payload_size = size(None, min=100, doc="Bytes of one item, if less than a stanza "
                                   "may have.")


def load(module):
    """Read the nodes and begin."""
    global service
    module.delivering, module.elsewhere = RLock(), Elsewhere()
    module.default_permission("prosody:admin", ":service-admin")
    module.default_permission("prosody:admin", ":create-node")
    module.add_identity("pubsub", "service", module.options.name)
    service = module.service = Service(setup_of(module))
    if module.options.autocreate_on_publish:
        module.add_feature(PUBSUB + "#auto-create")
    if module.options.expose_publisher:
        module.add_feature(PUBSUB + "#item-publisher")
    offer(module, lambda address: module.service if address == module.host else None)
    module.daily("Delete items that are too old", lambda _task: expire(module))
    for host in list(module.server.hosts.values()):
        follow(module, host.host)
    module.hook_global("host-activated", lambda name: follow(module, name))


def ready(module):
    """End what lasts only as long as somebody is online, for those who are not."""
    for node in list(module.service.nodes.values()):
        module.service.end_absent(node)
        module.service.purge_absent(node)


def save(module):
    """Keep who is online elsewhere over a reload."""
    return {"elsewhere": list(module.elsewhere.states.items())}


def restore(module, saved):
    """Know who is online elsewhere."""
    for address, state in saved.get("elsewhere", ()):
        module.elsewhere.put(address, state)


def unload(module):
    """Send what was to come with digests."""
    module.service.flush()


def setup_of(module) -> Setup:
    """Return what the service is told of its surroundings."""
    options = module.options
    return Setup(
        jid=module.host, node_store=Nodes(module), collections=True,
        open_items=lambda node: module.open_counted_store(
            "pubsub_" + node, "archive", "nodes", lambda: None, made_up=True),
        max_items=options.pubsub_max_items, max_nodes=options.pubsub_max_nodes,
        max_subscriptions=options.pubsub_max_subscriptions,
        max_subscribers=options.pubsub_max_subscribers,
        max_subids=options.pubsub_max_subids, max_lease=options.pubsub_max_lease or 0,
        max_payload_size=options.pubsub_max_payload_size or 0,
        expose_publisher=options.expose_publisher,
        autocreate_on_publish=options.autocreate_on_publish,
        autocreate_on_subscribe=options.autocreate_on_subscribe,
        get_affiliation=lambda who, node, action: affiliation_of(module, who, node, action),
        has_access=lambda model, who, node: has_access(module, model, who, node),
        deliver=lambda notice, receivers: deliver(module, notice, receivers),
        tell=lambda to, message: tell(module, to, message),
        may_add=lambda actor, who, node: may_add(module, actor, who, node),
        summary=lambda payload: summary(module, payload), add_timer=module.add_timer,
        shows=lambda address: shows(module, address))


# -- requests ------------------------------------------------------------------------------


@hook(f"iq/host/{PUBSUB}:pubsub")
@hook(f"iq/host/{OWNER}:pubsub")
def request(module, event):
    """Do what an iq asks for."""
    return handle_pubsub_iq(event, module.service)


def handle_pubsub_iq(event, asked: Service | None = None) -> bool:
    """Answer an iq with a <pubsub/> for a service, by default that of this module."""
    event.origin.send(requests.answer(asked or service, event.stanza))
    return True


@hook("message/host")
def message(module, event):
    """Take an owner's answer to a request for a subscription; count a subscriber who is gone."""
    element = event.stanza
    if element.attr.get("type") == "error":
        return module.service.bounced(element) or None
    x = element.get_child("x", dataforms.XMLNS)
    if not approval.is_answer(x):
        return None
    module.service.answer(element.attr["from"], x)
    return True


@hook("user-deleted", on="global")
def forget_account(module, event):
    """Take what an account was to nodes from one that is gone."""
    module.service.forget(f"{event.username}@{event.host}")


@hook("iq-set/host/http://jabber.org/protocol/commands:command", priority=1)
def command(module, event):
    """Answer the command that sends requests for subscriptions once more (section 8.7)."""
    return answer_command(module, event)


# -- telling -------------------------------------------------------------------------------


def deliver(module, notice: Notice, receivers: Mapping[str, Wish]) -> None:
    """Tell subscribers what has happened; those who want a text get one."""
    with module.delivering:  # which lets the next one wait, so that nothing overtakes
        for wish, addresses in by_wish(receivers).items():
            body = notice.text(module.service.setup.summary) if wish.body else None
            send_in_parts(module, notice.message(
                module.host, body, wish.subids, wish.collection), addresses)


def send_in_parts(module, message: Stanza, addresses: list[str]) -> None:
    """Send a message to many addresses, and let others work in between."""
    to_many = OneToMany(message)
    for start in range(0, len(addresses), PART):
        if start:
            gevent.sleep(0)
        send_headline(module.server, module.host_object, to_many, addresses[start:start + PART])


def simple_broadcast(kind, node, jids, item, _actor=None, _node=None, _service=None) -> None:
    """Tell JIDs of something, for modules that do it themselves; as Prosody's."""
    service.broadcast(kind, node, list(jids or ()), item)


def tell(module, to: str, message: Stanza) -> None:
    """Send a message to one address."""
    send_headline(module.server, module.host_object, OneToMany(message), [to])


def summary(module, payload: Stanza | None) -> str | None:
    """Return a text for a payload, None when nobody knows one."""
    if payload is None:
        return None
    found = module.fire_event(f"pubsub-summary/{payload.attr.get('xmlns')}",
                              Event(kind="items", payload=payload))
    return found if isinstance(found, str) else None


@hook("pubsub-summary/http://www.w3.org/2005/Atom", priority=-1)
def atom_summary(module, event):
    """Return the title of an Atom entry and what it is about."""
    texts = [event.payload.get_child_text(name) for name in ("title", "summary")]
    return "\n".join(text.strip() for text in texts if text and text.strip()) or None


# -- service discovery ---------------------------------------------------------------------


@hook("host-disco-items")
def nodes_of_host(module, event):
    """List the nodes (section 5.2)."""
    list_in(event.reply, module.service, event.stanza.attr["from"])


@hook("host-disco-info-node")
def node_info(module, event):
    """Tell what a node is (sections 5.3 and 5.4)."""
    event.exists = info_of_node(event.reply, module.service, event.node,
                                event.stanza.attr["from"]) or event.exists


@hook("host-disco-items-node")
def node_items(module, event):
    """List the items of a node (section 5.5)."""
    event.exists = items_of_node(event.reply, module.service, event.node,
                                 event.stanza.attr["from"]) or event.exists


# -- what else there is to do ----------------------------------------------------------------


def expire(module) -> None:
    """Delete items that are older than their nodes let them be."""
    started = time.monotonic()
    for node in list(module.service.nodes.values()):
        if node["item_expire"] not in (None, "max") and not node.deleted:
            module.service.items(node).expire()
    module.log("debug", "Looked for old items in %.1f s", time.monotonic() - started)


def get_service() -> Service:
    """Return the service; as Prosody's."""
    return service


def list_nodes() -> list[dict[str, Any]]:
    """Return what is worth knowing of all nodes; see prosody_py.pubsub.commands for these five."""
    return commands.list_nodes(service)


def read_node(name: str, limit: int = 20) -> dict[str, Any]:
    """Return everything about a node, and its newest items."""
    return commands.read_node(service, name, limit)


def create_node(name: str, owner: str | None = None, config: Any = None) -> None:
    """Make a node."""
    commands.create_node(service, name, owner, config)


def delete_node(name: str, redirect: str | None = None) -> None:
    """Delete a node."""
    commands.delete_node(service, name, redirect)


def configure_node(name: str, config: dict[str, Any]) -> None:
    """Change options of a node."""
    commands.configure_node(service, name, config)


def is_item_stanza(item: Any) -> bool:
    """Whether something is an <item/> with one payload; as Prosody's."""
    return (isinstance(item, Stanza) and item.name == "item" and item.attr.get("xmlns") == PUBSUB
            and len(item.tags) == 1)


def check_node_config(_node: str, _actor: Any, config: Any) -> bool:
    """Whether a node can be configured like that; as Prosody's."""
    try:
        service.checked(config)
    except PubsubError:
        return False
    return True
